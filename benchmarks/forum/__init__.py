"""How fast the forum is, and how fast it stays with ten million posts."""
