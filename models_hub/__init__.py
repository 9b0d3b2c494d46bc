"""Repositories of models and data sets: versions, files, cards and the wire protocols."""
