"""Hostile text becomes safe HTML. Nothing here knows Django: it runs in a child process that may be killed."""

OK = b"+"  # begins each answer, so that one that was cut off before it began is known for what it is
# Words that become links keep the key of what they stand for in this attribute, which nobody can write: those of users
# are dropped.
REFERENCE = "data-key"
