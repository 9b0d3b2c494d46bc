"""The demo: a data set and models that are built here and published over HTTP, as any user would."""

from demo.building import DemoContent, build
from demo.publishing import publish

__all__ = ["DemoContent", "build", "publish"]
