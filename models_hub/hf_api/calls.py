"""One call of a client: who asks, for which repository, with what body."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from models_hub import mirroring, publishing
from models_hub.models import Repo
from portal import bounded_json
from portal.authentication import Caller, caller_from_header
from portal.errors import InvalidInput, NotAllowed, SignInRequired, TooLarge
from portal.models import Asker, User
from portal.reach import may_use

MAX_JSON_BYTES = 8 * 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Call:
    """A request and its caller. Repositories are loaded through it, so that none is seen that may not be."""

    request: HttpRequest
    caller: Caller

    @property
    def user(self) -> Asker:
        return self.caller.user

    @property
    def origin(self) -> str:
        """The address by which the client reached us: it refuses any other in an answer."""
        return f"{self.request.scheme}://{self.request.get_host()}"

    def repo(self, kind: str, namespace: str, name: str) -> Repo:
        """Return a repository that the caller may see."""
        return mirroring.visible_repo(self.user, kind=kind, namespace=namespace, name=name)

    def writable_repo(self, kind: str, namespace: str, name: str) -> Repo:
        """Return a repository that the caller may write to, with this very token."""
        repo = self.repo(kind, namespace, name)
        publishing.require_writer(self.writer(), repo)
        return repo

    def writer(self) -> User:
        """Return the caller who may change things at all."""
        if not isinstance(self.user, User):
            raise SignInRequired(_("Sign in first."))
        self.caller.require_write()
        return self.user

    def person(self, permission: str) -> User:
        """Return the signed-in caller, whose token may look into this part of the account."""
        if not isinstance(self.user, User):
            raise SignInRequired(_("Sign in first."))
        if not may_use(self.user, permission):
            raise NotAllowed(_("This access token was not given the permission “%(name)s”.") % {"name": permission})
        return self.user

    def actor(self, permission: str) -> User:
        """Return the caller who may change this part of the account, with this very token."""
        self.writer()
        return self.person(permission)

    def flag(self, name: str) -> bool:
        """Read a boolean of the query: clients write true, True and 1."""
        return self.request.GET.get(name, "").lower() in {"true", "1"}

    def number(self, name: str, default: int, maximum: int) -> int:
        """Read a count of the query, between 1 and `maximum`."""
        value = self.request.GET.get(name, "")
        return min(max(int(value), 1), maximum) if value.isdecimal() and len(value) < 10 else default

    def words(self, name: str) -> list[str]:
        """Read a repeated key of the query, with or without `[]`."""
        return self.request.GET.getlist(name) + self.request.GET.getlist(f"{name}[]")

    def json(self, limit: int = MAX_JSON_BYTES) -> dict[str, Any]:
        """Return the JSON object in the body."""
        body = self.request.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(_("The request body may have at most %(max)d bytes.") % {"max": limit})
        try:
            value = bounded_json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise InvalidInput(_("The request body is not valid JSON.")) from error
        if value is None:  # some clients send `null` where they have nothing to say
            return {}
        if not isinstance(value, dict):
            raise InvalidInput(_("The request body must be a JSON object."))
        return value


View = Callable[..., HttpResponseBase]


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller by bearer token, else by the browser's session, which must prove what it changes."""
    caller = caller_from_header(request.headers.get("Authorization", ""))
    if caller is not None:
        return caller
    if request.user.is_authenticated and request.method not in SAFE_METHODS:
        refusal = CsrfViewMiddleware(lambda _request: None).process_view(request, None, (), {})  # type: ignore[arg-type]
        if refusal is not None:
            raise NotAllowed(_("The request has no valid CSRF token: reload the page and try again."))
    return Caller(user=request.user)


def text(value: Any, what: str, *, default: str | None = None) -> str:
    """Return a text field of a body, or say which one is missing."""
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InvalidInput(_("“%(field)s” must be given as text.") % {"field": what})
    return value
