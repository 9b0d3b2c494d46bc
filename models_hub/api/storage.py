"""/api/v1/storage and /api/v1/…/storage: where an owner's and a repository's bytes are, and making room."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import accounting, reaching, reclaiming
from models_hub.accounting import RepoShare
from models_hub.api.pages import HubView, address_of
from models_hub.models import RepoBlob
from portal.api.idempotency import once
from portal.api.schema import query
from portal.authentication import require_user
from portal.errors import NotAllowed
from portal.models import Namespace


class DividedShape(serializers.Serializer[Any]):
    """How the bytes of a repository are divided."""

    current = serializers.IntegerField(help_text="Of files at the head of the default branch.")
    history = serializers.IntegerField(help_text="Of what only older versions, other branches and tags reach.")
    unused = serializers.IntegerField(help_text="Of what none of them reaches.")


class RepoShareShape(serializers.Serializer[Any]):
    """One repository's part of its owner's storage."""

    kind = serializers.CharField(source="repo.kind")
    name = serializers.CharField(source="repo.full_name")
    private = serializers.BooleanField(source="repo.private")
    is_deleted = serializers.SerializerMethodField(help_text="Deleted, and kept until its days are over.")
    bytes = serializers.IntegerField()
    divided = serializers.SerializerMethodField(help_text="Null while something came or went since it was looked at.")

    def get_is_deleted(self, share: RepoShare) -> bool:
        return share.repo.deleted_at is not None

    @extend_schema_field(DividedShape(allow_null=True))
    def get_divided(self, share: RepoShare) -> Any:
        return DividedShape(share.repo.measure).data if share.is_divided else None


class LargeFileShape(serializers.ModelSerializer[RepoBlob]):
    """Large content of a repository."""

    kind = serializers.CharField(source="repo.kind")
    repo = serializers.CharField(source="repo.full_name")
    sha256 = serializers.CharField(source="blob.sha256")
    size = serializers.IntegerField(source="blob.size")

    class Meta:
        model = RepoBlob
        fields = ("kind", "repo", "sha256", "size")


class StorageShape(serializers.Serializer[Any]):
    """What an owner holds in bytes: in all, by kind, and by repository."""

    used = serializers.IntegerField(source="account.used")
    limit = serializers.IntegerField(source="account.limit_now")
    large = serializers.IntegerField(help_text="Large files.")
    git = serializers.IntegerField(help_text="History and small files.")
    uploads = serializers.IntegerField(help_text="Uploads that no file uses yet.")
    kept_once = serializers.IntegerField(help_text="Counted for several repositories, and kept once.")
    largest = LargeFileShape(many=True)
    next = serializers.SerializerMethodField(help_text="The address of the next page, null at the end.")
    repos = RepoShareShape(many=True, help_text="The largest first, at most 50 at a time.")

    def get_next(self, _storage: Any) -> str | None:
        following: str | None = self.context["next"]
        return following


class HeldFileShape(serializers.Serializer[Any]):
    """Large content of a repository, and what it is for."""

    path = serializers.CharField(help_text="Where it stands at the head; empty where it does not.")
    sha256 = serializers.CharField(source="blob.sha256")
    size = serializers.IntegerField(source="blob.size")
    place = serializers.ChoiceField(choices=("current", "history", "unused"))


class RepoStorageShape(DividedShape):
    """How the bytes of a repository are divided at this moment."""

    total = serializers.IntegerField()
    kept_once = serializers.IntegerField(help_text="Also counted for other repositories of the owner, and kept once.")
    largest = HeldFileShape(many=True)


class LeftFileShape(serializers.Serializer[Any]):
    """Large content that nothing leads to."""

    name = serializers.CharField(help_text="As an old version had it; empty of an upload.")
    sha256 = serializers.CharField()
    size = serializers.IntegerField()


class ReclaimableShape(serializers.Serializer[Any]):
    """What could go now. `digest` stands for exactly this."""

    digest = serializers.CharField()
    bytes = serializers.IntegerField()
    git_bytes = serializers.IntegerField(help_text="Of them in history and small files.")
    versions = LeftFileShape(many=True, help_text="Files of old versions that nothing leads to.")
    uploads = LeftFileShape(many=True, help_text="Uploads that never became part of a version.")
    is_whole = serializers.SerializerMethodField(
        help_text="False while a part of the history is missing, of which nothing is removed then."
    )

    def get_is_whole(self, _reclaimable: Any) -> bool:
        return bool(self.context["is_whole"])


class ReclamationInput(serializers.Serializer[None]):
    """What was looked at and is to go."""

    digest = serializers.CharField(max_length=64)


class FreedShape(serializers.Serializer[Any]):
    """How much room was made."""

    bytes = serializers.IntegerField()


class StorageOfRepo(HubView):
    @extend_schema(responses=RepoStorageShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Read how the bytes of a repository are divided; for who may write to it."""
        repo = self.writable(request, kind, namespace, name)
        return Response(RepoStorageShape(accounting.of_repo(repo, reaching.walk(repo))).data)


class Reclamation(HubView):
    @extend_schema(responses=ReclaimableShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Look at what could be removed at once instead of after the time of grace."""
        repo = self.writable(request, kind, namespace, name)
        reached = reaching.walk(repo)
        found = reclaiming.preview(repo, reached)
        return Response(ReclaimableShape(found, context={"is_whole": reached.is_whole}).data)

    @extend_schema(request=ReclamationInput, responses=FreedShape)
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Remove exactly what you looked at; a conflict when it would be anything else by now."""
        repo = self.managed(request, kind, namespace, name)
        sent = ReclamationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response({"bytes": reclaiming.reclaim(repo, by=request.user, **sent.validated_data)})


class Storage(HubView):
    @extend_schema(
        parameters=[query("after", str, "Where the page begins, as `next` says it.")], responses=StorageShape
    )
    def get(self, request: Request, owner: str) -> Response:
        """Read where an owner's bytes are: your own, or an organization's for its members."""
        user = require_user(request)
        found = get_object_or_404(Namespace.objects.select_related("user", "organization").known_as(owner))
        if not accounting.may_see(user, found):
            if found.organization_id is None:
                raise Http404
            raise NotAllowed(_("Only members of this organization may see this page."))
        storage = accounting.of_owner(found, cursor=request.query_params.get("after", ""))
        following = address_of(request, {"after": storage.next_cursor}) if storage.next_cursor else None
        return Response(StorageShape(storage, context={"next": following}).data)
