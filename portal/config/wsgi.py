"""WSGI entry point of the web process."""

import os
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from django.apps import apps
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template import Engine
from django.template.loader import get_template
from django.urls import get_resolver, reverse
from django.utils import translation
from django.utils.module_loading import import_string

from portal.config import unused

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.base")
_sparing = ExitStack()
_sparing.enter_context(unused.left_out())
# The description of the API is made with a client for tests, which brings more along: 2 MB, loaded when asked for.
_client = "rest_framework.test.APIRequestFactory"
sys.modules["rest_framework.test"] = SimpleNamespace(APIRequestFactory=lambda: import_string(_client)())  # type: ignore[assignment]
_sparing.callback(sys.modules.pop, "rest_framework.test")
application = get_wsgi_application()
# Django would load all pages with the first request, in each process anew, and the search its dictionary: 70 MB and
# more, which the processes share when they are here before gunicorn forks.
_loaded = [get_resolver(routes).url_patterns for routes in (None, "portal.config.hub_wire")]
import_string("models_hub.searching.cutting.load")()
import_string("portal.folding.table")()
# A page would wait for a fifth of a second, in each process anew, until addresses, names and templates are read.
for _language, _name in settings.LANGUAGES:
    # Addresses are alike in all languages, for which Django would keep them apart.
    for _names in ("_reverse_dict", "_namespace_dict", "_app_dict"):
        for _known in list(getattr(get_resolver(), _names).values())[:1]:
            getattr(get_resolver(), _names)[_language] = _known
    with translation.override(_language):
        reverse("home")
        import_string("models_hub.templatetags.hub.language_name")("en")
# The names of languages are kept; what else Babel knows of these places is not used.
import_string("babel.localedata._cache").clear()
import_module("babel.core")._global_data = None  # type: ignore[attr-defined]
# Of the templates only those that most people open first: each one costs memory that the processes soon hold apart.
_templates = Path(settings.BASE_DIR) / "templates"
for _folder in ("", "portal/home", "models_hub/lists", "models_hub/repos", "leaderboard/boards", "forum/topics"):
    for _page in sorted((_templates / _folder).glob("*.html")):
        get_template(str(_page.relative_to(_templates)))
_sparing.close()
_read = Engine.get_default().template_context_processors
_joined = [model._meta.get_fields() for model in apps.get_models()]
