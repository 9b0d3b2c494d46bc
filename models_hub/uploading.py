"""Uploads of any size: files come in checked parts, go on after any break, and become one commit at the end.

Room for all of it is set aside when the upload begins. Nothing of it is anybody's content before it is published, and
then it enters by `publishing` like everything else. Whoever asks must still see the repository and may still send to
it: that is looked at in every request, not only in the first.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import (
    browsing,
    checking,
    contents,
    permissions,
    proposing,
    protecting,
    publishing,
    quotas,
    staging,
)  # fmt: skip
from models_hub.models import Proposer, Repo, RepoBlob, Upload, UploadFile, UploadPart
from models_hub.models.pull_requests import pull_number
from models_hub.storage import ContentRefused, arriving_files
from portal.errors import Conflict, InvalidInput, NotFound, QuotaExceeded, TooLarge
from portal.models import Asker, User

PART_BYTES = 4 * 1024 * 1024
MAX_PARTS_AT_ONCE = 250
LIFETIME = timedelta(days=7)  # after the last part that came
MAX_UNFINISHED = 10  # of one person in one repository
BATCH = 500


class PartDiffers(Conflict):
    """A part came before, and with other content: the file has been changed since."""

    code = "part_differs"


@dataclass(frozen=True)
class Announced:
    """A file that somebody is going to send."""

    path: str
    size: int
    modified: int = 0


@dataclass(frozen=True)
class Part:
    """What the sender says of a part before its bytes come: its file, its place in it, and its digest."""

    file: int
    number: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Progress:
    """How far one file is. `may_be_here`: the repository has content of this length, so that a digest may do."""

    file: UploadFile
    received: list[tuple[int, int]]
    first_sha256: str
    may_be_here: bool


def part_count(size: int) -> int:
    return -(-size // PART_BYTES)


def part_length(size: int, number: int) -> int:
    return min(PART_BYTES, size - number * PART_BYTES)


def begin(
    repo: Repo,
    *,
    by: Asker,
    revision: str,
    files: Sequence[Announced],
    folder: str = "",
    title: str = "",
    description: str = "",
) -> Upload:
    """Open an upload and set room aside for all of it; raises what keeps the sender from publishing it later."""
    user = require_sender(by, repo, revision)
    folder = folder.strip().strip("/")
    places = _checked_places(folder, files)
    size = sum(one.size for one in files)
    _require_slot(repo, user, size)
    proposing.require_room(repo, user, [one.size for one in files])
    with transaction.atomic():
        upload = Upload.objects.create(
            repo=repo, user=user, revision=revision, folder=folder, size=size,
            title=title[:1000], description=description[: publishing.MAX_DESCRIPTION],
            expires_at=timezone.now() + LIFETIME,
        )  # fmt: skip
        rows = [
            UploadFile(
                upload=upload, number=number, path=place, size=one.size, modified=one.modified,
                sha256="" if one.size else hashlib.sha256().hexdigest(),
            )
            for number, (place, one) in enumerate(zip(places, files, strict=True))
        ]  # fmt: skip
        UploadFile.objects.bulk_create(rows, batch_size=BATCH)
        quotas.reserve(repo, upload.key, size)
    return upload


def unfinished(repo: Repo, *, by: Asker) -> QuerySet[Upload]:
    """Return what the asker has begun to send to a repository and not published, the latest first."""
    if not isinstance(by, User):
        return Upload.objects.none()
    rows = Upload.objects.unfinished().filter(repo=repo, user=by, expires_at__gte=timezone.now())
    return rows.annotate(file_count=Count("files")).order_by("-id")


def find(key: str, *, by: Asker) -> Upload:
    """Return one's own upload, to a repository that one still sees; whatever is wrong is one and the same NotFound."""
    missing = NotFound(_("There is no such upload; perhaps its days are over."))
    if not isinstance(by, User):
        raise missing
    upload = Upload.objects.select_related("user").filter(key=key, user=by, expires_at__gte=timezone.now()).first()
    repo = Repo.objects.select_related("namespace").visible_to(by).filter(pk=upload.repo_id).first() if upload else None
    if upload is None or repo is None:
        raise missing
    upload.repo = repo
    return upload


def require_sender(by: Asker, repo: Repo, revision: str) -> User:
    """Return the user who may send files to a revision, be it for a pull request; raises else."""
    user = proposing.require_proposer(by, repo)
    permissions.require_download(user, repo)
    if pull_number(revision) is not None:
        publishing.require_pusher(user, repo, revision)
    browsing.resolve_revision(repo, revision)
    return user


def progress(upload: Upload) -> list[Progress]:
    """Return how far each file is, in the order in which they were announced."""
    files = list(upload.files.order_by("number"))
    parts: dict[int, list[tuple[int, str]]] = {}
    rows = UploadPart.objects.filter(file__upload=upload).order_by("file_id", "number")
    for file_id, number, sha256 in rows.values_list("file_id", "number", "sha256").iterator(chunk_size=2000):
        parts.setdefault(file_id, []).append((number, sha256 if number == 0 else ""))
    here = _sizes_here(upload.repo, {file.size for file in files if file.size and not file.sha256})
    return [
        Progress(
            file,
            _spans(number for number, _sha in parts.get(file.pk, [])),
            next((sha for number, sha in parts.get(file.pk, []) if number == 0), ""),
            file.size in here,
        )
        for file in files
    ]


