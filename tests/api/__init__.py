"""The REST API as a whole: what it says of itself, and what it does."""
