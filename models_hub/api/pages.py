"""What all routes of one repository share: it is found, or is 404; under a former name the caller is led on."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub import mirroring, publishing
from models_hub.addressing import moved_address
from models_hub.browsing import RepoMoved
from models_hub.models import Repo


class HubView(APIView):
    """A view whose verbs ask themselves how far a token reaches."""

    needs_of_token: str | None = None

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, RepoMoved) and (address := moved_address(self.request.get_full_path(), exc)):
            return Response({"repo": exc.repo.full_name}, status=307, headers={"Location": address})
        return super().handle_exception(exc)

    def repo(self, request: Request, kind: str, namespace: str, name: str) -> Repo:
        return mirroring.visible_repo(request.user, kind=kind, namespace=namespace, name=name)

    def writable(self, request: Request, kind: str, namespace: str, name: str) -> Repo:
        """Return a repository that the caller may write to: rights are looked at before what was sent."""
        repo = self.repo(request, kind, namespace, name)
        publishing.require_writer(request.user, repo)
        return repo

    def managed(self, request: Request, kind: str, namespace: str, name: str) -> Repo:
        """Return a repository that the caller may manage."""
        repo = self.repo(request, kind, namespace, name)
        publishing.require_manager(request.user, repo)
        return repo


def address_of(request: Request, changes: Mapping[str, str]) -> str:
    """Return the address of this request with other values in its query."""
    values = request.query_params.copy()
    for name, value in changes.items():
        values[name] = value
    return request.build_absolute_uri(f"{request.path}?{values.urlencode()}")


def page_answer(results: Any, following: str | None) -> dict[str, Any]:
    """Return one page of a list whose order is not that of the rows' ids."""
    return {"next": following, "previous": None, "results": results}
