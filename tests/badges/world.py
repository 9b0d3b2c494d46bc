"""A world made of rows alone, so that each badge can be tried in some milliseconds."""

import itertools
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from forum.models import Category, Post, Reaction, Topic
from leaderboard.models import Benchmark, Evaluation, Reproduction
from leaderboard.models.reviewed import Standing
from models_hub.card_reviewing import RULES as CARD_RULES
from models_hub.models import Blob, CardReview, Commit, Downloader, Label, PullRequest, Repo
from portal.models import Case, Event, Namespace, Organization, Reason, Report, User
from tests.portal.trusted import trusted

_numbers = itertools.count(1)


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def person(name: str = "", *, level: int = 2, address: str = "", **extra: Any) -> User:
    """Somebody without a password, who has been here for long, in a network of their own."""
    name = name or f"person{next(_numbers)}"
    user = User(username=name, email=f"{name}@example.org", **extra)
    user.set_unusable_password()
    user.save()
    Namespace.claim(name, user=user)
    return trusted(user, level, address=address)


def people(number: int, **facts: Any) -> list[User]:
    return [person(**facts) for _one in range(number)]


def team(*members: User) -> Organization:
    found = Organization.found(name=f"team{next(_numbers)}", by=members[0])
    for one in members[1:]:
        found.add(one, role="write", by=members[0])
    return found


def model(
    owner: User,
    *,
    weights: str = "",
    base: str = "",
    kind: str = "model",
    days: float = 100,
    found: Sequence[str] = (),
    done: int = 10,
    labels: Collection[str] = (),
    **columns: Any,
) -> Repo:
    """A public repository with a card that was read already."""
    number = next(_numbers)
    head = f"{number:040x}"
    values: dict[str, Any] = {"license": "mit", "formats": ["safetensors"], "has_card": True, "size": 1000}
    repo = Repo.objects.create(
        kind=kind, namespace=owner.namespace, name=f"it{number}", lower=f"it{number}", created_by=owner, head=head,
        **values | columns,
    )  # fmt: skip
    Repo.objects.filter(pk=repo.pk).update(created_at=ago(days))
    repo.refresh_from_db()
    Commit.objects.create(
        repo=repo, oid=head, tree_oid=head, title="x", author_name="x", authored_at=ago(days),
        weights_digest=weights or f"{number:064x}",
    )  # fmt: skip
    CardReview.objects.create(repo=repo, head=head, rules=CARD_RULES, steps=10, steps_done=done, found=list(found))
    texts = [*labels, *([base] if base else [])]
    Label.objects.bulk_create([Label(repo=repo, text=text) for text in texts])
    return repo


def finetune_of(base: Repo) -> str:
    return f"base_model:finetune:{base.full_name}"


def downloads(repo: Repo, callers: Collection[str]) -> None:
    today = timezone.now().date()
    Downloader.objects.bulk_create([Downloader(repo=repo, window=today, caller=caller) for caller in callers])


def benchmark(by: User, **columns: Any) -> Benchmark:
    dataset = model(by, kind="dataset")
    values: dict[str, Any] = {"standing": Standing.APPROVED, "primary_metric": "accuracy"}
    made = Benchmark.objects.create(
        dataset=dataset, commit_oid=dataset.head, version=1, meaning="m", name="Mood", task="text-classification",
        split_path="test.jsonl", data_sha256="a" * 64, data_size=10, registered_by=by, **values | columns,
    )  # fmt: skip
    Benchmark.objects.filter(pk=made.pk).update(created_at=ago(50))
    return made


def evaluation(repo: Repo, on: Benchmark, by: User, value: float = 0.8, **columns: Any) -> Evaluation:
    digest = Commit.objects.get(repo=repo, oid=repo.head).weights_digest
    number = next(_numbers)
    blob, _is_new = Blob.objects.get_or_create(sha256="c" * 64, defaults={"size": 1})
    values: dict[str, Any] = {
        "low": value - 0.02, "high": value + 0.02, "prediction_digest": f"{number:064x}", "contamination": "not_found",
        "provenance": {"model": {}}, "report": {"examples_per_second": 10.0}, "predictions": blob,
    }  # fmt: skip
    return Evaluation.objects.create(
        model=repo, commit_oid=repo.head, weights_digest=digest, files_digest=f"{number:064x}", benchmark=on,
        engine_version="1", requested_by=by, finished_at=ago(10), value=value, n=10, **values | columns,
    )  # fmt: skip


def run_again(one: Evaluation, by: User, *, digest: str = "", value: float | None = None) -> Reproduction:
    return Reproduction.objects.create(
        evaluation=one, requested_by=by, finished_at=ago(6), prediction_digest=digest or one.prediction_digest,
        value=one.value if value is None else value,
    )  # fmt: skip


def topic(by: User, *, kind: str = "question", text: str = "How?", days: float = 10, **columns: Any) -> Topic:
    room, _is_new = Category.objects.get_or_create(slug="help", defaults={"reviews_articles": True})
    place: dict[str, Any] = {} if "repo" in columns else {"category": room}
    made = Topic.objects.create(title="A topic", author=by, kind=kind, last_number=1, **place | columns)
    Topic.objects.filter(pk=made.pk).update(created_at=ago(days))
    made.refresh_from_db()
    post(made, by, text, number=1, days=days)
    return made


def post(on: Topic, by: User, text: str = "So.", *, number: int = 0, days: float = 9.8, **columns: Any) -> Post:
    number = number or on.posts.count() + 1
    made = Post.objects.create(topic=on, number=number, author=by, text=text, **columns)
    Post.objects.filter(pk=made.pk).update(created_at=ago(days))
    made.refresh_from_db()
    return made


def accept(on: Topic, answer: Post, *, days: float = 5) -> Event:
    Topic.objects.filter(pk=on.pk).update(accepted=answer)
    event = Event.record("topic.accepted", subject=f"topic:{on.pk}", by=on.author, topic=on.pk, post=answer.pk)
    Event.objects.filter(pk=event.pk).update(created_at=ago(days))
    return event


def answered(asker: User, by: User, **facts: Any) -> Topic:
    on = topic(asker, **facts)
    accept(on, post(on, by))
    return on


def react(to: Post, givers: Collection[User], kind: str = "like", *, days: float = 5) -> None:
    rows = Reaction.objects.bulk_create([Reaction(post=to, user=giver, kind=kind) for giver in givers])
    Reaction.objects.filter(post=to, user__in=[row.user_id for row in rows]).update(created_at=ago(days))


def pull(author: User, repo: Repo, merged_by: User) -> PullRequest:
    number = next(_numbers)
    made = PullRequest.objects.create(
        repo=repo, number=number, author=author, status="merged", merged_by=merged_by,
        merge_commit=f"{number:040x}", merged_onto=repo.head,
    )  # fmt: skip
    PullRequest.objects.filter(pk=made.pk).update(updated_at=ago(10))
    return made


def report(by: User, *, agreed: bool = True, reason: str = Reason.SPAM, days: float = 10) -> Report:
    case = Case.objects.create(about=f"post:{next(_numbers)}")
    verdict = Report.Verdict.AGREED if agreed else Report.Verdict.DISAGREED
    return Report.objects.create(case=case, reporter=by, reason=reason, verdict=verdict, judged_at=ago(days))
