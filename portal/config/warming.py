"""A web process that was just forked answers a page that nobody asked for, so that the first who asks waits no longer.

Snapshots of the lists, addresses, texts and templates are read then, about 50 ms of CPU. A portal that has no snapshot
yet has little to read, and one whose database does not answer must start all the same.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, wait
from io import BytesIO
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError
from django.utils.module_loading import import_string

ADDRESS, QUESTION = "/models", f"search=small+{quote('模型')}"
LONGEST_SECONDS = 2.0  # that the process waits for it; beyond that it goes on beside the first requests

log = logging.getLogger(__name__)


def warm_up(application: WSGIHandler, pool: Executor) -> None:
    """Answer the page in the pool that answers others: the next one finds a connection to the database there."""
    wait([pool.submit(answer, application)], LONGEST_SECONDS)


def answer(application: WSGIHandler) -> None:
    """Answer the page if there is a snapshot to begin with; says in the log alone what keeps it from doing so."""
    try:
        if import_string("models_hub.models.CatalogueSnapshot").objects.exists():
            application(_environ(), _begin).close()
    except (DatabaseError, OSError) as error:
        log.info("Nothing was read beforehand: %s", error)


def _begin(_status: str, _headers: list[tuple[str, str]], _error: object = None, /) -> Callable[[bytes], object]:
    return len  # nobody reads it


def _environ() -> dict[str, object]:
    host = next((name for name in settings.ALLOWED_HOSTS if name.strip(".*")), "localhost")
    scheme = "https" if settings.PUBLIC_URL.startswith("https://") else "http"
    found = {"HTTP_HOST": host.lstrip("."), "PATH_INFO": ADDRESS, "QUERY_STRING": QUESTION, "wsgi.input": BytesIO()}
    environ: dict[str, object] = {**found, "wsgi.url_scheme": scheme}
    setup_testing_defaults(environ)
    return environ
