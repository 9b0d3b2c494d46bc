"""Collections change: made, described, filled, put in order, liked."""

import re
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.checking import is_text
from models_hub.models import Collection, CollectionItem, CollectionUpvote, Repo
from models_hub.models.collections import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE, THEMES
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, Namespace, User
from portal.permissions import WRITERS, role_in
from portal.reach import Level, reach_of, reaches

MAX_ITEMS = 500
_NUMBER = re.compile(r"(?:^|-)([0-9a-f]{24})$")


class CollectionNotFound(NotFound):
    """No collection has this address, or the asker may not know that one has."""

    code = "collection_not_found"


class ItemNotFound(NotFound):
    """The collection holds no such item."""

    code = "item_not_found"


def visible(user: Asker, slug: str) -> Collection:
    """Return the collection at `owner/title-24hexdigits`, whatever its title was; raises CollectionNotFound."""
    number = _NUMBER.search(slug)
    pk = int(number[1], 16) if number else 0
    owner = slug.partition("/")[0].lower()
    found = None
    if 0 < pk < 2**63 and is_text(owner):
        rows = Collection.objects.visible_to(user).select_related("namespace")
        found = rows.filter(pk=pk, namespace__lower=owner).first()
    if found is None:
        raise CollectionNotFound(_("Collection not found"))
    return found


def may_change(user: Asker, owner: Namespace) -> bool:
    """Writers of the owner change its collections; a limited token needs the owner, or the permission."""
    reach = reach_of(user)
    given = reach is not None and "collections" in reach.account
    return (given or reaches(user, Level.WRITE, namespace_id=owner.pk)) and role_in(user, owner) in WRITERS


def create(
    *,
    by: User,
    namespace: str,
    title: str,
    description: str = "",
    private: bool = False,
    first: Repo | Collection | None = None,
) -> Collection:
    """Create a collection, with `first` in it if given.

    Raises Conflict, which names the slug, when the owner has a collection with this title.
    """
    owner = Namespace.objects.named(namespace).first()
    if owner is None or not may_change(by, owner):
        raise NotAllowed(_("You may not create collections for “%(name)s”.") % {"name": namespace[:100]})
    values = _checked(title=title, description=description, private=private)
    same = Collection.objects.filter(namespace=owner, title__iexact=values["title"]).select_related("namespace").first()
    if same:
        raise Conflict(
            _("You have a collection with this title already."), code="collection_exists", data={"slug": same.slug}
        )
    with transaction.atomic():
        last = Collection.objects.filter(namespace=owner).aggregate(last=Max("position"))["last"]
        made = Collection.objects.create(
            namespace=owner, created_by=by, position=0 if last is None else last + 1, **values
        )
        Event.record("collection.created", subject=f"collection:{made.pk}", by=by, title=made.title)
        if first is not None:
            add(made, by=by, target=first)
    return made


def change(collection: Collection, *, by: User, **changes: Any) -> Collection:
    """Change title, description, theme, private or position; what is not named stays."""
    _require(collection, by)
    position = changes.pop("position", None)
    values = _checked(**changes)
    with transaction.atomic():
        for name, value in values.items():
            setattr(collection, name, value)
        collection.save(update_fields=[*values, "updated_at"])
        if position is not None:
            _put(collection, Collection.objects.filter(namespace=collection.namespace), position)
        Event.record("collection.changed", subject=f"collection:{collection.pk}", by=by)
    return collection


def delete(collection: Collection, *, by: User) -> None:
    """Delete a collection; what is in it stays where it is."""
    _require(collection, by)
    with transaction.atomic():
        Event.record("collection.deleted", subject=f"collection:{collection.pk}", by=by, title=collection.title)
        collection.delete()


def find_target(user: Asker, *, kind: str, name: str) -> Repo | Collection:
    """Return what an item is to hold, as far as `user` may see it; raises NotFound."""
    if kind == "collection":
        return visible(user, name)
    if kind not in Repo.Kind.values:
        raise NotFound(_("This portal has no items of the type “%(type)s”.") % {"type": kind[:40]})
    owner, _slash, short = name.removeprefix(f"{kind}s/").partition("/")
    return browsing.visible_repo(user, kind=kind, namespace=owner, name=short)


