"""For each badge: acts that award its lowest tier, and a way to game it. Both return whom to look at."""

from portal.badge_catalogue import RULES
from tests.badges.cases import evaluations, helping, keeping, models
from tests.badges.cases.registry import AWARDED, GAMED, Case

__all__ = ["AWARDED", "GAMED", "Case", "evaluations", "helping", "keeping", "models"]

assert AWARDED.keys() == RULES.keys(), RULES.keys() ^ AWARDED.keys()
