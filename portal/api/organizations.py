"""/api/v1/organizations/…: invitations, domains and rules; and one's own invitations.

What the pages ask the password for again, such as another name or handing over, has no route: a token cannot confirm.
"""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal import inviting, proving_domains
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.people import organization_named, whole_person
from portal.api.schema import PAGE
from portal.api.shapes import PersonShape
from portal.context import site_address
from portal.errors import NotAllowed, NotFound
from portal.models import Domain, Invitation, Membership, Organization, User
from portal.permissions import can_administer


class InvitationInput(serializers.Serializer[None]):
    """Somebody who is to join: an account name, or an address of mail."""

    person = serializers.CharField(max_length=150, required=False)
    email = serializers.EmailField(max_length=254, required=False)
    role = serializers.ChoiceField(choices=Membership.Role.choices, default=Membership.Role.READ)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("person" in attrs) == ("email" in attrs):
            raise serializers.ValidationError(_("Name a person, or an address of mail."))
        return attrs


class InvitationShape(serializers.ModelSerializer[Invitation]):
    """An open invitation; its link is in the mail alone."""

    id = serializers.IntegerField()
    organization = serializers.CharField(source="organization.name")
    whom = serializers.CharField(help_text="The account name or the address of mail.")
    invited_by = PersonShape(allow_null=True)

    class Meta:
        model = Invitation
        fields = ("id", "organization", "whom", "role", "invited_by", "created_at", "expires_at")


class DomainInput(serializers.Serializer[None]):
    """A domain that is to be proved."""

    name = serializers.CharField(max_length=253)


class DomainShape(serializers.ModelSerializer[Domain]):
    """A domain; it is proved by a TXT record, or a file at a well-known address, that holds `proof`."""

    id = serializers.IntegerField()
    proof = serializers.CharField()
    well_known = serializers.SerializerMethodField(help_text="The path of the file.")

    class Meta:
        model = Domain
        fields = ("id", "name", "proof", "well_known", "checked_at", "verified_at", "created_at")

    def get_well_known(self, _domain: Domain) -> str:
        return proving_domains.WELL_KNOWN


class RulesShape(serializers.ModelSerializer[Organization]):
    """What an organization asks of its members, and whether everybody sees who they are."""

    class Meta:
        model = Organization
        fields = ("requires_mfa", "members_public")


class OrganizationView(APIView):
    """A view for admins of one organization, whose tokens are not limited."""

    needs_of_token: str | None = None

    def led(self, request: Request, name: str) -> tuple[User, Organization]:
        user, found = whole_person(request), organization_named(name)
        if not can_administer(user, found.namespace):
            raise NotAllowed(_("Only an admin of this organization may do that."))
        return user, found


class Invitations(OrganizationView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(InvitationShape))
    def get(self, request: Request, name: str) -> Response:
        """List the open invitations of an organization."""
        _user, found = self.led(request, name)
        return _invitations(self, request, Invitation.objects.pending().filter(organization=found))

    @extend_schema(request=InvitationInput, responses={201: InvitationShape})
    @once
    def post(self, request: Request, name: str) -> Response:
        """Invite somebody; inviting again takes the place of the invitation before."""
        user, found = self.led(request, name)
        sent = InvitationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        whom = values.get("email") or _person(values["person"])
        made = inviting.invite(found, by=user, whom=whom, role=values["role"], site=site_address(request))
        return Response(InvitationShape(made).data, status=201)


class OneInvitation(OrganizationView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str, invitation_id: int) -> Response:
        """Take an invitation back."""
        user, found = self.led(request, name)
        pending = Invitation.objects.pending().select_related("organization", "user")
        get_object_or_404(pending, pk=invitation_id, organization=found).withdraw(by=user)
        return Response(status=204)


class MyInvitations(APIView):
    needs_of_token: str | None = None
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(InvitationShape))
    def get(self, request: Request) -> Response:
        """List the invitations that were sent to you by name."""
        return _invitations(self, request, Invitation.objects.for_person(whole_person(request)))


class MyInvitation(APIView):
    needs_of_token: str | None = None

    @extend_schema(responses={204: None})
    def delete(self, request: Request, invitation_id: int) -> Response:
        """Decline an invitation."""
        user = whole_person(request)
        _mine(user, invitation_id).decline(by=user)
        return Response(status=204)


class Acceptance(APIView):
    needs_of_token: str | None = None

    @extend_schema(request=None, responses={204: None})
    @once
    def post(self, request: Request, invitation_id: int) -> Response:
        """Accept an invitation, and be a member."""
        user = whole_person(request)
        _mine(user, invitation_id).accept(by=user)
        return Response(status=204)


class Domains(OrganizationView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(DomainShape))
    def get(self, request: Request, name: str) -> Response:
        """List the domains of an organization, proved or not."""
        _user, found = self.led(request, name)
        pages = NewestFirst()
        page = pages.paginate_queryset(found.domains.all(), request, view=self) or []
        return pages.get_paginated_response(DomainShape(page, many=True).data)

    @extend_schema(request=DomainInput, responses={201: DomainShape})
    @once
    def post(self, request: Request, name: str) -> Response:
        """Begin to prove a domain."""
        user, found = self.led(request, name)
        sent = DomainInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(DomainShape(Domain.claim(found, sent.validated_data["name"], by=user)).data, status=201)


class OneDomain(OrganizationView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str, domain_id: int) -> Response:
        """Give up a domain."""
        user, found = self.led(request, name)
        get_object_or_404(found.domains, pk=domain_id).drop(by=user)
        return Response(status=204)


class DomainCheck(OrganizationView):
    @extend_schema(request=None, responses=DomainShape)
    @once
    def post(self, request: Request, name: str, domain_id: int) -> Response:
        """Look at the domain now; `verified_at` says whether it shows the proof."""
        user, found = self.led(request, name)
        domain = get_object_or_404(found.domains.select_related("organization"), pk=domain_id)
        proving_domains.check(domain, by=user)
        return Response(DomainShape(domain).data)


class Rules(OrganizationView):
    @extend_schema(responses=RulesShape)
    def get(self, request: Request, name: str) -> Response:
        """Read what is asked of members."""
        _user, found = self.led(request, name)
        return Response(RulesShape(found).data)

    @extend_schema(request=RulesShape, responses=RulesShape)
    def patch(self, request: Request, name: str) -> Response:
        """Change what is asked of members; what is not named stays."""
        user, found = self.led(request, name)
        sent = RulesShape(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        found.rule(by=user, **(RulesShape(found).data | sent.validated_data))
        return Response(RulesShape(found).data)


def _invitations(view: APIView, request: Request, rows: QuerySet[Invitation]) -> Response:
    pages = NewestFirst()
    found = rows.select_related("organization", "user", "invited_by")
    page = pages.paginate_queryset(found, request, view=view) or []
    return pages.get_paginated_response(InvitationShape(page, many=True).data)


def _mine(user: User, invitation_id: int) -> Invitation:
    return get_object_or_404(Invitation.objects.for_person(user).select_related("organization"), pk=invitation_id)


def _person(name: str) -> User:
    found = User.objects.named(name).filter(is_active=True).first()
    if found is None:
        raise NotFound(_("Nobody here has this account name."))
    return found
