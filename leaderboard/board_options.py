"""What the filters of a board offer: values that its public models have."""

from collections import Counter
from dataclasses import dataclass

from leaderboard.board_views import View
from leaderboard.models import BoardRow, Suite

MANY = 40


@dataclass(frozen=True)
class Options:
    """The values of each filter, the frequent ones first."""

    licenses: list[str]
    languages: list[str]
    precisions: list[str]
    architectures: list[str]


def options_of(suite: Suite) -> Options:
    """Return what the public models of a board have."""
    rows = BoardRow.objects.filter(suite=suite).public().order_by()
    names = ("model__license", "model__architecture", "model__languages", "model__precisions")
    counted: tuple[Counter[str], ...] = (Counter(), Counter(), Counter(), Counter())
    for licence, architecture, languages, precisions in rows.values_list(*names).distinct():
        counted[0][licence] += 1
        counted[1][architecture] += 1
        counted[2].update(map(str, languages))
        counted[3].update(map(str, precisions))
    licenses, architectures, languages, precisions = (
        sorted(name for name, _count in counter.most_common(MANY) if name) for counter in counted
    )
    return Options(licenses, languages, precisions, architectures)


def loosened(suite: Suite, view: View, machine: str) -> list[tuple[str, int]]:
    """Return which filters of a view that leaves nothing hide most: how many models there are without each."""
    public = BoardRow.objects.filter(suite=suite).public()
    found = [(name, view.without(name).narrow(public, machine).count()) for name in view.filters]
    return sorted(((name, count) for name, count in found if count), key=lambda pair: -pair[1])
