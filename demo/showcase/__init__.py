"""The showcase: boards with many small models, each trained and scored by the workers of a running portal."""

from demo.showcase.loading import load
from demo.showcase.world import World, read_world

__all__ = ["World", "load", "read_world"]
