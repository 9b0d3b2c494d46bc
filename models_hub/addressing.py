"""How pages name a place in a repository: a revision and a path in one address, though both may hold slashes."""

from urllib.parse import quote, unquote

from models_hub.browsing import RepoMoved
from models_hub.models import Ref, Repo
from models_hub.models.refs import HEADS, TAGS

MAX_SEGMENTS = 12  # no branch name that git allows in practice has more


def split_place(repo: Repo, place: str) -> tuple[str, str]:
    """Return (revision, path) of `revision/path`: the longest branch, tag or reference that it begins with.

    Where it begins with none, the first segment is the revision, such as a commit id.
    """
    segments = place.strip("/").split("/")
    names = ["/".join(segments[:count]) for count in range(1, min(len(segments), MAX_SEGMENTS) + 1)]
    names = [name for name in names if "\x00" not in name]  # no database could even be asked for it
    known = set(
        Ref.objects.filter(
            repo=repo, name__in=[prefix + name for prefix in ("", HEADS, TAGS) for name in names]
        ).values_list("name", flat=True)
    )
    revision = next((name for name in reversed(names) if known & {name, HEADS + name, TAGS + name}), segments[0])
    return revision, place.strip("/")[len(revision) + 1 :]


def moved_address(address: str, moved: RepoMoved) -> str | None:
    """Return a raw path, with its query if it has one, with the repository's name of today in it.

    None where the path does not hold the former name: it came from a body, which no redirect can change.
    """
    path, mark, query = address.partition("?")
    segments = path.split("/")
    for index in range(len(segments) - 1):
        owner, name = (unquote(segment) for segment in segments[index : index + 2])
        bare = name.removesuffix(".git")
        if f"{owner}/{bare}".lower() == moved.old.lower():
            segments[index : index + 2] = [quote(moved.repo.namespace.name), quote(moved.repo.name + name[len(bare) :])]
            return "/".join(segments) + mark + query
    return None
