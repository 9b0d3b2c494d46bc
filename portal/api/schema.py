"""How the REST API describes itself in OpenAPI 3.1: what all operations share is said here once."""

import re
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from portal.api.idempotency import HEADER
from portal.api.reserved_names import ReservedNames
from portal.errors import STATUS

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ErrorShape(ReservedNames):
    """What every refused request is answered: a text for a person, a code for a program."""

    error = serializers.CharField(help_text="What is wrong and what to mend, in the language asked for.")
    code = serializers.CharField(help_text="A name that does not change, such as `repo_not_found`.")
    fields_ = serializers.DictField(
        required=False, help_text="Of input that has not the right form: what is wrong, by field."
    )


class Schema(AutoSchema):
    """Tags by resource, the errors of all operations, and the header that makes a request repeatable."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").partition("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        if getattr(getattr(self.view, self.method.lower(), None), "is_repeatable", False):
            text = (
                "A key of your own: the same request with the same key within a day is answered again, not done again."
            )
            found.append(OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description=text))
        return found

    def get_operation_id(self) -> str:
        """Name operations by what their address says: `models_tree_retrieve` would say nothing of the method."""
        words = re.sub(r"[{}]", "", self.path.removeprefix("/api/v1/")).replace("-", "_").split("/")
        return "_".join([self.method.lower(), *[word for word in words if word]])

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.removesuffix("Shape").removesuffix("Input")

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        statuses = {400, 401, 403, 404} if self.method in SAFE else {*STATUS.values()} - {429}
        error = self._get_response_for_code(ErrorShape, "400")  # type: ignore[no-untyped-call]
        for status in sorted(statuses):
            bodies.setdefault(str(status), {**error, "description": DESCRIPTIONS.get(status, "")})
        bodies.setdefault("429", {"$ref": "#/components/responses/TooManyRequests"})
        return bodies


DESCRIPTIONS = {
    400: "Something that was sent must be mended.",
    401: "Sign in: send a token.",
    403: "You may see it but not do this.",
    404: "It does not exist, or you may not know that it does.",
    409: "Somebody else’s change, or an existing thing, is in the way.",
    412: "The branch moved since you looked at it.",
    413: "The body or a file is too large.",
    503: "Something that the answer depends on does not respond now.",
    507: "A limit of the owner or of the installation is reached.",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "portal.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An access token from /settings/tokens."}


def only_this_api(endpoints: list[Any]) -> list[Any]:
    """Leave out what speaks another protocol, and what only workers may ask."""
    return [one for one in endpoints if one[0].startswith("/api/v1/") and "/content/" not in one[0]]


def query(name: str, kind: Any = str, description: str = "", **options: Any) -> OpenApiParameter:
    """Return a parameter of the query string, for the schema."""
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description, **options)


PAGE = [
    query("limit", int, "How many to a page, at most 200."),
    query("cursor", str, "Where the page begins; it is in the address that `next` gives."),
]
