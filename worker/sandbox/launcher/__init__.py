"""Runs between the worker and the sandbox: a process of its own, because a worker with threads must not fork and go on.

Imports nothing but the standard library, and as little of it as it can: each run waits for it.
"""
