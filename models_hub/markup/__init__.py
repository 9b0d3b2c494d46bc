"""Hostile text becomes safe HTML. Nothing here knows Django: it runs in a child process that may be killed."""

OK = b"+"  # begins each answer, so that one that was cut off before it began is known for what it is