def add(collection: Collection, *, by: User, target: Repo | Collection, note: str = "") -> CollectionItem:
    """Put something at the end of a collection; raises Conflict when it is in already."""
    _require(collection, by)
    values = _checked(note=note)
    if isinstance(target, Collection) and target.pk == collection.pk:
        raise InvalidInput(_("A collection cannot hold itself."))
    held = {"repo": target} if isinstance(target, Repo) else {"linked": target}
    try:
        with transaction.atomic():
            _lock(collection)
            if collection.items.count() >= MAX_ITEMS:
                raise InvalidInput(_("A collection holds at most %(max)d items.") % {"max": MAX_ITEMS})
            last = collection.items.aggregate(last=Max("position"))["last"]
            item = collection.items.create(position=0 if last is None else last + 1, **held, **values)
            _note(collection, by, "collection.item_added", item)
    except IntegrityError as error:
        raise Conflict(_("This is in the collection already."), code="item_exists") from error
    return item


def change_item(item: CollectionItem, *, by: User, note: str | None = None, position: int | None = None) -> None:
    """Change an item's note, or its place."""
    collection = item.collection
    _require(collection, by)
    with transaction.atomic():
        _lock(collection)
        if note is not None:
            item.note = _checked(note=note)["note"]
            item.save(update_fields=["note"])
        if position is not None:
            _put(item, collection.items.all(), position)
        _note(collection, by, "collection.item_changed", item)


def move(item: CollectionItem, *, by: User, step: int) -> None:
    """Move an item up (-1) or down (1); deleted repositories leave gaps between positions, so places are counted."""
    before = item.collection.items.filter(Q(position__lt=item.position) | Q(position=item.position, pk__lt=item.pk))
    change_item(item, by=by, position=max(before.count() + step, 0))


def remove(item: CollectionItem, *, by: User) -> None:
    """Take something out of a collection."""
    collection = item.collection
    _require(collection, by)
    with transaction.atomic():
        _note(collection, by, "collection.item_removed", item)
        item.delete()


def find_item(collection: Collection, user: Asker, item_id: str) -> CollectionItem:
    """Return an item by its id on the wire; raises ItemNotFound."""
    pk = int(item_id, 16) if re.fullmatch(r"[0-9a-f]{24}", item_id) else 0
    rows = CollectionItem.objects.visible_to(user).select_related("collection__namespace")
    item = rows.filter(collection=collection, pk=pk).first() if 0 < pk < 2**63 else None
    if item is None:
        raise ItemNotFound(_("The collection holds no such item."))
    return item


def upvote(collection: Collection, *, by: User, up: bool) -> None:
    """Like a collection, or like it no longer; a second call changes nothing."""
    with transaction.atomic():
        if up:
            _vote, changed = CollectionUpvote.objects.get_or_create(collection=collection, user=by)
        else:
            changed = bool(CollectionUpvote.objects.filter(collection=collection, user=by).delete()[0])
        if changed:
            step = 1 if up else -1
            Collection.objects.filter(pk=collection.pk).update(upvotes=F("upvotes") + step)
            kind = "collection.upvoted" if up else "collection.upvote_withdrawn"
            Event.record(kind, subject=f"collection:{collection.pk}", by=by)


def _require(collection: Collection, by: User) -> None:
    if not may_change(by, collection.namespace):
        raise NotAllowed(_("You may see this collection but not change it."))


def _lock(collection: Collection) -> None:
    """Two who fill one collection at the same moment take turns, or two items would have one place."""
    Collection.objects.select_for_update().get(pk=collection.pk)


def _note(collection: Collection, by: User, kind: str, item: CollectionItem) -> None:
    collection.save(update_fields=["updated_at"])
    Event.record(kind, subject=f"collection:{collection.pk}", by=by, item=item.pk)


def _put(row: Any, rows: Any, position: int) -> None:
    """Put `row` at `position` among `rows`, counted from 0, and number them anew."""
    ordered = [one for one in rows.order_by("position", "id") if one.pk != row.pk]
    ordered.insert(min(max(position, 0), len(ordered)), row)
    for place, one in enumerate(ordered):
        one.position = place
    rows.model.objects.bulk_update(ordered, ["position"])


def _checked(**values: Any) -> dict[str, Any]:
    """Return what was given when it is what each field may hold."""
    limits = {"title": MAX_TITLE, "description": MAX_DESCRIPTION, "note": MAX_NOTE}
    for name in limits.keys() & values.keys():
        text = values[name]
        if not isinstance(text, str) or not is_text(text) or len(text.strip()) > limits[name]:
            raise InvalidInput(
                _("“%(field)s” may have at most %(max)d characters.") % {"field": name, "max": limits[name]}
            )
        values[name] = text.strip()
    if "title" in values and not values["title"]:
        raise InvalidInput(_("Give the collection a title."))
    if values.get("theme", THEMES[0]) not in THEMES:
        raise InvalidInput(_("“theme” must be one of: %(names)s.") % {"names": ", ".join(THEMES)})
    if not isinstance(values.get("private", False), bool):
        raise InvalidInput(_("“private” must be true or false."))
    return values
