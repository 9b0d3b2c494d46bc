"""What lists and search answer of the judged set, as it was and changed, to a stranger and to an owner."""

import json
from typing import Any

from django.contrib.auth.models import AnonymousUser

from benchmarks.search_quality import judging
from models_hub import listing
from models_hub.models import Repo
from models_hub.searching import indexing, naming, snapshots
from models_hub.searching.catalogue import catalogues
from portal.models import Asker

HARD = [
    "small", "sm", "s", "情感", "情", "模", "模型 small", "ＳＭＡＬＬ", "評論", "classifying reviews",
    "qzx small model",
    "a", "的", "7b", "é", "name:x", "sentiment -analysis", "'small':*", '"small"', "small & model | !x", "字" * 300,
]  # fmt: skip
FILTERS = [{}, {"language": "zh"}, {"language": "en", "task": "text-classification"}, {"updated": "week"}]
NAMES = ["small", "of-the", "us-o", "/w", "s", "-", "qzx", "a_b", "a%b", "'", "small model", "é"]
SORTS = ["updated", "likes", "score", "name", "smallest", "largest"]


def answers() -> dict[str, Any]:
    """Load the set and ask, change it and ask again, and ask as a process that has just started."""
    judging.load()
    owner = Repo.objects.order_by("pk").select_related("namespace__user").first().namespace.user
    first = _all(AnonymousUser())
    snapshots.make()
    _change(owner.namespace)
    found = {"first": first, "changed": _all(AnonymousUser()), "owner": _all(owner), "names": _named(owner)}
    catalogues.forget()
    return found | {"new": _all(AnonymousUser())}


def _change(namespace: Any) -> None:
    """Rename one, hide one, take one away, say something else of one, and add a private one."""
    named, hidden, gone, other = (
        Repo.objects.filter(kind=Repo.Kind.MODEL).order_by("pk").select_related("namespace")[:4]
    )
    named.name = named.lower = "walrus-of-the-north"
    named.save()
    indexing.note_name(named)
    hidden.private = True
    hidden.save()
    gone.delete()
    indexing.note(other, "A small seal 海豹 that says nothing of its past.")
    secret = Repo.objects.create(kind="model", namespace=namespace, name="secret", lower="secret", private=True)
    indexing.note(secret, "a small secret model 小模型")


def _named(owner: Asker) -> dict[str, list[str]]:
    rows = {words: naming.narrowed(Repo.objects.visible_to(owner), words) for words in NAMES}
    return {words: sorted(str(repo) for repo in found) for words, found in rows.items()}


def _all(user: Asker) -> dict[str, Any]:
    texts = [str(row[0]) for rows in judging._read("questions.yaml").values() for row in rows[:12]]
    asked = [{"search": text} for text in [*texts, *HARD, "walrus", "海豹", "secret"]]
    asked += [{"search": text, **chosen} for text in ("small model", "模型") for chosen in FILTERS]
    asked += [{"sort": sort, **chosen} for sort in SORTS for chosen in FILTERS]
    return {json.dumps(one, ensure_ascii=False): _page(one, user) for one in asked}


def _page(asked: dict[str, str], user: Asker) -> list[Any]:
    page = listing.page_of(listing.Query.read("model", asked), user=user, with_facets=True)
    facets = {facet.name: {value.value: value.count for value in facet.values} for facet in page.facets}
    return [[repo.full_name for repo in page.repos], page.count, page.is_loose, facets]