def received_bytes(upload: Upload) -> int:
    """Return how much of an upload has come."""
    done = upload.files.exclude(sha256="").aggregate(total=Sum("size"))["total"] or 0
    begun = upload.files.filter(sha256="").annotate(count=Count("parts"))
    return int(done) + sum(min(size, count * PART_BYTES) for size, count in begun.values_list("size", "count"))


def receive_parts(upload: Upload, parts: Sequence[Part], read: Callable[[int], bytes]) -> list[Part]:
    """Take parts whose bytes `read` gives one after the other; each counts only if it has the digest announced.

    What has come before is read and not written again. Returns the parts; all before a faulty one are kept.
    """
    _require_open(upload)
    require_sender(upload.user, upload.repo, upload.revision)
    files = _files_of(upload, parts)
    area, taken = arriving_files(), []
    known = {
        (file_id, number): sha256
        for file_id, number, sha256 in UploadPart.objects.filter(
            file__in=[file.pk for file in files.values()], number__in={part.number for part in parts}
        ).values_list("file_id", "number", "sha256")
    }
    try:
        with area.hold(upload.key, "publishing", shared=True):
            for part in parts:
                file = files[part.file]
                data = _read_exactly(read, part)
                if hashlib.sha256(data).hexdigest() != part.sha256:
                    raise ContentRefused(
                        _("Part %(number)d of “%(path)s” has another sha256 than announced. Send it again.")
                        % {"number": part.number, "path": file.path[:200]}
                    )
                before = known.get((file.pk, part.number))
                if file.sha256 or before == part.sha256:
                    continue
                if before is not None:
                    raise PartDiffers(
                        _("“%(path)s” has changed since it began to be sent.") % {"path": file.path[:200]}
                    )
                if file.size > PART_BYTES:
                    with area.hold(upload.key, str(part.file), shared=True):
                        area.write(upload.key, part.file, part.number * PART_BYTES, data)
                else:
                    area.write(upload.key, part.file, 0, data)
                taken.append(part)
    finally:
        _note(upload, files, taken)
    return list(parts)


def verify(upload: Upload, number: int, sha256: str) -> UploadFile:
    """Compare a whole file with its digest; where it differs, all its parts are forgotten and it must come again.

    Of content that the repository has, the digest alone will do.
    """
    _require_open(upload)
    user = require_sender(upload.user, upload.repo, upload.revision)
    file = _file(upload, number)
    if file.sha256:
        if file.sha256 != sha256:
            raise _mismatch(file)
        return file
    held = contents.claimed_by(upload.repo, [sha256]).get(sha256)
    if held is not None and held.size == file.size and permissions.can_download(user, upload.repo):
        drop_parts(upload, file)
        return mark(file, sha256, is_kept=True)
    if file.parts.count() != part_count(file.size):
        raise Conflict(_("Parts of “%(path)s” are missing: send them first.") % {"path": file.path[:200]})
    area = arriving_files()
    with area.hold(upload.key, str(number)):
        if area.digest(upload.key, number) != sha256:
            drop_parts(upload, file)
            raise _mismatch(file)
        return mark(file, sha256)


def forget_parts(upload: Upload, number: int) -> None:
    """Let a file be sent from its beginning, because it has changed."""
    _require_open(upload)
    file = _file(upload, number)
    with arriving_files().hold(upload.key, str(number)):
        drop_parts(upload, file)


def cancel(upload: Upload) -> None:
    """Forget an upload with all that has come of it, and give its room back."""
    with transaction.atomic():
        with suppress(NotFound):
            quotas.end_reservation(upload.repo, upload.key)
        Upload.objects.filter(pk=upload.pk).delete()
    arriving_files().drop_all(upload.key)


def sweep() -> int:
    """Forget what nobody went on with in time, and folders without a row; returns how many uploads that were."""
    area, ended = arriving_files(), 0
    for upload in Upload.objects.outdated().select_related("repo"):
        cancel(upload)
        ended += 1
    for key in area.keys_there():
        if not Upload.objects.filter(key=key).exists():
            area.drop_all(key)
    return ended


def may_commit(user: User, repo: Repo, revision: str) -> bool:
    """Say whether the files may go to the revision itself, not only to a pull request for it."""
    if pull_number(revision) is not None:
        return True
    return permissions.can_write(user, repo) and protecting.may_commit(user, repo, revision)


