"""When a person or an organization takes another name, what it published is found by it."""

from models_hub.models import Repo
from models_hub.searching import indexing
from portal.models import Event


def index(event: Event) -> None:
    """Index the names of the repositories anew."""
    whose, _colon, number = event.subject.partition(":")
    owned = Repo.objects.filter(**{f"namespace__{whose}": int(number)})
    for repo in owned.select_related("namespace").iterator(chunk_size=500):
        indexing.note_name(repo)
