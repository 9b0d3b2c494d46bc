"""Finding repositories: words, the index over them, facets with counts, ranking, suggestions."""
