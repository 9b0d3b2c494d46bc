"""What rows of the hub prove of people: published models and data sets, who builds on them, merged changes.

Only what anybody may see counts, and nothing that moderation keeps off lists. Of repositories with the same weights
only the one that had them first counts (Q8); downloaders count once, without those close to the author (Q2, Q7).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db.models import F, Min, Q
from django.utils import timezone

from models_hub import card_reviewing, comparing, downloading, former_names, licences
from models_hub.describing import RELATIONS
from models_hub.models import (
    ZERO_OID,
    Commit,
    Downloader,
    Label,
    Like,
    PullRequest,
    Repo,
    RepoQuerySet,
    Restriction,
)  # fmt: skip
from portal import evidence, trust
from portal.errors import DomainError
from portal.evidence import Fact
from portal.models import Event, Track, TrustLevel

PUBLIC_DAYS = timedelta(days=30)
ADOPTED_DAYS = 90
DONE_SHARE = 0.8
USERS_OF_DATA = 3
PICKLED = frozenset({"pytorch"})
KEPT_PATHS = 30 * 86400
_DOCUMENT = re.compile(r"\.(md|mdx|rst|txt)$", re.IGNORECASE)
_OF_A_LANGUAGE = re.compile(r"(?:[._/-]|^)(?:zh|cn|en)(?:[-_](?:cn|hans|hant|tw|us|gb))?(?:\.|/)", re.IGNORECASE)


def register() -> None:
    for kind, source in {
        "repo.released": released,
        "repo.liked": liked,
        "pull.merged": merged,
        "model-author": authored,
        "complete-card": complete_cards,
        "adopted": adopted,
        "lineage": bases,
        "honest-finetuner": finetuned,
        "data-steward": stewarded,
        "doc-writer": documents,
        "bridge": translations,
    }.items():
        evidence.provide(kind, source)


def owner_of(repo: Repo) -> int | None:
    """Return who is credited: the person it belongs to, or who made it for an organization."""
    return repo.namespace.user_id or (repo.created_by_id if repo.namespace.organization_id else None)


def public_of(people: Collection[int], kind: str | None = None) -> RepoQuerySet:
    """Return what anybody may see of these people's repositories, with content and in good standing."""
    owned = Q(namespace__user__in=people) | Q(namespace__organization__isnull=False, created_by__in=people)
    found = standing(Repo.objects.filter(owned)).select_related("namespace")
    return found.filter(kind=kind) if kind else found


def standing(repos: RepoQuerySet) -> RepoQuerySet:
    restricted = Restriction.objects.filter(level__gte=Restriction.Level.UNRANK).values("repo")
    return repos.filter(private=False, deleted_at__isnull=True).exclude(head=ZERO_OID).exclude(pk__in=restricted)


def fact_of(repo: Repo, at: datetime, *, amount: int = 1) -> Fact:
    owner = owner_of(repo)
    assert owner is not None
    return Fact(owner, f"repo:{repo.pk}", at, amount=amount, is_solo=repo.namespace.user_id is not None)


def weights_of(repos: Iterable[Repo]) -> dict[int, str]:
    """Return the digest of the present weights of each repository that has some."""
    rows = Commit.objects.filter(repo__in=list(repos), oid=F("repo__head")).exclude(weights_digest="")
    return dict(rows.values_list("repo_id", "weights_digest"))


def first_with(digests: Collection[str]) -> dict[str, int]:
    """Q8: return which public repository had each of these weights first."""
    rows = Commit.objects.filter(weights_digest__in=digests, repo__private=False, repo__deleted_at__isnull=True)
    first = rows.order_by().values("weights_digest").annotate(first=Min("id")).values("first")
    return dict(Commit.objects.filter(pk__in=first).values_list("weights_digest", "repo_id"))


def with_own_weights(repos: Collection[Repo]) -> list[Repo]:
    """Q8: return the models that had their weights first."""
    digests = weights_of(repos)
    first = first_with(set(digests.values()))
    return [repo for repo in repos if repo.pk in digests and first.get(digests[repo.pk]) == repo.pk]


def public_since(repos: Iterable[Repo]) -> dict[int, datetime]:
    """Return since when each repository has been public."""
    found = {repo.pk: repo.created_at for repo in repos}
    shown = Event.objects.filter(kind="repo.visibility_changed", subject__in=[f"repo:{pk}" for pk in found])
    for subject, at, facts in shown.order_by("id").values_list("subject", "created_at", "payload"):
        if facts.get("private") is False:
            found[int(subject.removeprefix("repo:"))] = at
    return found


