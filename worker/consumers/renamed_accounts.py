"""When a person takes another name, what the person published is found by it."""

from models_hub.models import Repo
from models_hub.searching import indexing
from portal.models import Event


def index(event: Event) -> None:
    """Index the names of the person's repositories anew."""
    user_id = int(event.subject.removeprefix("user:"))
    for repo in Repo.objects.filter(namespace__user=user_id).select_related("namespace").iterator(chunk_size=500):
        indexing.note_name(repo)
