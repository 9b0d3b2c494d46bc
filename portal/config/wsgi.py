"""WSGI entry point of the web process."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.base")
application = get_wsgi_application()
# Django would load all pages with the first request, in each process anew, and the search its dictionary: 90 MB and
# more, which the processes share when they are here before gunicorn forks.
_loaded = [get_resolver(routes).url_patterns for routes in (None, "portal.config.hub_wire")]
import_string("models_hub.searching.words.cutter")()