def has_licence(repo: Repo) -> bool:
    return repo.license.strip().lower() in licences.LICENCES


def released(people: Collection[int]) -> Iterator[Fact]:
    """Yield public repositories with content."""
    repos = [repo for repo in public_of(people) if owner_of(repo) in people]
    since = public_since(repos)
    yield from (fact_of(repo, since[repo.pk]) for repo in repos)


def liked(people: Collection[int]) -> Iterator[Fact]:
    """Yield likes of public repositories, each by who gave it."""
    for like in Like.objects.filter(repo__in=public_of(people)).select_related("repo__namespace"):
        owner = owner_of(like.repo)
        if owner is not None and owner != like.user_id:
            track = Track.DATA if like.repo.kind == Repo.Kind.DATASET else Track.MODELS
            yield Fact(owner, f"repo:{like.repo_id}", like.created_at, like.user_id, track=track)


def authored(people: Collection[int]) -> Iterator[Fact]:
    """Yield public models that have all that an author can give: see the badge."""
    candidates = [
        repo
        for repo in public_of(people, Repo.Kind.MODEL)
        if has_licence(repo) and repo.formats and not PICKLED & set(repo.formats) and repo.has_card
    ]
    since = public_since(candidates)
    old = [repo for repo in candidates if timezone.now() - since[repo.pk] >= PUBLIC_DAYS]
    own = with_own_weights(old)
    reviews = card_reviewing.reviews_of(own)
    for repo in own:
        review = reviews[repo.pk]
        if review.steps and review.steps_done >= DONE_SHARE * review.steps:
            yield fact_of(repo, since[repo.pk] + PUBLIC_DAYS)


def complete_cards(people: Collection[int]) -> Iterator[Fact]:
    """Yield public repositories whose card lacks nothing."""
    repos = [repo for repo in public_of(people).exclude(kind=Repo.Kind.SPACE) if repo.has_card and repo.license]
    since, reviews = public_since(repos), card_reviewing.reviews_of(repos)
    for repo in repos:
        review = reviews[repo.pk]
        if review.steps_done == review.steps and {"limits", "data", "zh", "en"} <= set(review.found):
            yield fact_of(repo, since[repo.pk])


def adopted(people: Collection[int]) -> Iterator[Fact]:
    """Yield models with how many different ones downloaded them."""
    first = timezone.now().date() - timedelta(days=ADOPTED_DAYS)
    models = {repo.pk: repo for repo in public_of(people, Repo.Kind.MODEL) if repo.downloads_all_time}
    callers: dict[int, set[str]] = defaultdict(set)
    rows = Downloader.objects.filter(repo__in=models, window__gt=_window_before(first))
    for repo_id, caller in rows.values_list("repo_id", "caller").iterator():
        callers[repo_id].add(caller)
    near: dict[int, set[int]] = {}
    for pk, found in callers.items():
        owner = owner_of(models[pk])
        if owner is not None:
            near.setdefault(owner, evidence.close_to(owner))
            others = found - {downloading.downloader(pk, f"user:{one}") for one in near[owner]}
            if others:
                yield fact_of(models[pk], models[pk].created_at, amount=len(others))


def bases(people: Collection[int]) -> Iterator[Fact]:
    """Yield models with how many other authors built public ones upon them."""
    for base, children in _children(people).items():
        authors = {owner_of(child) for child in children}
        if authors:
            yield fact_of(base, min(child.created_at for child in children), amount=len(authors))


def finetuned(people: Collection[int]) -> Iterator[Fact]:
    """Yield fine-tuned models that say how they were made."""
    made = Label.objects.filter(Q(text__startswith="base_model:finetune:") | Q(text__startswith="base_model:adapter:"))
    models = [
        repo
        for repo in public_of(people, Repo.Kind.MODEL).filter(pk__in=made.values("repo"))
        if repo.card.get("datasets") and repo.has_card
    ]
    own = with_own_weights(models)
    since, reviews = public_since(own), card_reviewing.reviews_of(own)
    for repo in own:
        if {"rate", "batch", "length", "seed", "loss"} <= set(reviews[repo.pk].found):
            yield fact_of(repo, since[repo.pk])


def stewarded(people: Collection[int]) -> Iterator[Fact]:
    """Yield data sets that are well kept and that models of several others name."""
    datasets = [repo for repo in public_of(people, Repo.Kind.DATASET) if has_licence(repo) and repo.has_card]
    if not datasets:
        return
    reviews = card_reviewing.reviews_of(datasets)
    kept = [repo for repo in datasets if {"privacy", "duplicates"} <= set(reviews[repo.pk].found)]
    names = former_names.names_of(kept) if kept else {}
    users = _labelled({f"dataset:{name}": repo for name, repo in names.items()})
    for dataset, models in users.items():
        if len({owner_of(model) for model in models}) >= USERS_OF_DATA:
            yield fact_of(dataset, dataset.created_at)


