"""How pages name a place in a repository: a revision and a path in one address, though both may hold slashes."""

from models_hub.models import Ref, Repo
from models_hub.models.refs import HEADS, TAGS

MAX_SEGMENTS = 12  # no branch name that git allows in practice has more


def split_place(repo: Repo, place: str) -> tuple[str, str]:
    """Return (revision, path) of `revision/path`: the longest branch, tag or reference that it begins with.

    Where it begins with none, the first segment is the revision, such as a commit id.
    """
    segments = place.strip("/").split("/")
    names = ["/".join(segments[:count]) for count in range(1, min(len(segments), MAX_SEGMENTS) + 1)]
    known = set(
        Ref.objects.filter(
            repo=repo, name__in=[prefix + name for prefix in ("", HEADS, TAGS) for name in names]
        ).values_list("name", flat=True)
    )
    revision = next((name for name in reversed(names) if known & {name, HEADS + name, TAGS + name}), segments[0])
    return revision, place.strip("/")[len(revision) + 1 :]
