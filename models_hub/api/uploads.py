"""/api/v1/…/uploads and /api/v1/uploads: files of any size in checked parts, and one commit of them."""

import json
from typing import Any

from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import contents, permissions, proposing, upload_commits, uploading
from models_hub.api.pages import HubView
from models_hub.forms import MAX_PATH
from models_hub.landing import MAX_TITLE
from models_hub.models import DEFAULT_BRANCH, Upload
from models_hub.publishing import MAX_DESCRIPTION
from models_hub.uploading import Announced, Part
from portal.api.idempotency import once
from portal.errors import InvalidInput

MAX_HEAD_BYTES = 64 * 1024
MAX_SIZE = 2**60


class AnnouncedInput(serializers.Serializer[None]):
    """A file that is going to be sent; `modified` is the sender's own note, to know the file again."""

    path = serializers.CharField(max_length=MAX_PATH, trim_whitespace=False)
    size = serializers.IntegerField(min_value=0, max_value=MAX_SIZE)
    modified = serializers.IntegerField(min_value=0, max_value=MAX_SIZE, default=0)


class UploadInput(serializers.Serializer[None]):
    """What an upload will be: where it goes, and all its files."""

    revision = serializers.CharField(max_length=300, default=DEFAULT_BRANCH)
    folder = serializers.CharField(max_length=MAX_PATH, default="", allow_blank=True)
    title = serializers.CharField(max_length=MAX_TITLE, default="", allow_blank=True)
    description = serializers.CharField(max_length=MAX_DESCRIPTION, default="", allow_blank=True)
    files = AnnouncedInput(many=True)


class DigestInput(serializers.Serializer[None]):
    """The sha256 of a whole file."""

    sha256 = serializers.RegexField(contents.SHA256.pattern + r"\Z")


class PublishInput(serializers.Serializer[None]):
    """The message of the commit; with `pull_request` it is proposed and not landed."""

    title = serializers.CharField(max_length=MAX_TITLE)
    description = serializers.CharField(max_length=MAX_DESCRIPTION, default="", allow_blank=True)
    pull_request = serializers.BooleanField(default=False)


class FileProgressShape(serializers.Serializer[Any]):
    """How far one file is: `received` are spans [first part, last part + 1); `sha256` is set once it is verified."""

    number = serializers.IntegerField(source="file.number")
    path = serializers.CharField(source="file.path")
    size = serializers.IntegerField(source="file.size")
    modified = serializers.IntegerField(source="file.modified")
    sha256 = serializers.CharField(source="file.sha256")
    received = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    first_sha256 = serializers.CharField(help_text="The digest of its first part, if that has come.")
    may_be_here = serializers.BooleanField(
        help_text="The repository has content of this length: if its digest is the same, nothing need be sent."
    )


class UploadShape(serializers.ModelSerializer[Upload]):
    """An upload; only its sender sees it. `page` is where its commit is seen once it is published."""

    part_bytes = serializers.SerializerMethodField(help_text="How long each part but the last of a file is.")
    received_bytes = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields: tuple[str, ...] = (
            "key", "revision", "folder", "title", "description", "size", "part_bytes", "received_bytes", "created_at",
            "expires_at", "page", "commit_oid",
        )  # fmt: skip

    def get_part_bytes(self, upload: Upload) -> int:
        return uploading.PART_BYTES

    def get_received_bytes(self, upload: Upload) -> int:
        return uploading.received_bytes(upload)


class WholeUploadShape(UploadShape):
    """An upload with all its files."""

    files = serializers.SerializerMethodField()

    class Meta(UploadShape.Meta):
        fields = (*UploadShape.Meta.fields, "files")

    @extend_schema_field(FileProgressShape(many=True))
    def get_files(self, upload: Upload) -> Any:
        return FileProgressShape(uploading.progress(upload), many=True).data


