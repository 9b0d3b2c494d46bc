"""Where a limited token ends: one gate before every call that may change something.

Verbs ask again, for they know more (`can_write`, `can_manage`). The gate holds even for a route whose verb has no such
question, such as a like: what it does not know, it refuses.
"""

from django.urls import ResolverMatch
from django.utils.translation import gettext as _

from models_hub.hf_api.calls import SAFE_METHODS, Call
from models_hub.models import Repo
from models_hub.models.pull_requests import pull_number
from portal.errors import NotAllowed
from portal.reach import Level, reach_of

# Calls that change nothing of the repository in their address, though they are sent by POST.
READING = ("/paths-info/", "/duplicate")
# Their verbs ask for the very namespace, repository or permission that they touch.
ASKING = ("api/repos/", "api/validate-yaml", "api/collections", "api/settings/webhooks", "api/tokens/report", "uploads")
SENDING = ("/commit/", "/preupload/")
SOCIAL = ("/discussions", "/like", "/follow", "/user-access-request")


def refuse_beyond_reach(call: Call, found: ResolverMatch) -> None:
    """Raise NotAllowed when the caller's token was not given what this call would change."""
    reach = reach_of(call.user)
    if reach is None or call.request.method in SAFE_METHODS or found.route.startswith(ASKING):
        return
    if any(part in found.route for part in READING):
        return
    if (any(part in found.route for part in SOCIAL) or _proposes(call, found)) and "discussions" in reach.account:
        return
    if {"kind", "namespace", "name"} <= set(found.kwargs):
        names = (found.kwargs["kind"], found.kwargs["namespace"], found.kwargs["name"])
        repo = Repo.objects.visible_to(call.user).named(*names).first()
        if repo is None:  # the view says so, as for any caller
            return
        if reach.allows(Level.WRITE, namespace_id=repo.namespace_id, repo_id=repo.pk):
            return
    raise NotAllowed(_("This access token was not given the right to do this. Create one that has it."))


def _proposes(call: Call, found: ResolverMatch) -> bool:
    """Say whether the call sends something for a pull request, which is no right to the repository."""
    revision = str(found.kwargs.get("revision", ""))
    sends = any(part in found.route for part in SENDING)
    return sends and (call.flag("create_pr") or pull_number(revision) is not None)
