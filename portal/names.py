"""What a user, an organization or a repository may be called."""

import re

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

MAX_NAME = 96
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
# First path segments that the site itself uses.
RESERVED = frozenset(
    """about accounts admin api appeals assets auth avatars awards badges benchmarks blog boards buckets cas cases
    categories challenges collections community compare dashboard datasets deleted discussions docs download drafts
    evaluations events favicon.ico feed feeds find forum fragments git health healthz help home i18n
    imported-results inbox inference jobs join kernels leaderboard leaderboards learn login logout me metrics models
    moderation new notifications oauth organizations orgs papers people pricing privacy profile quota register
    reports reputation robots.txt rules runs search seasons security serve settings signin signup sitemap.xml
    sitemaps spaces static status submissions suites support tasks teams terms tokens topics transparency trending
    trust unsubscribe uploads users v1 watching webhooks well-known xet""".split()
)


def check_name(name: str, *, what: str = "") -> str:
    """Return `name` when the Hub's rules allow it, else raise InvalidInput saying which rule it breaks."""
    what = what or _("name")
    if not name or len(name) > MAX_NAME:
        raise InvalidInput(_("The %(what)s must have 1 to %(max)d characters.") % {"what": what, "max": MAX_NAME})
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            _("The %(what)s may hold letters, digits, “-”, “_” and “.”, and may not start or end with “-” or “.”.")
            % {"what": what}
        )
    if "--" in name or ".." in name or name.lower().endswith(".git"):
        raise InvalidInput(_("The %(what)s may not contain “--” or “..” nor end with “.git”.") % {"what": what})
    return name


def check_namespace_name(name: str) -> str:
    """Return `name` when a user or organization may take it: a legal name the site does not use itself."""
    check_name(name, what=_("account name"))
    if name.lower() in RESERVED or name.startswith("."):
        raise InvalidInput(_("“%(name)s” is reserved; please choose another name.") % {"name": name})
    return name
