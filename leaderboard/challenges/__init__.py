"""Challenges from draft to medals: each step of their life is a module."""
