"""The demo goes in over HTTP, as any user's work does: the hub client for files, the REST API for scores.

Every step may be repeated: what is there already is found, not doubled. So a publishing that was killed is run again.
"""

from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils.tqdm import disable_progress_bars

from demo.building import DemoContent
from demo.dataset import DATASET, OWNER
from demo.engine import OnLine
from demo.errors import DemoFailed
from demo.portal_api import PortalApi, Refused

SUITE = {
    "slug": "sentiment",
    "title": "Sentiment",
    "title_zh": "情感分析",
    "description": "Positive or negative? Short texts in English and Chinese.",
    "description_zh": "正面还是负面？中英文短文的情感判断。",
}


def publish(content: DemoContent, url: str, token: str, on_line: OnLine) -> None:
    """Publish the folders, register the benchmark and its board, and ask for a score of each model."""
    portal = PortalApi(url, token)
    portal.require_alive()
    try:
        hub = HfApi(endpoint=url.rstrip("/"), token=token, library_name="demo")
        _publish_folders(hub, content, on_line)
    except HfHubHTTPError as error:
        raise DemoFailed(f"The portal refused to publish: {error}") from error
    benchmark = portal.post("benchmarks", {"dataset": DATASET, "revision": "main"})["id"]
    on_line(f"Benchmark {benchmark} is registered.")
    _make_board(portal, benchmark, on_line)
    for model in content.models:
        repo = f"{OWNER}/{model.recipe.name}"
        evaluation = portal.post("evaluations", {"model": repo, "benchmark": benchmark})
        on_line(f"Evaluation {evaluation['id']} of {repo} is requested.")


def _publish_folders(hub: HfApi, content: DemoContent, on_line: OnLine) -> None:
    disable_progress_bars()  # the lines go to a log
    name = hub.whoami()["name"]
    if name != OWNER:
        raise DemoFailed(f"The token belongs to “{name}”; the demo is published with a token of “{OWNER}”.")
    _publish_folder(hub, DATASET, content.dataset, "dataset", on_line)
    for model in content.models:
        _publish_folder(hub, f"{OWNER}/{model.recipe.name}", model.folder, "model", on_line)


def _publish_folder(hub: HfApi, repo: str, folder: Path, kind: str, on_line: OnLine) -> None:
    hub.create_repo(repo, repo_type=kind, exist_ok=True)
    # The client sends only what differs, and makes no commit when nothing does.
    commit = hub.upload_folder(
        repo_id=repo,
        repo_type=kind,
        folder_path=folder,
        ignore_patterns=["*.part"],
        commit_message=f"Publish {repo.rpartition('/')[2]}",
    )
    on_line(f"Published {repo} at {commit.oid[:12]}.")


def _make_board(portal: PortalApi, benchmark: int, on_line: OnLine) -> None:
    body: dict[str, Any] = {**SUITE, "benchmarks": [{"id": benchmark}]}
    try:
        portal.post("suites", body)
        on_line(f"The board “{SUITE['slug']}” is made.")
    except Refused as refused:
        if not refused.is_conflict:
            raise
        # A board that somebody arranged is theirs: it stays as it is.
        shown = {entry["id"] for entry in portal.get(f"suites/{SUITE['slug']}")["benchmarks"]}
        state = "is there already" if benchmark in shown else "shows other benchmarks and stays as it is"
        on_line(f"The board “{SUITE['slug']}” {state}.")
