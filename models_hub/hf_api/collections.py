"""Collections on the wire."""

from typing import Any

from django.db.models import Q
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import curating
from models_hub.hf_api.calls import Call, text
from models_hub.hf_api.people import avatar
from models_hub.hf_api.shapes import page, read_cursor, timestamp
from models_hub.models import Collection, CollectionItem, CollectionUpvote
from portal.errors import InvalidInput, NotFound
from portal.models import User

PAGE = 100
ITEMS_IN_LISTS = 4  # as many as a list of collections shows of each
SORTS = {"lastModified": "updated_at", "upvotes": "upvotes", "trending": "upvotes"}


def listed(call: Call) -> HttpResponseBase:
    """Collections by owner or by what they hold, newest or most liked first. Rows bear no position."""
    query = call.request.GET
    column = SORTS.get(query.get("sort") or "lastModified")
    if column is None:
        raise InvalidInput(_("“sort” must be one of: %(names)s.") % {"names": ", ".join(SORTS)})
    found = Collection.objects.visible_to(call.user)
    if owner := query.get("owner"):
        found = found.owned_by(owner)
    for name in query.getlist("item")[:4]:
        found = _holding(call, found, name)
    size = call.number("limit", PAGE, PAGE)
    start = _start(read_cursor(call))
    rows = list(
        found.with_items(call.user, most=ITEMS_IN_LISTS).order_by(f"-{column}", "-id")[start : start + size + 1]
    )
    shown = [_row(call, row) for row in rows[:size]]
    return page(call, shown, cursor=[start + size] if len(rows) > size else None)


def create(call: Call) -> HttpResponseBase:
    user, body = call.writer(), call.json()
    item = body.get("item")
    first = _target(call, item) if item is not None else None
    made = curating.create(
        by=user,
        namespace=text(body.get("namespace"), "namespace", default=user.username),
        title=text(body.get("title"), "title"),
        description=text(body.get("description"), "description", default=""),
        private=_flag(body.get("private", False)),
        first=first,
    )
    return _one(call, made)


def show(call: Call, owner: str, slug: str) -> HttpResponseBase:
    return _one(call, _load(call, owner, slug))


def change(call: Call, owner: str, slug: str) -> HttpResponseBase:
    user, collection, body = call.writer(), _load(call, owner, slug), call.json()
    changes = {name: body[name] for name in ("title", "description", "theme", "private") if body.get(name) is not None}
    if body.get("position") is not None:
        changes["position"] = _number(body["position"])
    changed = curating.change(collection, by=user, **changes)
    return JsonResponse({"success": True, "data": _shown(call, changed)})


def delete(call: Call, owner: str, slug: str) -> HttpResponseBase:
    user = call.writer()
    curating.delete(_load(call, owner, slug), by=user)
    return JsonResponse({"success": True})


def set_group(call: Call, owner: str, slug: str) -> HttpResponseBase:
    """Resource groups belong to the Hub's enterprise plans; none exist here to be put into."""
    _user, _collection = call.writer(), _load(call, owner, slug)
    if call.json().get("resourceGroupId") is not None:
        raise NotFound(_("This portal has no resource groups."))
    return JsonResponse({"success": True})


def add_item(call: Call, owner: str, slug: str) -> HttpResponseBase:
    user, collection, body = call.writer(), _load(call, owner, slug), call.json()
    note = text(body.get("note"), "note", default="")
    curating.add(collection, by=user, target=_target(call, body.get("item")), note=note)
    return _one(call, collection)


def change_item(call: Call, owner: str, slug: str, item: str) -> HttpResponseBase:
    user, collection, body = call.writer(), _load(call, owner, slug), call.json()
    row = curating.find_item(collection, call.user, item)
    note = body.get("note")
    position = body.get("position")
    curating.change_item(
        row,
        by=user,
        note=None if note is None else text(note, "note"),
        position=None if position is None else _number(position),
    )
    return JsonResponse({"success": True, "data": _item(call, row)})


