"""What a comparison says in words: on its page, through the API, and where somebody begins to discuss it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from leaderboard.comparing import choosing, differences
from leaderboard.comparing.choosing import Chosen
from leaderboard.comparing.differences import Pair, Tally, Task
from leaderboard.comparing.items import Reader
from leaderboard.comparing.verdicts import AHEAD, APART, BEHIND, EVEN
from leaderboard.metric_names import metric_label, metric_text, signed_metric
from leaderboard.models import Evaluation
from portal.errors import DomainError
from portal.models import Asker
from portal.telling import Told

PATH = "/compare"
MAX_TOLD = 20  # benchmarks


@dataclass(frozen=True)
class Compared:
    """Models beside each other, with all that their evaluations say."""

    chosen: Sequence[Chosen]
    held: Sequence[Mapping[int, Evaluation]]
    tasks: Sequence[Task]
    all_pairs: bool

    @property
    def shared(self) -> list[Task]:
        return [task for task in self.tasks if task.is_shared]

    @property
    def tallies(self) -> list[Tally]:
        return differences.tallies(self.tasks)

    @property
    def matrix(self) -> list[list[Tally | None]]:
        """What each model, by row, has over each other one, by column; None for itself."""
        known = {(one.first, one.second): one for one in self.tallies}
        known |= {(one.second, one.first): one.turned for one in self.tallies}
        places = range(len(self.chosen))
        return [[known.get((first, second)) for second in places] for first in places]

    @property
    def tested(self) -> int:
        """How many pairs were tested, for which the p-values are corrected."""
        return sum(pair.is_tested for task in self.tasks for pair in task.pairs)

    @property
    def address(self) -> str:
        return choosing.address_of(self.chosen, pairs="all" if self.all_pairs else "")


def compare(names: Sequence[str], user: Asker, *, all_pairs: bool = False, reader: Reader | None = None) -> Compared:
    """Compare what a reader may see; raises NotFound for what is missing or hidden, InvalidInput for too many."""
    chosen = choosing.choose(names, user)
    held = choosing.evaluations_of(chosen, user) if chosen else []
    tasks = differences.tasks_of(held, reader or Reader(), all_pairs=all_pairs)
    return Compared(chosen, held, tasks, all_pairs)


def said_of(pair: Pair, names: Sequence[str]) -> str:
    """Return what a pair shows, in a sentence."""
    first, second = names[pair.first], names[pair.second]
    if pair.verdict == EVEN:
        return _("cannot be told apart")
    if pair.verdict in {AHEAD, BEHIND}:
        return _("%(model)s is ahead beyond chance") % {"model": first if pair.verdict == AHEAD else second}
    if pair.verdict == APART:
        return _("%(model)s is ahead: the intervals lie apart") % {"model": first if pair.is_worth else second}
    return _("the intervals overlap")


def told(query: Mapping[str, Sequence[str]], reader: Asker) -> Told | None:
    """Return the scores and what they show as the beginning of a topic; None where there is nothing to compare."""
    try:
        found = compare(query.get("model", ()), reader, all_pairs="all" in query.get("pairs", ()))
    except DomainError:
        return None
    if len(found.chosen) < 2:
        return None
    names = [one.name for one in found.chosen]
    title = _("%(models)s compared") % {"models": " · ".join(names)}
    name = _("The comparison")
    link = f"[{name}]({found.address})"
    return Told(title, f"{_table(found, names)}\n\n{link}\n\n")


def _table(found: Compared, names: Sequence[str]) -> str:
    """Return the scores and what they show as a table in Markdown."""
    head = [_("Benchmark"), *names, _("Difference")]
    lines = [_row(head), _row(["---"] * len(head))]
    for task in found.shared[:MAX_TOLD]:
        title = f"{task.benchmark.title} v{task.benchmark.version}, {metric_label(task.metric)}"
        said = "; ".join(
            f"{signed_metric(pair.difference, pair.metric)}: {said_of(pair, names)}" for pair in task.pairs
        )
        lines.append(_row([title, *(_score(one, task.metric) for one in task.results), said]))
    return "\n".join(lines)


def _score(one: Evaluation | None, metric: str) -> str:
    if one is None:
        return "–"
    return f"{metric_text(one.value, metric)} ({metric_text(one.low, metric)}–{metric_text(one.high, metric)})"


def _row(cells: Sequence[str]) -> str:
    safe = (cell.replace("\\", "").replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(safe)} |"
