"""What the hub says of its repositories where only a key is known."""

from collections.abc import Collection, Iterator

from models_hub.models import Repo
from portal import subjects
from portal.models import Asker
from portal.subjects import Subject


def register() -> None:
    subjects.register("repo", _repos)


def _repos(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for repo in Repo.objects.visible_to(reader).filter(pk__in=pks).select_related("namespace"):
        owner = repo.namespace.user_id
        yield Subject("repo", repo.pk, repo.full_name, repo.path, str(repo.get_kind_display()), author_id=owner)
