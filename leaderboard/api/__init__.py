"""The REST API of benchmarks, evaluations and boards: shapes only, no rules."""
