"""Models made of models: what may be asked of the workers, how it goes, and what becomes of the result."""