def _checked_places(folder: str, files: Sequence[Announced]) -> list[str]:
    if not files:
        raise InvalidInput(_("Choose at least one file."))
    if len(files) > staging.MAX_CHANGES:
        raise TooLarge(_("A commit may change at most %(max)d files.") % {"max": staging.MAX_CHANGES})
    places = [checking.normalize_path(f"{folder}/{one.path}" if folder else one.path) for one in files]
    if len(set(places)) != len(places):
        raise InvalidInput(_("Two of the files have the same name; upload them to different folders."))
    for place, one in zip(places, files, strict=True):
        if one.size > settings.MAX_FILE_BYTES:
            raise TooLarge(_("A file may have at most %(max)d bytes.") % {"max": settings.MAX_FILE_BYTES})
        if place in staging.ALWAYS_SMALL:
            staging.check_size(place, one.size)
    return places


def _require_slot(repo: Repo, user: User, size: int) -> None:
    """Bound what one person may keep waiting; of strangers the bytes too, which the owner's room bears."""
    mine = Upload.objects.unfinished().filter(repo=repo, user=user)
    if mine.count() >= MAX_UNFINISHED:
        raise QuotaExceeded(
            _("You have %(count)d unfinished uploads here: finish or cancel some of them.") % {"count": MAX_UNFINISHED}
        )
    if permissions.can_write(user, repo):
        return
    sent = Proposer.objects.filter(repo=repo, user=user).aggregate(total=Sum("sent"))["total"] or 0
    waiting = mine.aggregate(total=Sum("size"))["total"] or 0
    if sent + waiting + size > proposing.MAX_BYTES_PER_PROPOSER:
        raise QuotaExceeded(_("This is more than you may send to a repository of others."))


def _require_open(upload: Upload) -> None:
    if upload.page:
        raise Conflict(_("This upload is published already."))


def _sizes_here(repo: Repo, sizes: Iterable[int]) -> set[int]:
    wanted, found = list(sizes), set[int]()
    for start in range(0, len(wanted), BATCH):
        rows = RepoBlob.objects.filter(repo=repo, blob__size__in=wanted[start : start + BATCH])
        found.update(rows.values_list("blob__size", flat=True))
    return found


def _spans(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Turn ascending numbers into spans [first, last + 1)."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number:
            spans[-1] = (spans[-1][0], number + 1)
        else:
            spans.append((number, number + 1))
    return spans


def _files_of(upload: Upload, parts: Sequence[Part]) -> dict[int, UploadFile]:
    """Return the files that the parts belong to; raises for a part that no file has."""
    if not parts or len(parts) > MAX_PARTS_AT_ONCE:
        raise InvalidInput(_("Send 1 to %(max)d parts at once.") % {"max": MAX_PARTS_AT_ONCE})
    rows = upload.files.filter(number__in={part.file for part in parts})
    files = {file.number: file for file in rows}
    for part in parts:
        file = files.get(part.file)
        if file is None or not 0 <= part.number < part_count(file.size):
            raise NotFound(_("This upload has no such part."))
        if part.size != part_length(file.size, part.number):
            raise ContentRefused(
                _("Part %(number)d of “%(path)s” must have %(size)d bytes.")
                % {"number": part.number, "path": file.path[:200], "size": part_length(file.size, part.number)}
            )
    if sum(part.size for part in parts) > PART_BYTES:
        raise TooLarge(_("Parts that are sent together may have at most %(max)d bytes.") % {"max": PART_BYTES})
    return files


def _read_exactly(read: Callable[[int], bytes], part: Part) -> bytes:
    data = bytearray()
    while len(data) < part.size and (block := read(part.size - len(data))):
        data += block
    if len(data) != part.size:
        raise ContentRefused(_("The upload was cut off. Send the part again."))
    return bytes(data)


def _note(upload: Upload, files: dict[int, UploadFile], taken: Sequence[Part]) -> None:
    """Note what has come. A file that is one part is verified with it."""
    if not taken:
        return
    with transaction.atomic():
        if not Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() + LIFETIME):
            raise NotFound(_("There is no such upload; perhaps its days are over."))
        rows = [UploadPart(file=files[part.file], number=part.number, sha256=part.sha256) for part in taken]
        UploadPart.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
        whole = [part for part in taken if files[part.file].size <= PART_BYTES]
        for part in whole:
            files[part.file].sha256 = part.sha256
        UploadFile.objects.bulk_update([files[part.file] for part in whole], ("sha256",), batch_size=BATCH)


def _file(upload: Upload, number: int) -> UploadFile:
    file = upload.files.filter(number=number).first()
    if file is None:
        raise NotFound(_("This upload has no such file."))
    return file


def mark(file: UploadFile, sha256: str, *, is_kept: bool = False) -> UploadFile:
    """Note the digest of a verified file, and whether the repository has the content itself."""
    file.sha256, file.is_kept = sha256, is_kept
    file.save(update_fields=("sha256", "is_kept"))
    return file


def drop_parts(upload: Upload, file: UploadFile) -> None:
    """Forget what has come of a file."""
    file.parts.all().delete()
    mark(file, "")
    arriving_files().drop(upload.key, file.number)


def _mismatch(file: UploadFile) -> ContentRefused:
    return ContentRefused(
        _("“%(path)s” has arrived with another sha256 than it had when it was sent. It must be sent again.")
        % {"path": file.path[:200]}
    )
