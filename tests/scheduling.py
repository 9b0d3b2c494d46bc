"""Which test files come first, which ones one process runs together, and which process takes what."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

# They share a portal whose demo was trained and scored, which takes minutes of a core.
WITH_DEMO = ("tests/full/test_scores.py", "tests/full/test_browser.py")
# They share a portal with something on every page, which takes many seconds of a core.
WITH_STOCK = (
    "tests/pages/test_pages_of_people.py",
    "tests/pages/test_pages_of_repositories.py",
    "tests/pages/test_without_scripts.py",
    "tests/pages/test_board_in_browser.py",
)
TOGETHER = {file: files[0] for files in (WITH_DEMO, WITH_STOCK) for file in files}
# The longest first, each a minute and more. What is not named here is short, or is many short tests.
LONG = (
    *WITH_DEMO,
    *WITH_STOCK,
    "tests/worker/test_relay_live.py",
    "tests/models_hub/test_private_is_missing.py",
    "tests/full/test_browser_uploads.py",
    "tests/worker/test_remote_worker.py",
    "tests/pages/test_nothing_runs.py",
    "tests/forum/test_tutorials.py",
    "tests/worker/test_runs_live.py",
    "tests/wire/test_transformers.py",
    "tests/worker/test_run_portal.py",
    "tests/models_hub/test_permission_matrix.py",
    "tests/models_hub/test_write_doors.py",
    "tests/engine/test_command_line.py",
)
# Of so many processes the last one begins at the end.
TURN = 4


def place_of(test: str, *, is_live: bool) -> tuple[int, bool]:
    """Return what to sort tests by: the long files, then what waits for real processes, then the rest."""
    file = test.partition("::")[0]
    return (LONG.index(file) if file in LONG else len(LONG), not is_live)


class FilesTogether(LoadFileScheduling):
    """A file at a time to each process; those that share something dear are as one file.

    The front of the queue waits for other processes most of the time, its end computes. Some processes begin there, so
    that the cores have something to do while the others wait.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER.get(file, file)

    def _assign_work_unit(self, node: Any) -> None:
        if self.nodes.index(node) % TURN == TURN - 1:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
