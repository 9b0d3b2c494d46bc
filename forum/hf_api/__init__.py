"""The wire of discussions and pull requests, as clients of the Hub speak it."""
