"""Settings: `base` runs anywhere, `dev`, `test` and `prod` differ only where they must."""