def remove_item(call: Call, owner: str, slug: str, item: str) -> HttpResponseBase:
    user, collection = call.writer(), _load(call, owner, slug)
    curating.remove(curating.find_item(collection, call.user, item), by=user)
    return JsonResponse({"success": True})


def upvote(call: Call, owner: str, slug: str) -> HttpResponseBase:
    curating.upvote(_load(call, owner, slug), by=call.actor("collections"), up=True)
    return JsonResponse({"success": True})


def withdraw(call: Call, owner: str, slug: str) -> HttpResponseBase:
    curating.upvote(_load(call, owner, slug), by=call.actor("collections"), up=False)
    return JsonResponse({"success": True})


def _load(call: Call, owner: str, slug: str) -> Collection:
    return curating.visible(call.user, f"{owner}/{slug}")


def _one(call: Call, collection: Collection) -> HttpResponseBase:
    return JsonResponse(_shown(call, collection))


def _shown(call: Call, collection: Collection) -> dict[str, Any]:
    """Return a collection as single replies show it: with its position, which lists must leave out."""
    row = Collection.objects.with_items(call.user).get(pk=collection.pk)
    mine = isinstance(call.user, User) and CollectionUpvote.objects.filter(collection=row, user=call.user).exists()
    return _row(call, row) | {"position": row.position, "isUpvotedByUser": mine}


def _row(call: Call, row: Collection) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "slug": row.slug,
        "title": row.title,
        "owner": row.namespace.name,
        "lastUpdated": timestamp(row.updated_at),
        "gating": False,
        "private": row.private,
        "theme": row.theme,
        "upvotes": row.upvotes,
        "url": f"{call.origin}{row.path}",
        "items": [_item(call, item) for item in vars(row)["shown_items"]],
        "numberItems": vars(row)["shown_count"],
    }
    return shown | ({"description": row.description} if row.description else {})


def _item(call: Call, item: CollectionItem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "_id": item.wire_id,
        "id": item.label,
        "type": item.type,
        "position": item.position,
    }
    if item.repo:
        shown |= {
            "author": item.repo.namespace.name,
            "private": item.repo.private,
            "likes": item.repo.likes,
            "downloads": item.repo.downloads,
            "lastModified": timestamp(item.repo.updated_at),
            "repoType": item.repo.kind,
        }
    elif item.linked:
        owner = item.linked.namespace.name
        shown |= {"id": f"{item.linked.pk:024x}", "slug": item.linked.slug, "title": item.linked.title}
        shown |= {"owner": {"name": owner, "avatarUrl": avatar(call, owner)}}
    return shown | ({"note": {"text": item.note, "html": ""}} if item.note else {})


def _target(call: Call, item: Any) -> Any:
    if not isinstance(item, dict):
        raise InvalidInput(_("“item” must be an object with “type” and “id”."))
    return curating.find_target(call.user, kind=text(item.get("type"), "type"), name=text(item.get("id"), "id"))


def _holding(call: Call, found: Any, name: str) -> Any:
    """Narrow to collections that hold `models/alice/bert` or `collections/alice/…`."""
    kinds, _slash, rest = name.partition("/")
    if kinds not in {"models", "datasets", "spaces", "collections"}:
        raise InvalidInput(_("“item” must look like models/owner/name."))
    try:
        target = curating.find_target(call.user, kind=kinds.removesuffix("s"), name=rest)
    except NotFound:
        return found.none()
    held = Q(linked=target) if isinstance(target, Collection) else Q(repo=target)
    return found.filter(pk__in=CollectionItem.objects.filter(held).values("collection_id"))


def _start(cursor: list[Any] | None) -> int:
    return cursor[0] if cursor and isinstance(cursor[0], int) and 0 <= cursor[0] < 10**6 else 0


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(_("“private” must be true or false."))
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(_("“position” must be a whole number."))
    return value
