"""Comparing a benchmark's rows with a data set of this hub, as a job: which rows are found again is told to nobody."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from leaderboard import contamination, ngrams, permissions
from leaderboard.models import Benchmark, Evaluation, Overlap
from leaderboard.ngrams import Shared
from models_hub import browsing
from models_hub.browsing import Entry
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.permissions import can_download, require_download
from models_hub.tables import kept, looking, reading, splits
from models_hub.tables.looking import Asked
from models_hub.tables.reading import Heard, Scope, Source
from portal.errors import DomainError, NotAllowed, SignInRequired
from portal.models import Asker, Event, Job, User

KIND, QUEUE = "measure_overlap", "light"
MB = 1024**2
SCOPE = Scope("overlap", 128 * MB, 300_000, 6_000_000, 2048, 300, 360, 600)
MAX_SOURCES = 20  # splits of the other data set
MAX_FROM_CARD = 5  # data sets of one card that are compared by themselves
MAX_DEPTH = 3
ANSWERS = frozenset({"target", "answer", "answers", "label", "labels"})  # roles that are no question


def request(benchmark: Benchmark, dataset: Repo, *, by: Asker) -> Overlap:
    """Ask how many rows of a benchmark are in a data set as it is now, or return what is known of that.

    Of a withheld test only its owners may ask: whoever may choose the other texts could guess rows by it.
    """
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to compare data sets."))
    if can_download(by, benchmark.dataset) and not permissions.can_compare(by, benchmark):
        raise NotAllowed(_("The test rows of this benchmark are withheld; only its owners may compare them."))
    require_download(by, benchmark.dataset)
    require_download(by, dataset)
    commit = browsing.resolve_revision(dataset, DEFAULT_BRANCH)
    with transaction.atomic():
        found, is_new = Overlap.objects.get_or_create(benchmark=benchmark, dataset=dataset, commit_oid=commit.oid)
        is_stopped = found.finished_at is None and (found.job is None or found.job.is_finished)
        if is_new or is_stopped:
            found.job = Job.enqueue(
                KIND,
                spec={
                    "overlap": found.pk,
                    "reads": [benchmark.dataset_id, dataset.pk],
                    "url": benchmark.get_absolute_url(),
                },
                owner=by,
                queue=QUEUE,
                needs={"store": True},
                title=f"{benchmark} · {dataset.full_name}",
            )
            found.save(update_fields=("job",))
    return found


def request_of_card(evaluation: Evaluation) -> int:
    """Ask for comparisons with what a model's card names, in the name of whoever asked for the score."""
    user, benchmark = evaluation.requested_by, evaluation.benchmark
    if user is None or not benchmark.test_is_public or not user.is_active:
        return 0
    if not Repo.objects.visible_to(user).filter(pk=benchmark.dataset_id).exists():
        return 0
    asked = 0
    for dataset in contamination.datasets_named(evaluation.model, user)[:MAX_FROM_CARD]:
        try:
            request(benchmark, dataset, by=user)
        except DomainError:  # behind a gate, or empty
            continue
        asked += 1
    return asked


def measure(overlap: Overlap, heard: Callable[[], None]) -> Shared:
    """Read both and compare; raises TableUnreadable, EntryNotFound, or what `heard` raises to end it."""
    benchmark = overlap.benchmark
    columns = {name for role, name in benchmark.fields.items() if role not in ANSWERS}
    commit = browsing.resolve_revision(benchmark.dataset, benchmark.commit_oid)
    entry = browsing.find(benchmark.dataset, commit, benchmark.split_path)
    test = Source(benchmark.dataset, [entry])
    others = list(_others(overlap))
    return ngrams.shared(
        lambda: _texts(test, columns, heard), (texts for source in others for texts in _texts(source, None, heard))
    )


def record(overlap: Overlap, found: Shared, *, job: Job) -> None:
    """Store what was counted and end the job; scores of the benchmark are then flagged anew."""
    with transaction.atomic():
        job.finish({"url": overlap.benchmark.get_absolute_url(), "shared": found.shared, "tested": found.tested})
        Overlap.objects.filter(pk=overlap.pk).update(
            finished_at=Now(),
            tested=found.tested,
            shared=found.shared,
            short=found.short,
            rows=found.rows,
            is_whole=found.is_whole,
        )
        contamination.note_benchmark(overlap.benchmark)
        Event.record("overlap.measured", subject=f"overlap:{overlap.pk}", by=job.owner, shared=found.shared)


def _others(overlap: Overlap) -> Iterator[Source]:
    """Yield the tables of the other data set; of the benchmark's own one, all but what the benchmark reads."""
    benchmark, dataset = overlap.benchmark, overlap.dataset
    commit = browsing.resolve_revision(dataset, overlap.commit_oid)
    own = {benchmark.split_path, *(file["path"] for file in benchmark.files.values())}
    for config in splits.configs_of(dataset, commit)[:MAX_SOURCES]:
        for split in config.splits[:MAX_SOURCES]:
            entries = [entry for entry in splits.entries_of(dataset, commit, split) if not _is_own(entry, own, overlap)]
            if entries:
                yield Source(dataset, entries, config.delimiter)


def _is_own(entry: Entry, own: set[str], overlap: Overlap) -> bool:
    return overlap.dataset_id == overlap.benchmark.dataset_id and entry.path in own


def _texts(source: Source, columns: set[str] | None, heard: Callable[[], None]) -> Iterator[Sequence[str]]:
    """Yield the texts of each row: of these columns, of all where none are named or the table has none of them."""
    path = kept.find(source.key(SCOPE)) or reading.read(source, SCOPE, _quiet(heard))
    start: int | None = 0
    while start is not None:
        heard()
        with looking.opened(path) as table:
            names = [str(column["name"]) for column in table.columns]
            chosen = [place for place, name in enumerate(names) if columns is None or name in columns]
            page = table.page(Asked(), start, looking.MAX_PAGE_ROWS)
        for row in page.rows:
            values = [row.cells[place] for place in chosen or range(len(names)) if place < len(row.cells)]
            yield list(_strings(values))
        start = page.next


def _strings(values: Iterable[Any], depth: int = 0) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | dict) and depth < MAX_DEPTH:
            yield from _strings(value.values() if isinstance(value, dict) else value, depth + 1)


def _quiet(heard: Callable[[], None]) -> Heard:
    return lambda _rows, _share: heard()
