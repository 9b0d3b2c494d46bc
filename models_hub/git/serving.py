"""What git may ask of a repository, whatever carries the question: requests over HTTP, or one long talk over SSH."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from models_hub import downloading, permissions, proposing, pushing
from models_hub.git import advertising, fetching, pktlines
from models_hub.git.pktlines import Line, Mark
from models_hub.models import Repo
from portal.authentication import Caller

FETCH, PUSH = "git-upload-pack", "git-receive-pack"
FETCH_COMMAND = b"command=fetch"  # of protocol 2; the older ones know no other
MAX_FETCH_BYTES = 16 * 1024 * 1024  # of a request: 300,000 commits that a client has
MAX_ARGUMENTS = 400_000  # of a command: so many short lines would take ten times their bytes in memory


def require_fetcher(caller: Caller, repo: Repo) -> None:
    """Let in who may read the repository’s files."""
    permissions.require_download(caller.user, repo)


def require_pusher(caller: Caller, repo: Repo) -> None:
    """Let in who may push something; each reference is asked for when it comes."""
    pushing.require_someone(repo, by=caller.user)
    caller.require_write()


def require_sender(caller: Caller, repo: Repo) -> None:
    """Let in who may send content: writers may, and readers for a pull request; no commit comes of it."""
    proposing.require_proposer(caller.user, repo)
    permissions.require_download(caller.user, repo)
    caller.require_write()


def is_version_2(protocol: str) -> bool:
    """Return whether a client speaks protocol 2; it says so in a header, or in the variable GIT_PROTOCOL."""
    return "version=2" in protocol.split(":")


def note_fetch(repo: Repo, caller: Caller, *, address: str, agent: str) -> None:
    """Count a fetch as a download."""
    downloading.note(repo, by=caller.user, address=address, agent=agent)


def command(lines: Iterator[Line]) -> tuple[bytes | None, list[bytes]]:
    """Read one command of protocol 2 with its arguments; None when the client had nothing to ask."""
    first = next(lines, None)
    if not isinstance(first, bytes):
        return None, []
    for one in lines:  # what the client can do
        if one is Mark.DELIMITER:
            break
        if one is Mark.FLUSH:
            return first, []
    arguments = []
    for one in lines:
        if one is Mark.FLUSH:
            break
        if isinstance(one, bytes):
            arguments.append(one)
        if len(arguments) > MAX_ARGUMENTS:
            raise pktlines.LineRefused(_("The request is not one of git’s."))
    return first, arguments


def answer(repo: Repo, command: bytes, arguments: list[bytes]) -> Iterator[bytes]:
    """Yield the answer to a command of protocol 2."""
    if command == b"command=ls-refs":
        return advertising.ls_refs(repo, arguments)
    if command == FETCH_COMMAND:
        return fetching.answer_v2(repo, arguments)
    raise pktlines.LineRefused(_("The request is not one of git’s."))
