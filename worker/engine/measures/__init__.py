"""Measures, each as its field defines it, with one number for each example where there is one. Imports no torch."""
