"""Conversation: forum topics and discussions about repositories."""
