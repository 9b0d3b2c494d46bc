"""The layers of docs/ARCHITECTURE.md hold, in the source and in the running web process."""

import subprocess
import sys

from tests.live import ROOT, LivePortal

HEAVY = ("duckdb", "torch", "transformers", "tokenizers", "sklearn", "worker")
# Frameworks import these where they find them; without PostgreSQL no request needs them.
UNUSED = ("chardet", "psycopg", "jinja2", "requests")
# What children render with, and what only a domain that is to be proved needs.
ELSEWHERE = ("markdown", "pygments", "latex2mathml", "dns")


def test_imports_point_down():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_web_process_imports_nothing_heavy(tmp_path):
    code = (
        "import sys\n"
        "from portal.config.wsgi import application\n"
        "from django.urls import get_resolver\n"
        "from django.core.management import call_command\n"
        "call_command('check')\n"
        "assert get_resolver().url_patterns\n"
        f"print([name for name in {(*HEAVY, *UNUSED, *ELSEWHERE)!r} if name in sys.modules])\n"
    )
    portal = LivePortal(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=portal.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    # worker is an installed app for its commands; its package alone is light.
    assert done.stdout.strip().splitlines()[-1] in {"[]", "['worker']"}


def test_a_worker_imports_of_the_engine_what_is_light(tmp_path):
    """What answers and scores runs in children; a worker that loads it as well is larger for nothing."""
    heavy = [
        *(name for name in (*HEAVY, *UNUSED, *ELSEWHERE) if name not in {"worker", "requests"}),
        "numpy",
        "PIL",
        "sacrebleu",
        "opencc",
        "worker.engine.tasks",
    ]
    code = (
        "import sys; from portal.config.unused import set_up_without; set_up_without(); import worker.tasks\n"
        f"print([name for name in {heavy!r} if sys.modules.get(name)])"
    )
    portal = LivePortal(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=portal.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stderr


def test_a_running_web_process_holds_no_torch(live_portal: LivePortal):
    """Read from the kernel which libraries the real processes have mapped, after pages were served."""
    import requests

    for path in ("/", "/models", "/leaderboard", "/api/models"):
        assert requests.get(live_portal.url + path, timeout=30).status_code == 200, path
    assert live_portal.process is not None
    children = subprocess.run(
        ["pgrep", "-P", str(live_portal.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert children
    for pid in [str(live_portal.process.pid), *children]:
        with open(f"/proc/{pid}/maps") as maps:
            assert "libtorch" not in maps.read()
