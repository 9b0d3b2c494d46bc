"""The commons: people, tokens, permissions, the outbox and the wiring of the site."""
