"""Collections: looked at, made, filled, put in order."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_hub import curating
from models_hub.collection_forms import CollectionForm, ItemForm, NewCollectionForm, NoteForm
from models_hub.forms import writable_namespaces
from models_hub.models import Collection, CollectionItem, CollectionUpvote, Repo
from models_hub.views.pages import repo_page
from portal.authentication import require_user
from portal.errors import Conflict, DomainError, NotAllowed, status_of
from portal.models import User

PAGE = 30
IN_FRAGMENT = 12
SHOWN_ITEMS = 4
CHOICES = 100  # of one's collections, offered on a repository's page


@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Collections of everybody, lately changed first."""
    found = Collection.objects.visible_to(request.user)
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < 19:
        found = found.filter(pk__lt=int(after))
    rows = list(found.with_items(request.user, most=SHOWN_ITEMS).order_by("-id")[: PAGE + 1])
    context = {"collections": rows[:PAGE], "next": rows[PAGE - 1].pk if len(rows) > PAGE else None}
    return render(request, "models_hub/collections/list.html", context)


@never_cache
@require_safe
def of_owner(request: HttpRequest) -> HttpResponse:
    """The collections of one person or organization, for the profile page."""
    owner = request.GET.get("owner", "")
    found = Collection.objects.visible_to(request.user).owned_by(owner).listed()
    rows = found.with_items(request.user, most=SHOWN_ITEMS)[:IN_FRAGMENT]
    return render(request, "models_hub/collections/_of_owner.html", {"collections": rows, "owner": owner})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a collection."""
    user = require_user(request)
    names = writable_namespaces(user)
    initial = {"namespace": request.GET.get("owner", user.username)}
    form = NewCollectionForm(request.POST if request.method == "POST" else None, namespaces=names, initial=initial)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            return redirect(curating.create(by=user, **form.cleaned_data).path)
        except DomainError as error:
            form.add_error("title", error.message)
            status = status_of(error)
    return render(request, "models_hub/collections/new.html", {"form": form}, status=status)


@never_cache
@require_safe
def show(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """A collection with its items; an old title leads to the new one."""
    collection = _load(request, owner, slug)
    if collection.slug != f"{owner}/{slug}":
        return redirect(collection.path)
    return _page(request, collection)


@require_POST
def change(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Change title, description and who may see it."""
    user, collection = require_user(request), _load(request, owner, slug)
    form = CollectionForm(request.POST)
    if not form.is_valid():
        return _page(request, collection, form=form, status=400)
    changed = curating.change(collection, by=user, **form.cleaned_data)
    messages.success(request, _("The collection is saved."))
    return redirect(changed.path)


@require_POST
def deletion(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    user, collection = require_user(request), _load(request, owner, slug)
    curating.delete(collection, by=user)
    messages.success(request, _("%(name)s is deleted.") % {"name": collection.title})
    return redirect("profile", name=collection.namespace.name)


@require_POST
def addition(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Put something in, by its name."""
    user, collection = require_user(request), _load(request, owner, slug)
    form = ItemForm(request.POST)
    status = 400
    if form.is_valid():
        kind, name = form.cleaned_data["name"]
        try:
            target = curating.find_target(user, kind=kind, name=name)
            curating.add(collection, by=user, target=target, note=form.cleaned_data["note"])
            return redirect(collection.path)
        except NotAllowed:
            raise
        except DomainError as error:
            form.add_error("name", error.message)
            status = status_of(error)
    return _page(request, collection, item_form=form, status=status)


@require_POST
def item(request: HttpRequest, owner: str, slug: str, item_id: str) -> HttpResponse:
    """Change an item's note, or move it one place up or down."""
    user, row = require_user(request), _item(request, owner, slug, item_id)
    step = {"up": -1, "down": 1}.get(request.POST.get("move", ""))
    if step is not None:
        curating.move(row, by=user, step=step)
    elif (form := NoteForm(request.POST)).is_valid():
        curating.change_item(row, by=user, note=form.cleaned_data["note"])
    return redirect(row.collection.path)


@require_POST
def removal(request: HttpRequest, owner: str, slug: str, item_id: str) -> HttpResponse:
    user, row = require_user(request), _item(request, owner, slug, item_id)
    curating.remove(row, by=user)
    return redirect(row.collection.path)


@require_POST
def vote(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Like a collection, or like it no longer."""
    user, collection = require_user(request), _load(request, owner, slug)
    curating.upvote(collection, by=user, up=request.POST.get("up") == "1")
    return redirect(collection.path)


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def of_repo(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Choose one of one's collections for a repository."""
    user = require_user(request)
    if request.method == "POST":
        collection = curating.visible(user, request.POST.get("collection", ""))
        try:
            curating.add(collection, by=user, target=repo)
            messages.success(request, _("%(name)s is in the collection now.") % {"name": repo.full_name})
        except Conflict as error:
            messages.error(request, error.message)
        return redirect(collection.path)
    names = writable_namespaces(user)
    mine = Collection.objects.visible_to(user).filter(namespace__name__in=names).select_related("namespace")
    held = set(CollectionItem.objects.filter(repo=repo, collection__in=mine).values_list("collection_id", flat=True))
    context = {"repo": repo, "collections": [(one, one.pk in held) for one in mine.listed()[:CHOICES]]}
    return render(request, "models_hub/collections/choose.html", context)


def _load(request: HttpRequest, owner: str, slug: str) -> Collection:
    return curating.visible(request.user, f"{owner}/{slug}")


def _item(request: HttpRequest, owner: str, slug: str, item_id: str) -> CollectionItem:
    return curating.find_item(_load(request, owner, slug), request.user, item_id)


def _page(request: HttpRequest, collection: Collection, *, status: int = 200, **forms: Any) -> HttpResponse:
    row = Collection.objects.with_items(request.user).get(pk=collection.pk)
    may_change = curating.may_change(request.user, row.namespace)
    values = {"title": row.title, "description": row.description, "private": row.private}
    voted = isinstance(request.user, User) and CollectionUpvote.objects.filter(collection=row, user=request.user)
    context = {
        "collection": row,
        "may_change": may_change,
        "has_voted": bool(voted and voted.exists()),
        "form": CollectionForm(initial=values) if may_change else None,
        "item_form": ItemForm() if may_change else None,
        **forms,
    }
    return render(request, "models_hub/collections/collection.html", context, status=status)
