"""Smaller models: fewer heads, layers, tokens or bits, or a student; each with what it cost and what it won."""