def merged(people: Collection[int]) -> Iterator[Fact]:
    """Yield changes that somebody else merged into a repository of theirs."""
    yield from (fact for _pull, fact in _merged(people))


def documents(people: Collection[int]) -> Iterator[Fact]:
    """Yield merged changes to documents alone."""
    found = [fact for pull, fact in _merged(people) if (paths := _paths(pull)) and all(map(_DOCUMENT.search, paths))]
    yield from evidence.apart(found)


def translations(people: Collection[int]) -> Iterator[Fact]:
    """Yield merged changes to the document of a language, merged by somebody of level 3."""
    found = [
        fact
        for pull, fact in _merged(people)
        if any(_DOCUMENT.search(path) and _OF_A_LANGUAGE.search(path) for path in _paths(pull))
    ]
    levels = trust.levels_of({fact.giver for fact in found if fact.giver}) if found else {}
    able = [fact for fact in found if levels.get(fact.giver or 0, 0) >= TrustLevel.REGULAR]
    yield from evidence.apart(able)


def _merged(people: Collection[int]) -> list[tuple[PullRequest, Fact]]:
    pulls = PullRequest.objects.filter(
        author__in=people,
        status=PullRequest.Status.MERGED,
        merged_by__isnull=False,
        repo__in=standing(Repo.objects.all()),
    ).exclude(merged_by=F("author"))
    found = []
    for pull in pulls.select_related("repo__namespace").order_by("id"):
        if owner_of(pull.repo) == pull.author_id or pull.author_id is None:
            continue
        track = Track.DATA if pull.repo.kind == Repo.Kind.DATASET else Track.MODELS
        key = f"pull:{pull.pk}"
        found.append((pull, Fact(pull.author_id, key, pull.updated_at, pull.merged_by_id, track=track)))
    return found


def _paths(pull: PullRequest) -> list[str]:
    """Return the files that a merged change touched; what is merged stays as it is, so it is looked at once."""
    key = f"pull-paths:{pull.pk}"
    known: list[str] | None = cache.get(key)
    if known is None:
        commits = Commit.objects.filter(repo=pull.repo_id, oid__in=(pull.merged_onto, pull.merge_commit))
        trees = dict(commits.values_list("oid", "tree_oid"))
        try:
            new = trees[pull.merge_commit]
            known = list(comparing.changed_files(pull.repo, trees.get(pull.merged_onto), new))[:200]
        except (DomainError, KeyError):
            known = []
        cache.set(key, known, KEPT_PATHS)
    return known


def _children(people: Collection[int]) -> Mapping[Repo, list[Repo]]:
    """Return for each model those of other authors that were made from it and have weights of their own."""
    models = list(public_of(people, Repo.Kind.MODEL))
    names = former_names.names_of(models) if models else {}
    texts = {f"base_model:{relation}:{name}": repo for name, repo in names.items() for relation in RELATIONS}
    made = _labelled(texts)
    everything = {repo.pk: repo for repo in [*made, *(child for children in made.values() for child in children)]}
    digests = weights_of(everything.values())
    first = first_with(set(digests.values()))
    found = {}
    for base, children in made.items():
        own = {child.pk: child for child in children if first.get(digests.get(child.pk, "")) == child.pk}
        found[base] = [child for child in own.values() if digests[child.pk] != digests.get(base.pk)]
    return found


def _labelled(texts: Mapping[str, Repo]) -> dict[Repo, list[Repo]]:
    """Return for each repository the public models of others that bear one of its labels, settled and not too close."""
    if not texts:
        return {}
    rows = Label.objects.filter(text__in=texts, repo__in=standing(Repo.objects.filter(kind=Repo.Kind.MODEL)))
    found: dict[Repo, list[Repo]] = defaultdict(list)
    pairs = set()
    for label in rows.select_related("repo__namespace"):
        named, model = texts[label.text], label.repo
        mine, theirs = owner_of(named), owner_of(model)
        if mine is not None and theirs is not None and mine != theirs and evidence.has_settled(model.created_at):
            found[named].append(model)
            pairs.add((mine, theirs))
    bad = evidence.close(pairs)
    return {
        named: [model for model in models if (owner_of(named), owner_of(model)) not in bad]
        for named, models in found.items()
    }


def _window_before(day: date) -> date:
    return downloading.window_of(day) - timedelta(days=1)
