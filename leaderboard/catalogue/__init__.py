"""Well-known sets: what they are, the files under which they are published, and how those become rows of ours.

`definitions/` holds the facts. `__main__.py` is a program of its own that reads the hostile bytes; what it needs knows
no Django and reads no file but those it is given.
"""
