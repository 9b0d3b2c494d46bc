"""Which of the repositories that runs name their reader may see; one query for all runs of a page."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from models_hub import permissions
from models_hub.adapting import aids
from models_hub.models import Repo, Run
from portal.errors import NotFound
from portal.models import Asker
from portal.reach import is_limited


def seen(runs: Iterable[Run], reader: Asker) -> set[int]:
    """Return the ids of those that the reader may see."""
    runs = list(runs)
    named = {pk for run in runs for pk in (run.base_id, run.data_id, run.result_id) if pk} | aids.ids_of(runs)
    return set(Repo.objects.visible_to(reader).filter(pk__in=named).values_list("pk", flat=True))


def own(runs: Iterable[Run], reader: Asker) -> set[int]:
    """Return the ids of those that are the reader's own, as far as a limited token carries."""
    mine = [run.pk for run in runs if run.owner_id == reader.pk]
    if not is_limited(reader):
        return set(mine)
    return set(Run.objects.of_owner(reader).filter(pk__in=mine).values_list("pk", flat=True))


def find(run_id: int, reader: Asker) -> Run:
    """Return a run that the reader may see; raises NotFound for any other."""
    run = Run.objects.visible_to(reader).shown().filter(pk=run_id).first()
    if run is None:
        raise NotFound(
            _("There is no run %(number)d, or you may not see it.") % {"number": run_id}, code="run_not_found"
        )
    return run if own([run], reader) else _withheld(run, reader)


def _withheld(run: Run, reader: Asker) -> Run:
    """Return a run without what is the owner's own: the title, and what tells of a model or data the reader cannot see.

    A title names base and data unless its owner thought of another one, and a report quotes rows: it is for those who
    may read them.
    """
    run.title = run.target
    is_data_seen = not run.data_commit or run.data_id in seen([run], reader)
    if not is_data_seen:
        run.files, run.fields = {}, {}
    if not is_data_seen or (run.data is not None and not permissions.can_download(reader, run.data)):
        run.data_report = {}
    return run
