"""Seeded changes of a text that a reader would hardly notice, to see whether a model does."""
