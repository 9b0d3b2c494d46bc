"""What a client may ask to be run: three programs of git, each with the address of one repository. Nothing is run."""

import re
import shlex
from dataclasses import dataclass

from django.utils.translation import gettext as _

from models_hub.git.grants import DOWNLOAD, UPLOAD
from models_hub.git.serving import FETCH, PUSH
from models_hub.models import Repo
from portal.errors import InvalidInput

LFS = "git-lfs-authenticate"
MAX_COMMAND = 2000  # characters
_KINDS = {"datasets": Repo.Kind.DATASET, "spaces": Repo.Kind.SPACE}
_PLACE = re.compile(r"/?(?:(datasets|spaces)/)?([^/]+)/([^/]+?)(?:\.git)?/?")


class CommandRefused(InvalidInput):
    """The client asked for something else than git."""

    code = "bad_ssh_command"


@dataclass(frozen=True)
class Command:
    """One program and its repository; `operation` is what git-lfs is about to do."""

    program: str
    kind: str
    namespace: str
    name: str
    operation: str = ""


def read(text: str) -> Command:
    """Return what a client asks for; raises CommandRefused."""
    refused = CommandRefused(_("Only git may be used here: git clone, fetch and push, with git-lfs or without."))
    if len(text) > MAX_COMMAND:
        raise refused
    try:
        program, *arguments = shlex.split(text)
    except ValueError as error:  # an open quote, or nothing at all
        raise refused from error
    # git-lfs once sent the id of an object too, and may do so again.
    known = {FETCH: range(1, 2), PUSH: range(1, 2), LFS: range(2, 4)}
    if len(arguments) not in known.get(program, ()):
        raise refused
    operation = arguments[1] if program == LFS else ""
    if operation not in ("", UPLOAD, DOWNLOAD):
        raise refused
    place = _PLACE.fullmatch(arguments[0])
    if place is None:
        raise CommandRefused(_("The address of a repository ends in owner/name, of a data set in datasets/owner/name."))
    return Command(program, _KINDS.get(place[1], Repo.Kind.MODEL), place[2], place[3], operation)
