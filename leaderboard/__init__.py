"""Benchmarks, evaluations and the boards that rank models."""
