"""The hub's part of our own REST API."""
