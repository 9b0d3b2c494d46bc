"""The finder: the best model for a task within what somebody has, by verified scores, with reasons in words."""
