"""Reviews of pull requests as they stand: who approves, who asks for changes, and whose word counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from models_hub.models import PullRequest, Ref, Review
from portal.permissions import writers_among

Verdict = Review.Verdict


@dataclass(frozen=True)
class Said:
    """A review as it stands: `is_current` when no commits came since, `counts` when rules heed it."""

    review: Review
    is_current: bool
    counts: bool


@dataclass(frozen=True)
class Standing:
    """What reviewers say of a pull request now."""

    said: Sequence[Said]

    @property
    def approvers(self) -> list[str]:
        """Those who approve what is proposed now, may write, and have written none of it themselves."""
        return self._names(Verdict.APPROVED)

    @property
    def objectors(self) -> list[str]:
        return self._names(Verdict.CHANGES)

    def _names(self, verdict: str) -> list[str]:
        return [one.review.reviewer.username for one in self.said if one.counts and one.review.verdict == verdict]


def standing(pull: PullRequest) -> Standing:
    """Return what reviewers said, and what of it counts for the commits that are proposed now."""
    head = head_of(pull)
    rows = list(pull.reviews.select_related("reviewer"))
    if not rows:
        return Standing(())
    own = {pull.author_id, *pull.pushers.values_list("pk", flat=True)}
    writers = writers_among(pull.repo.namespace, [row.reviewer_id for row in rows if row.oid == head]) - own
    return Standing([Said(row, row.oid == head, row.oid == head and row.reviewer_id in writers) for row in rows])


def head_of(pull: PullRequest) -> str:
    """Return the newest of the proposed commits."""
    return Ref.objects.filter(repo=pull.repo, name=pull.ref).values_list("oid", flat=True).first() or ""
