"""/api/v1/people, /organizations and /me: who is here, and the caller's own account."""

from typing import Any

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, OldestFirst, paged
from portal.api.schema import PAGE
from portal.api.shapes import MemberShape, OrganizationShape, PersonShape, ProfileShape
from portal.authentication import require_user
from portal.errors import NotAllowed, NotFound
from portal.models import Follow, Membership, Namespace, Organization, User
from portal.names import MAX_NAME
from portal.reach import may_use, reach_of

MAX_TITLE = 120
MAX_ABOUT = 500
MAX_LINKS = 5


def links_field() -> serializers.ListField:
    """Return the field of addresses of other pages, of the web alone."""
    address = serializers.URLField(max_length=300, validators=[URLValidator(schemes=["https", "http"])])
    return serializers.ListField(child=address, max_length=MAX_LINKS, required=False)


class ProfileChanges(serializers.Serializer[None]):
    """What others read about you; what is not named stays."""

    display_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    about = serializers.CharField(max_length=MAX_ABOUT, required=False, allow_blank=True)
    links = links_field()


class NewOrganizationInput(serializers.Serializer[None]):
    """An organization that is to be; you are its first admin."""

    name = serializers.CharField(max_length=MAX_NAME)
    title = serializers.CharField(max_length=MAX_TITLE, default="", allow_blank=True)


class OrganizationChanges(serializers.Serializer[None]):
    """What others read about it; what is not named stays."""

    title = serializers.CharField(max_length=MAX_TITLE, required=False, allow_blank=True)
    about = serializers.CharField(max_length=MAX_ABOUT, required=False, allow_blank=True)
    links = links_field()


class FollowedShape(serializers.Serializer[Any]):
    """An account that somebody follows."""

    name = serializers.CharField(source="namespace.name")
    is_organization = serializers.SerializerMethodField()
    since = serializers.DateTimeField(source="created_at")

    def get_is_organization(self, follow: Follow) -> bool:
        return follow.namespace.organization_id is not None


class RoleInput(serializers.Serializer[None]):
    """What a member may do."""

    role = serializers.ChoiceField(choices=Membership.Role.choices)


class Me(APIView):
    needs_of_token: str | None = None

    @extend_schema(responses=ProfileShape)
    def get(self, request: Request) -> Response:
        """Read who you are."""
        return Response(_profile(request, require_user(request)))

    @extend_schema(request=ProfileChanges, responses=ProfileShape)
    def patch(self, request: Request) -> Response:
        """Change what others read about you."""
        user = whole_person(request)
        sent = ProfileChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        values = {"display_name": user.get_full_name(), "about": user.about} | sent.validated_data
        user.introduce(name=values["display_name"], about=values["about"], links=values.get("links"))
        return Response(_profile(request, user))


class OnePerson(APIView):
    @extend_schema(responses=ProfileShape)
    def get(self, request: Request, name: str) -> Response:
        """Read somebody's profile."""
        person = _namespace(name).user
        if person is None:
            raise NotFound(_("Nobody here has this account name."))
        return Response(_profile(request, person))


class Followers(APIView):
    pagination_class = OldestFirst

    @extend_schema(parameters=PAGE, responses=paged(PersonShape))
    def get(self, request: Request, name: str) -> Response:
        """List who follows a person or an organization."""
        rows = Follow.objects.of_active().shown_to(request.user).filter(namespace=_namespace(name))
        rows = rows.select_related("follower")
        pages = OldestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(PersonShape([row.follower for row in page], many=True).data)


class Followed(APIView):
    needs_of_token: str | None = None
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(FollowedShape))
    def get(self, request: Request) -> Response:
        """List the people and organizations that you follow, the latest first."""
        rows = Follow.objects.filter(follower=_participant(request)).exclude(namespace__user__is_active=False)
        pages = NewestFirst()
        page = pages.paginate_queryset(rows.select_related("namespace"), request, view=self) or []
        return pages.get_paginated_response(FollowedShape(page, many=True).data)


