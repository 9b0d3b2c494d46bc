"""Ways to tune a model: all of its weights, its head, or little that is added to it."""
