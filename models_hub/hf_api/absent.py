"""What clients ask a hub for and this portal has not: answered at once, in JSON that says so."""

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models_hub.browsing import RepoNotFound
from models_hub.hf_api.calls import Call
from portal.errors import InvalidInput, NotFound

# The first word of an address -> what it would be about.
NOT_HERE: dict[str, str | Promise] = {
    "jobs": gettext_lazy("jobs in containers"),
    "scheduled-jobs": gettext_lazy("jobs in containers"),
    "kernels": gettext_lazy("kernels"),
    "buckets": gettext_lazy("buckets"),
    "endpoints": gettext_lazy("inference endpoints"),
    "inference-proxy": gettext_lazy("inference providers"),
    "partners": gettext_lazy("inference providers"),
    "resource-groups": gettext_lazy("resource groups"),
    "sandboxes": gettext_lazy("sandboxes"),
}


def not_here(call: Call, what: str) -> HttpResponseBase:
    raise NotFound(_("This portal has no %(what)s.") % {"what": NOT_HERE[what]})


def nothing_of(call: Call, what: str) -> HttpResponseBase:
    """One of a kind that is not here is missing like a repository, so that clients tell it from a broken connection."""
    raise RepoNotFound(_("This portal has no %(what)s.") % {"what": NOT_HERE[what]})


def article(call: Call, paper: str) -> HttpResponseBase:
    address = f"https://arxiv.org/abs/{paper}"
    raise NotFound(_("This portal keeps no articles: read this one at %(address)s.") % {"address": address})


def of_space(call: Call, namespace: str, name: str, what: str) -> HttpResponseBase:
    """Nothing of a Space runs: its settings at run time are refused, to those who may see that it is there."""
    call.repo("space", namespace, name)
    return space_runtime(call)


def space_runtime(call: Call) -> HttpResponseBase:
    raise InvalidInput(
        _("This portal keeps the files of static Spaces but does not run Spaces: they have no runtime here."),
        code="not_hosted",
    )


def semantic_search(call: Call) -> HttpResponseBase:
    raise NotFound(_("Search here is by words: list the Spaces with “search”."))


def space_templates(call: Call) -> HttpResponseBase:
    return JsonResponse({"templates": []})


def agent_harnesses(call: Call) -> HttpResponseBase:
    """Clients ask once a day which environment variables tell of a coding agent; we do not want to know."""
    return JsonResponse({"standardEnvVars": [], "harnesses": []})


def telemetry(call: Call) -> HttpResponseBase:
    """Nothing is kept of what clients report about themselves."""
    return HttpResponse(status=204)
