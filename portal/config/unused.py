"""What frameworks load wherever it is installed, though nothing of ours uses it: 25 MB of each process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings


@contextmanager
def left_out() -> Iterator[None]:
    """Let nobody load these meanwhile; afterwards whoever needs one gets it."""
    names = ["chardet", "django.contrib.postgres.fields", "jinja2", "markdown", "pygments"]
    if not settings.SOCIALACCOUNT_PROVIDERS:  # they ask other sites with it
        names.append("requests")
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    yield
    for name in names:
        del sys.modules[name]


def set_up_without() -> None:
    """Set Django up in a process that is there as long as the portal, and answers no pages."""
    with left_out():
        django.setup()
    sys.modules["chardet"] = None  # type: ignore[assignment]  # a worker loads requests, which does as well without it
