"""/api/v1/…/compare: what differs between two revisions."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import permissions, side_by_side
from models_hub.api.comparison_shapes import RevisionComparisonShape
from models_hub.api.pages import HubView
from portal.api.idempotency import once
from portal.api.shapes import JobShape


class Compared(HubView):
    @extend_schema(responses=RevisionComparisonShape)
    def get(self, request: Request, kind: str, namespace: str, name: str, revisions: str) -> Response:
        """Compare `base...head`: what head has since the two parted; or `base..head`: all that differs."""
        repo = self.repo(request, kind, namespace, name)
        permissions.require_download(request.user, repo)
        parted = side_by_side.find(repo, side_by_side.read(revisions))
        found = side_by_side.differences(repo, parted)
        values = {
            "base": parted.base,
            "head": parted.head,
            "compared_with": parted.old.oid if parted.old else None,
            "ahead": parted.distance.ahead,
            "behind": parted.distance.behind,
            "commits": found.commits,
            "count": found.comparison.count,
            "files": found.comparison.changes,
            "card": found.meaning.card,
            "configs": found.meaning.configs,
            "scores": found.meaning.scores,
            "tensors": found.tensors,
        }
        return Response(RevisionComparisonShape(values).data)


class Tensors(HubView):
    @extend_schema(request=None, responses={202: JobShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str, revisions: str) -> Response:
        """Have all bytes of the weights compared by a job; the comparison tells what it found."""
        repo = self.repo(request, kind, namespace, name)
        permissions.require_download(request.user, repo)
        job = side_by_side.compare_weights(repo, side_by_side.read(revisions), by=request.user)
        return Response(JobShape(job).data, status=202)
