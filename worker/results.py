"""The files of a model that a run made: on their way into a repository, or packed until somebody wants them there."""

import json
import logging
import tarfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub.adapting import card_writing, ending
from models_hub.adapting.ending import Made
from models_hub.models import Blob, Run
from models_hub.storage import is_full
from portal.errors import DomainError
from portal.models import Job, LeaseLost
from worker import scratch
from worker.attempts import JobFailed

logger = logging.getLogger(__name__)

MAX_FILES = 64
ADAPTER_CONFIG = "adapter_config.json"
UNREADABLE = gettext_noop("The packed model cannot be unpacked; run the training again.")


def publish_or_keep(job: Job, run: Run, model: Path, aside: Path, found: dict[str, Any]) -> None:
    """End a run with its result. What cannot be published now, for want of room or rights, is kept packed."""
    try:
        ending.finish(run, job=job, files=made(job, run, model), found=found)
    except (LeaseLost, JobFailed):
        raise
    except DomainError as error:
        if is_full(error):  # there is no room to keep it either: another attempt goes on from the last checkpoint
            raise
        ending.keep(run, job=job, packed=pack(job, model, aside), found=found, error=error)


def made(job: Job, run: Run, model: Path) -> list[Made]:
    """Return the files of the result: the model, how it was made, and a card that is written from facts."""
    files = [Made("README.md", card_writing.card(run).encode())]
    files += [Made(f"{card_writing.FOLDER}/{name}", content) for name, content in card_writing.records(run).items()]
    paths = sorted(path for path in model.rglob("*") if path.is_file())
    return files + [_named(run, file_of(job, path, str(path.relative_to(model)))) for path in paths]


def _named(run: Run, file: Made) -> Made:
    """Write into the config of an adapter which model it is put on: the sandbox knows no names of repositories."""
    if file.path.rpartition("/")[2] != ADAPTER_CONFIG or file.content is None or run.base is None:
        return file
    try:
        config = json.loads(file.content)
    except (ValueError, RecursionError):
        return file
    if not isinstance(config, dict):
        return file
    named = config | {"base_model_name_or_path": run.base.full_name, "revision": run.base_commit}
    return Made(file.path, (json.dumps(named, ensure_ascii=False, indent=2) + "\n").encode())


def file_of(job: Job, path: Path, name: str) -> Made:
    """Return a file as it is committed: a large one is stored first."""
    if name.endswith(".safetensors") or path.stat().st_size > settings.LFS_THRESHOLD_BYTES:
        return Made(name, blob=scratch.store(job, path))
    return Made(name, path.read_bytes())


def pack(job: Job, model: Path, aside: Path) -> Blob:
    """Keep a model as one content of the store."""
    packed = aside / "model.tar"
    with tarfile.open(packed, "w") as archive:
        for path in sorted(path for path in model.rglob("*") if path.is_file()):
            archive.add(path, str(path.relative_to(model)), recursive=False)
    return scratch.store(job, packed)


def unpack(job: Job, blob: Blob, target: Path) -> None:
    """Put a packed model into a folder; JobFailed where its bytes are not what was packed."""
    packed = target.with_suffix(".tar")
    scratch.place_blob(job, blob, packed)
    try:
        with tarfile.open(packed) as archive:
            archive.extractall(target, filter="data")
    except (tarfile.TarError, OSError) as error:
        if is_full(error):
            raise
        logger.warning("A packed model cannot be unpacked: %s", error)
        raise JobFailed(UNREADABLE, code="corrupt_content") from error
    packed.unlink()
