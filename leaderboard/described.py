"""What the leaderboard says of its things where only a key is known."""

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from leaderboard.models import Benchmark, Challenge, Evaluation, ImportedResult
from models_hub.models import Repo
from portal import locating, subjects
from portal.models import Asker
from portal.subjects import Subject


def register() -> None:
    subjects.register("evaluation", _evaluations)
    subjects.register("benchmark", _benchmarks)
    subjects.register("imported_result", _imported)
    subjects.register("challenge", _challenges)
    locating.locate_number(r"/evaluations/(\d{1,18})", "evaluation")
    locating.locate_number(r"/benchmarks/(\d{1,18})", "benchmark")


def _evaluations(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    seen = Evaluation.objects.visible_to(reader).filter(pk__in=pks)
    for one in seen.select_related("model__namespace", "benchmark"):
        title = _("%(model)s on %(benchmark)s") % {"model": one.model.full_name, "benchmark": one.benchmark.title}
        path = one.get_absolute_url()
        yield Subject("evaluation", one.pk, title, path, _("evaluation"), _result(one), one.requested_by_id)


def _result(one: Evaluation) -> str:
    """Return what an evaluation found, nothing while it has not."""
    if one.value is None:
        return ""
    interval = f" ({one.low:.3f}–{one.high:.3f})" if one.low is not None and one.high is not None else ""
    return f"{one.benchmark.primary_metric} {one.value:.3f}{interval}"


def _challenges(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for one in Challenge.objects.visible_to(reader).filter(pk__in=pks):
        detail = str(one.phase.label)
        yield Subject("challenge", one.pk, one.name, one.get_absolute_url(), _("challenge"), detail, one.organizer_id)


def _benchmarks(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    seen = Benchmark.objects.filter(pk__in=pks, dataset__in=Repo.objects.visible_to(reader))
    for one in seen.select_related("dataset__namespace"):
        owner = one.dataset.namespace.user_id
        yield Subject("benchmark", one.pk, one.title, one.get_absolute_url(), _("benchmark"), author_id=owner)


def _imported(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    seen = ImportedResult.objects.visible_to(reader).filter(pk__in=pks)
    for one in seen.select_related("model__namespace"):
        title = _("%(model)s on %(benchmark)s") % {"model": one.model.full_name, "benchmark": one.board}
        detail = f"{one.task}: {one.metric} {one.number}"
        path = one.get_absolute_url()
        yield Subject("imported_result", one.pk, title, path, _("result of another board"), detail, one.entered_by_id)
