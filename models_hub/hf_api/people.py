"""People and organizations: what they have published, who follows whom, who is in."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Count, Model, QuerySet, Sum
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import liking
from models_hub.hf_api.calls import Call
from models_hub.hf_api.shapes import page, paged, timestamp
from models_hub.models import Collection, Repo
from portal.errors import NotFound
from portal.models import Follow, Membership, Namespace, Organization, User

PAGE = 100
MAX_ORGANIZATIONS = 100

Row = TypeVar("Row", bound=Model)


def user_overview(call: Call, name: str) -> HttpResponseBase:
    namespace, user = _person(name)
    memberships = (
        Membership.objects.visible_to(call.user)
        .filter(user=user)
        .select_related("organization")
        .order_by("organization__name")
    )
    return JsonResponse(
        {
            "_id": f"{user.pk:024x}",
            **person_row(call, user),
            "details": user.about,
            "createdAt": timestamp(user.date_joined),
            "isFollowing": Follow.is_on(namespace, by=call.user),
            **_counts(call, namespace),
            "numLikes": liking.likes_of(user, seen_by=call.user).count(),
            "numFollowing": _followed(call, user).count(),
            "orgs": [_organization_row(call, one.organization) for one in memberships[:MAX_ORGANIZATIONS]],
        }
    )


def organization_overview(call: Call, name: str) -> HttpResponseBase:
    namespace, organization = _organization(name)
    return JsonResponse(
        {
            "_id": f"{organization.pk:024x}",
            **_organization_row(call, organization),
            "details": organization.about,
            "createdAt": timestamp(organization.created_at),
            "isVerified": False,
            "isFollowing": Follow.is_on(namespace, by=call.user),
            "numUsers": Membership.objects.visible_to(call.user).filter(organization=organization).count(),
            **_counts(call, namespace),
        }
    )


def user_followers(call: Call, name: str) -> HttpResponseBase:
    return _followers(call, _person(name)[0])


def organization_followers(call: Call, name: str) -> HttpResponseBase:
    return _followers(call, _organization(name)[0])


def user_following(call: Call, name: str) -> HttpResponseBase:
    """The people whom somebody follows."""
    rows = _followed(call, _person(name)[1])
    return _people(call, rows.select_related("namespace__user"), lambda row: row.namespace.user)


def organization_members(call: Call, name: str) -> HttpResponseBase:
    rows = Membership.objects.visible_to(call.user).filter(organization=_organization(name)[1])
    return _people(call, rows.select_related("user"), lambda row: row.user)


def follow(call: Call, name: str) -> HttpResponseBase:
    """Follow a person or an organization."""
    Follow.begin(_namespace(name), by=call.actor("discussions"))
    return JsonResponse({})


def unfollow(call: Call, name: str) -> HttpResponseBase:
    Follow.end(_namespace(name), by=call.actor("discussions"))
    return JsonResponse({})


def avatar(call: Call, name: str) -> str:
    """Return the address of somebody's picture."""
    return f"{call.origin}/avatars/{name}"


def person_row(call: Call, user: User) -> dict[str, Any]:
    """Return a person as lists of people show one."""
    return {
        "user": user.username,
        "fullname": user.display_name,
        "avatarUrl": avatar(call, user.username),
        "isPro": False,
        "type": "user",
    }


def _followed(call: Call, person: User) -> QuerySet[Follow]:
    return Follow.objects.shown_to(call.user).filter(follower=person, namespace__user__is_active=True)


def _followers(call: Call, namespace: Namespace) -> HttpResponseBase:
    rows = Follow.objects.of_active().shown_to(call.user).filter(namespace=namespace).select_related("follower")
    return _people(call, rows, lambda row: row.follower)


def _people(call: Call, rows: QuerySet[Row], person: Callable[[Row], User | None]) -> HttpResponseBase:
    found, cursor = paged(call, rows, PAGE)
    people = [person(row) for row in found]
    return page(call, [person_row(call, one) for one in people if one is not None], cursor=cursor)


def _organization_row(call: Call, organization: Organization) -> dict[str, Any]:
    return {
        "name": organization.name,
        "fullname": organization.display_name,
        "avatarUrl": avatar(call, organization.name),
        "type": "org",
    }


def _counts(call: Call, namespace: Namespace) -> dict[str, int]:
    """Count what the caller may see, so that the numbers tell nothing of the rest."""
    visible = Repo.objects.visible_to(call.user).filter(namespace=namespace)
    kinds = dict(visible.order_by().values_list("kind").annotate(Count("pk")))
    shown = Collection.objects.visible_to(call.user).filter(namespace=namespace)
    return {
        "numModels": kinds.get("model", 0),
        "numDatasets": kinds.get("dataset", 0),
        "numSpaces": kinds.get("space", 0),
        "numPapers": 0,
        "numUpvotes": shown.aggregate(total=Sum("upvotes"))["total"] or 0,
        "numFollowers": Follow.objects.of_active().filter(namespace=namespace).count(),
    }


def _namespace(name: str) -> Namespace:
    spaces = Namespace.objects.select_related("user", "organization").exclude(user__is_active=False)
    found = spaces.known_as(name).first()
    if found is None:
        raise NotFound(_("Nobody here has this account name."))
    return found


def _person(name: str) -> tuple[Namespace, User]:
    namespace = _namespace(name)
    if namespace.user is None:
        raise NotFound(_("Nobody here has this account name."))
    return namespace, namespace.user


def _organization(name: str) -> tuple[Namespace, Organization]:
    namespace = _namespace(name)
    if namespace.organization is None:
        raise NotFound(_("No organization here has this name."))
    return namespace, namespace.organization
