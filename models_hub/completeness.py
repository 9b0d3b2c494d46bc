"""What a repository has of what readers look for, and where the owner can add the rest."""

import re
from collections.abc import Collection
from typing import NamedTuple

from django.utils.translation import gettext as _

from models_hub.models import Repo
from models_hub.task_names import ELSEWHERE, TASKS

SHORT_TEXT = 200
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
OTHER = "other"
PICKLED = ["pytorch"]


class Step(NamedTuple):
    """Something that readers want, why, and where it can be added."""

    name: str
    reason: str
    address: str
    is_done: bool = False


class Checklist(NamedTuple):
    """Steps still to do, and those done."""

    open: list[Step]
    done: list[Step]

    @property
    def length(self) -> int:
        return len(self.open) + len(self.done)


def checklist(repo: Repo, body: str, paths: Collection[str]) -> Checklist:
    """Return what is done and what is not; `body` is the text below the card's metadata, `paths` the files on top."""
    steps = _steps(repo, body, paths)
    return Checklist([step for step in steps if not step.is_done], [step for step in steps if step.is_done])


def _steps(repo: Repo, body: str, paths: Collection[str]) -> list[Step]:
    card, form, upload = repo.card, f"{repo.path}/card", f"{repo.path}/upload/main"
    text = f"{repo.path}/edit/main/README.md" if "README.md" in paths else f"{form}#id_text"
    words = _COMMENT.sub("", body).strip()
    found = [
        Step(_("Licence"), _("without one, nobody may use it"), f"{form}#id_license", bool(repo.license)),
        Step(_("Description"), _("what it is for, how it was made, its limits"), text, len(words) >= SHORT_TEXT),
    ]
    if repo.license == OTHER:
        named = bool(card.get("license_name") or card.get("license_link"))
        found.append(
            Step(_("Name of the licence"), _("“other” tells nobody what is allowed"), f"{form}#id_license_name", named)
        )
    if not repo.is_space:
        task = "pipeline_tag" if repo.is_model else "task_categories"
        found += [
            _task(repo, f"{form}#id_{task}"),
            Step(_("Language"), _("people search by language"), f"{form}#id_language", bool(repo.languages)),
        ]
    if repo.is_model:
        found += [
            Step(_("Training data"), _("what it was trained on"), f"{form}#id_datasets", bool(card.get("datasets"))),
            Step(
                _("Metrics"), _("how good it is by your own measure"), f"{form}#metrics", bool(card.get("model-index"))
            ),
            *_of_files(repo, paths, upload),
        ]
    return found


def _task(repo: Repo, address: str) -> Step:
    """Return the step of the task; a name that nobody knows is a slip of the pen and helps no search."""
    if repo.task and repo.task not in TASKS and repo.task not in ELSEWHERE:
        reason = _("“%(task)s” is the name of no task, so that nobody finds it") % {"task": repo.task}
        return Step(_("Task"), reason, address)
    return Step(_("Task"), _("people search by task"), address, bool(repo.task))


def _of_files(repo: Repo, paths: Collection[str], upload: str) -> list[Step]:
    """Return what the files of a model lack; nothing is said of a model without weights."""
    if not repo.formats:
        return [Step(_("Weights"), _("there are none yet"), upload)] if paths else []
    found = [
        Step(
            _("Weights as safetensors or GGUF"),
            _("pickled weights may run code, so that many people do not load them"),
            upload,
            repo.formats != PICKLED,
        )
    ]
    if not (repo.architecture or repo.counted.get("adapter")):
        found.append(
            Step(
                "config.json",
                _("without it, programs cannot load the weights, and context and vocabulary stay unknown"),
                upload,
            )
        )
    found += [
        Step(name[:100], _("its header cannot be read: the file may be damaged"), upload)
        for name in repo.counted.get("unread", [])[:3]
        if name.endswith(".gguf") and not repo.namespace.is_mirror
    ]
    return found
