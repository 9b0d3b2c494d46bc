"""Which test files come first, and which ones one process runs together."""

from xdist.scheduler import LoadFileScheduling

# They share a portal whose demo was trained and scored, which takes minutes of a core.
WITH_DEMO = ("tests/full/test_scores.py", "tests/full/test_browser.py")
# The longest first, each a minute and more. What is not named here is short, or is many short tests.
LONG = (
    *WITH_DEMO,
    "tests/pages/test_pages_of_people.py",
    "tests/pages/test_pages_of_repositories.py",
    "tests/worker/test_relay_live.py",
    "tests/models_hub/test_private_is_missing.py",
    "tests/full/test_browser_uploads.py",
    "tests/worker/test_remote_worker.py",
    "tests/pages/test_nothing_runs.py",
    "tests/forum/test_tutorials.py",
    "tests/worker/test_run_portal.py",
    "tests/models_hub/test_permission_matrix.py",
    "tests/models_hub/test_write_doors.py",
    "tests/engine/test_command_line.py",
)


def place_of(test: str, *, is_live: bool) -> tuple[int, bool]:
    """Return what to sort tests by: the long files, then what waits for real processes, then the rest."""
    file = test.partition("::")[0]
    return (LONG.index(file) if file in LONG else len(LONG), not is_live)


class FilesTogether(LoadFileScheduling):
    """A file at a time to each process; those with the demo are as one file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return WITH_DEMO[0] if file in WITH_DEMO else file
