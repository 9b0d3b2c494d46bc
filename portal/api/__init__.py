"""Faces of the commons for programs."""
