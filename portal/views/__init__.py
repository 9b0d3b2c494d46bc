"""Faces of the commons for people."""
