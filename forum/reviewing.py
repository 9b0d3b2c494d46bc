"""A pull request as reviewers look at it: its commits, what they change, and what stands in the way of a merge."""

from dataclasses import dataclass

from models_hub import ancestry, approving, comparing, merging, protecting
from models_hub.approving import Standing
from models_hub.comparing import Comparison
from models_hub.merging import Sides
from models_hub.models import Commit, PullRequest
from models_hub.tree_merging import Clash
from portal.errors import Conflict
from portal.models import Asker


@dataclass(frozen=True)
class Review:
    """What a pull request would change. `sides` is None when its base branch is gone, `obstacle` then says so."""

    pull: PullRequest
    sides: Sides | None
    clashes: list[Clash]
    obstacle: str = ""

    @property
    def conflicts(self) -> list[str]:
        """The paths that cannot be merged."""
        return [clash.path for clash in self.clashes]

    def comparison(self) -> Comparison:
        """Compare the proposal with where it began."""
        if self.sides is None:
            return Comparison([], 0)
        return comparing.between(self.pull.repo, self.sides.base, self.sides.head)

    def commits(self) -> list[Commit]:
        """Return the proposed commits, oldest first."""
        if self.sides is None:
            return []
        return ancestry.added(self.pull.repo, self.sides.onto.oid, self.sides.head.oid)

    def standing(self) -> Standing:
        """Return what reviewers said."""
        return approving.standing(self.pull)

    def refusals(self, user: Asker) -> list[str]:
        """Return what the rules of the repository have against a merge by this user now."""
        if self.sides is None or self.sides.adds_nothing:
            return []
        return list(protecting.refusals(merging.landing_of(self.pull, self.sides), by=user))


def look(pull: PullRequest) -> Review:
    """Return the state of a pull request; of one that is decided, as it was then."""
    try:
        sides = merging.sides(pull)
    except Conflict as error:
        return Review(pull, None, [], error.message)
    return Review(pull, sides, merging.conflicts(pull.repo, sides) if pull.is_live else [])