class Uploads(HubView):
    @extend_schema(responses=UploadShape(many=True))
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List what you have begun to send and not published; there are never many."""
        repo = self.repo(request, kind, namespace, name)
        return Response(UploadShape(uploading.unfinished(repo, by=request.user), many=True).data)

    @extend_schema(request=UploadInput, responses={201: WholeUploadShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Begin an upload; room for all of it is set aside."""
        repo = self.repo(request, kind, namespace, name)
        proposing.require_proposer(request.user, repo)
        permissions.require_download(request.user, repo)
        sent = UploadInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        files = [Announced(**one) for one in values.pop("files")]
        upload = uploading.begin(repo, by=request.user, files=files, **values)
        return Response(WholeUploadShape(upload).data, status=201)


class OneUpload(HubView):
    @extend_schema(responses=WholeUploadShape)
    def get(self, request: Request, key: str) -> Response:
        """Read how far an upload is."""
        return Response(WholeUploadShape(uploading.find(key, by=request.user)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        """Cancel an upload: all that has come of it is forgotten."""
        uploading.cancel(uploading.find(key, by=request.user))
        return Response(status=204)


class Parts(HubView):
    throttle_classes = ()  # a folder may have ten thousand files

    @extend_schema(request={"application/octet-stream": OpenApiTypes.BINARY}, responses={204: None})
    def put(self, request: Request, key: str) -> Response:
        """Send parts: the body is one line of JSON, a list of [file, part, bytes, sha256], and then the bytes."""
        upload = uploading.find(key, by=request.user)
        uploading.receive_parts(upload, _head(request), lambda size: _read(request, size))
        return Response(status=204)


class Digest(HubView):
    throttle_classes = ()  # a folder may have ten thousand files

    @extend_schema(request=DigestInput, responses={204: None})
    def put(self, request: Request, key: str, number: int) -> Response:
        """Have a whole file compared with its sha256. While that is still going on the answer is 409 `upload_busy`."""
        sent = DigestInput(data=request.data)
        sent.is_valid(raise_exception=True)
        uploading.verify(uploading.find(key, by=request.user), number, sent.validated_data["sha256"])
        return Response(status=204)


class PartsOfFile(HubView):
    throttle_classes = ()  # a folder may have ten thousand files

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key: str, number: int) -> Response:
        """Forget what has come of one file, because it has changed since."""
        uploading.forget_parts(uploading.find(key, by=request.user), number)
        return Response(status=204)


class Commit(HubView):
    @extend_schema(request=PublishInput, responses=UploadShape)
    def post(self, request: Request, key: str) -> Response:
        """Publish an upload that has arrived; asked again after it is done, it answers the same."""
        upload = uploading.find(key, by=request.user)
        sent = PublishInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        proposes = values["pull_request"] or not uploading.may_commit(upload.user, upload.repo, upload.revision)
        done = upload_commits.publish(
            upload, title=values["title"], description=values["description"], proposes=proposes
        )
        return Response(UploadShape(done).data)


def _head(request: Request) -> list[Part]:
    """Read the line before the bytes."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = _read_line(request, MAX_HEAD_BYTES + 1 - len(line))
        line += byte
        if not byte or len(line) > MAX_HEAD_BYTES:
            raise InvalidInput(_("The body must begin with one line of JSON that names the parts."))
    try:
        rows = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The body must begin with one line of JSON that names the parts.")) from error
    if not isinstance(rows, list) or not all(_is_part(row) for row in rows):
        raise InvalidInput(_("Name each part as [file, part, bytes, sha256]."))
    return [Part(*row) for row in rows]


def _is_part(row: Any) -> bool:
    if not isinstance(row, list) or len(row) != 4:
        return False
    *numbers, sha256 = row
    are_numbers = all(type(one) is int and 0 <= one < 2**31 for one in numbers)
    return are_numbers and isinstance(sha256, str) and contents.SHA256.fullmatch(sha256) is not None


def _read(request: Request, size: int) -> bytes:
    """Read of the body; where its sender has gone, it ends early and is refused for its length."""
    try:
        return bytes(request.read(size))
    except UnreadablePostError:
        return b""


def _read_line(request: Request, size: int) -> bytes:
    try:
        return bytes(request.readline(size))
    except UnreadablePostError:
        return b""
