"""Programs that are published beside a model, as they stand here: they import nothing of ours."""
