"""Fixtures that several tests of the leaderboard share."""

from tests.challenging import clock, without_walls

__all__ = ["clock", "without_walls"]