class Following(APIView):
    needs_of_token: str | None = None  # asked below: it is the same that likes need

    @extend_schema(request=None, responses={204: None})
    def put(self, request: Request, name: str) -> Response:
        """Follow a person or an organization; a second time changes nothing."""
        Follow.begin(_namespace(name), by=_participant(request))
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Follow no longer."""
        Follow.end(_namespace(name), by=_participant(request))
        return Response(status=204)


class Organizations(APIView):
    needs_of_token: str | None = None
    pagination_class = OldestFirst

    @extend_schema(parameters=PAGE, responses=paged(OrganizationShape))
    def get(self, request: Request) -> Response:
        """List the organizations of this portal."""
        return _listed(self, request, Organization.objects.all(), OrganizationShape)

    @extend_schema(request=NewOrganizationInput, responses={201: OrganizationShape})
    @once
    def post(self, request: Request) -> Response:
        """Found an organization."""
        sent = NewOrganizationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(
            OrganizationShape(Organization.found(by=whole_person(request), **sent.validated_data)).data, status=201
        )


class OneOrganization(APIView):
    needs_of_token: str | None = None

    @extend_schema(responses=OrganizationShape)
    def get(self, request: Request, name: str) -> Response:
        """Read one organization."""
        return Response(OrganizationShape(organization_named(name)).data)

    @extend_schema(request=OrganizationChanges, responses=OrganizationShape)
    def patch(self, request: Request, name: str) -> Response:
        """Change what others read about it; for its admins."""
        found, user = organization_named(name), whole_person(request)
        sent = OrganizationChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        values = {"title": found.title, "about": found.about} | sent.validated_data
        found.introduce(by=user, **values)
        return Response(OrganizationShape(found).data)


class Members(APIView):
    pagination_class = OldestFirst

    @extend_schema(parameters=PAGE, responses=paged(MemberShape))
    def get(self, request: Request, name: str) -> Response:
        """List the members of an organization."""
        rows = (
            Membership.objects.visible_to(request.user)
            .filter(organization=organization_named(name))
            .select_related("user")
        )
        return _listed(self, request, rows, MemberShape)


class OneMember(APIView):
    needs_of_token: str | None = None

    @extend_schema(request=RoleInput, responses=MemberShape)
    def put(self, request: Request, name: str, person: str) -> Response:
        """Give a member another role; for admins of the organization."""
        found, user = organization_named(name), whole_person(request)
        sent = RoleInput(data=request.data)
        sent.is_valid(raise_exception=True)
        made = found.add(_member(found, person), role=sent.validated_data["role"], by=user)
        return Response(MemberShape(made).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str, person: str) -> Response:
        """Take a member out, or leave."""
        found = organization_named(name)
        found.remove(_member(found, person), by=whole_person(request))
        return Response(status=204)


def _profile(request: Request, person: User) -> Any:
    """Return somebody's profile with the organizations that let the caller see their members."""
    seen = Membership.objects.visible_to(request.user).filter(user=person)
    person.shown_organizations = Organization.objects.filter(memberships__in=seen)  # type: ignore[attr-defined]
    return ProfileShape(person).data


def _listed(view: Any, request: Request, rows: models.QuerySet[Any], shape: Any) -> Response:
    pages = OldestFirst()
    page = pages.paginate_queryset(rows, request, view=view) or []
    return pages.get_paginated_response(shape(page, many=True).data)


def whole_person(request: Request) -> User:
    """Return the caller; a limited token speaks for repositories and never for the account itself."""
    user = require_user(request)
    if reach_of(user) is not None:
        raise NotAllowed(_("This access token may not change accounts: use one with the role “write”."))
    return user


def _participant(request: Request) -> User:
    user = require_user(request)
    if not may_use(user, "discussions"):
        raise NotAllowed(_("This access token may not follow anybody."))
    return user


def _namespace(name: str) -> Namespace:
    spaces = Namespace.objects.select_related("user", "organization").exclude(user__is_active=False)
    found = spaces.known_as(name).first()
    if found is None or found.is_mirror:
        raise NotFound(_("Nobody here has this account name."))
    return found


def organization_named(name: str) -> Organization:
    found = _namespace(name).organization
    if found is None:
        raise NotFound(_("No organization here has this name."))
    return found


def _member(organization: Organization, name: str) -> User:
    found = organization.memberships.filter(user__in=User.objects.named(name)).select_related("user").first()
    if found is None:
        raise NotFound(_("Nobody of this name is a member of the organization."))
    return found.user
