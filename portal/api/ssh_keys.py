"""/api/v1/me/ssh-keys: the public keys by which git knows the caller over SSH."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.idempotency import once
from portal.api.pagination import OldestFirst, paged
from portal.api.people import whole_person
from portal.api.schema import PAGE
from portal.errors import NotFound
from portal.models import SshKey
from portal.models.ssh_keys import MAX_NAME
from portal.public_keys import MAX_TEXT


class SshKeyShape(serializers.ModelSerializer[SshKey]):
    """A public key; `fingerprint` is what `ssh-keygen -l` shows of it."""

    key = serializers.CharField(source="text")

    class Meta:
        model = SshKey
        fields = ("id", "name", "type", "fingerprint", "key", "read_only", "created_at", "last_used_at")


class NewSshKeyInput(serializers.Serializer[None]):
    """A public key that is to be let in."""

    key = serializers.CharField(max_length=MAX_TEXT, help_text="The line in the file that ends in .pub.")
    name = serializers.CharField(
        max_length=MAX_NAME, default="", allow_blank=True, help_text="Without one, the comment of the key."
    )
    read_only = serializers.BooleanField(  # type: ignore[assignment]  # the framework’s word for something else
        default=False, help_text="Whether it may fetch and never push."
    )


class SshKeys(APIView):
    needs_of_token: str | None = None  # asked below: a limited token sees and changes none
    pagination_class = OldestFirst

    @extend_schema(parameters=PAGE, responses=paged(SshKeyShape))
    def get(self, request: Request) -> Response:
        """List your SSH keys."""
        pages = OldestFirst()
        page = pages.paginate_queryset(SshKey.objects.filter(user=whole_person(request)), request, view=self) or []
        return pages.get_paginated_response(SshKeyShape(page, many=True).data)

    @extend_schema(request=NewSshKeyInput, responses={201: SshKeyShape})
    @once
    def post(self, request: Request) -> Response:
        """Add an SSH key."""
        user, sent = whole_person(request), NewSshKeyInput(data=request.data)
        sent.is_valid(raise_exception=True)
        text = sent.validated_data.pop("key")
        return Response(SshKeyShape(SshKey.add(user=user, text=text, **sent.validated_data)).data, status=201)


class OneSshKey(APIView):
    needs_of_token: str | None = None

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: int) -> Response:
        """Remove an SSH key; it opens nothing from then on."""
        key = SshKey.objects.select_related("user").filter(pk=key_id, user=whole_person(request)).first()
        if key is None:
            raise NotFound(_("You have no such SSH key."))
        key.remove()
        return Response(status=204)
