"""Git's own formats over database rows."""
