"""The REST API of conversations: shapes only, no rules."""
