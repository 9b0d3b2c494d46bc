"""Measurements of speed, memory and growth; ratios against a baseline of the same run, never asserted in tests."""
