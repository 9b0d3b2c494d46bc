"""Intervals, comparisons and ranks. Imports no torch."""
