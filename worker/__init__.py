"""Everything that happens outside a request: the relay, the job runners and the engine."""
