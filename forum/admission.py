"""What may be posted: asked for every text of topics and discussions before it is rendered."""

from dataclasses import dataclass

from forum.models import Category, Post, Topic
from models_hub.models import Repo
from portal import restraining
from portal.models import User


@dataclass(frozen=True)
class Admission:
    """A text that may be posted, as it is to be kept; `held` when somebody must look at it first, and `why`."""

    held: bool
    text: str
    why: str = ""
    tags: tuple[str, ...] = ()


def admit(
    *,
    by: User,
    text: str,
    title: str = "",
    place: Topic | Category | Repo,
    seconds: float | None = None,
    edited: Post | None = None,
) -> Admission:
    """Return how a text may be posted; raises NotAllowed or InvalidInput with what to mend."""
    restraining.require_voice(by)
    return Admission(held=False, text=text)
