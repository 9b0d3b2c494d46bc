"""The showcase goes in over HTTP: sets by the hub client; runs, boards and scores by the REST API.

What is there already is found and not made again, so that a loading that was cut off is simply begun again.
"""

import logging
import time
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils.tqdm import disable_progress_bars

from demo.engine import OnLine
from demo.errors import DemoFailed
from demo.portal_api import PortalApi, Refused
from demo.showcase.sets import build_set, read_sources
from demo.showcase.world import BoardPlan, ModelPlan, SetPlan, World

LOOK_AGAIN = 2.0  # seconds
OVER = frozenset({"succeeded", "failed", "cancelled"})


class Showcase:
    """One loading: a portal, an account, a world."""

    def __init__(self, portal: PortalApi, hub: HfApi, owner: str, world: World, on_line: OnLine) -> None:
        self.portal, self.hub, self.owner, self.world, self.on_line = portal, hub, owner, world, on_line
        self.benchmarks: dict[str, int] = {}

    def name(self, repo: str) -> str:
        return f"{self.owner}/{repo.replace('_', '-')}"

    def publish_sets(self, data: Path, workdir: Path) -> None:
        """Publish each set and register its benchmark."""
        sources = read_sources(data)
        for plan in self.world.sets:
            if plan.name not in sources:
                raise DemoFailed(f"The data does not hold “{plan.name}”.")
            folder = build_set(plan, sources[plan.name], workdir / "sets" / plan.name)
            repo = self.name(plan.name)
            self.hub.create_repo(repo, repo_type="dataset", exist_ok=True)
            self.hub.upload_folder(
                repo_id=repo, repo_type="dataset", folder_path=folder, ignore_patterns=["*.part"],
                commit_message=f"Publish {plan.name}",
            )  # fmt: skip
            self.benchmarks[plan.name] = self.portal.post("benchmarks", {"dataset": repo, "revision": "main"})["id"]
            self.on_line(f"{repo} is published, with benchmark {self.benchmarks[plan.name]}.")

    def make_boards(self) -> None:
        """Make the boards that are not there."""
        for board in self.world.boards:
            entries = [{"id": self.benchmarks[name]} for name in board.sets]
            body = {"slug": board.name, "title": board.title, "title_zh": board.title_zh, "benchmarks": entries}
            try:
                self.portal.post("suites", body)
                self.on_line(f"The board “{board.name}” is made.")
            except Refused as refused:
                if not refused.is_conflict:
                    raise

    def train_models(self) -> None:
        """Have each model trained that is not there, and show it to everybody; each is submitted when it is done."""
        for plan in self.world.models:
            run = self._run_of(plan) or self._ask(plan)
            run = self._wait(f"runs/{run['id']}", f"run {run['id']} ({plan.name})")
            if run["state"] != "succeeded":
                raise DemoFailed(f"Run {run['id']} of {plan.name} {run['state']}: {run.get('error') or ''}")
            self.portal.post(f"runs/{run['id']}/publication", {})
            self.on_line(f"{self.name(plan.name)} is trained.")
            for board in self.world.boards_of(plan):
                self.portal.post(f"suites/{board.name}/submissions", {"model": self.name(plan.name)})

    def wait_for_scores(self) -> None:
        """Return when each model has the scores of its boards; raises DemoFailed where one cannot be had."""
        for plan in self.world.models:
            for board in self.world.boards_of(plan):
                self._scores_of(plan, board)
        self.on_line(f"{len(self.world.models)} models have their scores on {len(self.world.boards)} boards.")

    def _scores_of(self, plan: ModelPlan, board: BoardPlan) -> None:
        answer = self.portal.post(f"suites/{board.name}/submissions", {"model": self.name(plan.name)})
        for result in answer["results"]:
            if result.get("error"):
                raise DemoFailed(f"{plan.name} on {board.name}: {result['error']}")
            number = result["evaluation"]["id"]
            done = self._wait(f"evaluations/{number}", f"evaluation {number} ({plan.name})")
            if done["state"] != "succeeded":
                raise DemoFailed(f"Evaluation {number} of {plan.name} {done['state']}.")

    def _run_of(self, plan: ModelPlan) -> dict[str, Any] | None:
        """Return a run that made, or is making, this model."""
        path = "runs?kind=finetune"
        while path:
            page = self.portal.get(path)
            for run in page["results"]:
                if run["target"] == self.name(plan.name) and run["state"] not in ("failed", "cancelled"):
                    return dict(run)
            following = page.get("next") or ""
            path = following.partition("/api/v1/")[2]
        return None

    def _ask(self, plan: ModelPlan) -> dict[str, Any]:
        own = next(one for one in self.world.sets if one.name == plan.set)
        body: dict[str, Any] = {
            "task": own.task,
            "dataset": self.name(plan.set),
            "files": {"train": "data/train.jsonl", "dev": "data/dev.jsonl", "test": "data/test.jsonl"},
            "target": self.name(plan.name),
            "architecture": plan.sizes,
            "recipe": _recipe(plan, own),
            "title": plan.name,
        }
        if own.fields:
            body["fields"] = own.fields
        if plan.teacher:
            body["teacher"] = {"model": self.name(plan.teacher)}
        return self.portal.post("runs", body)

    def _wait(self, path: str, what: str) -> dict[str, Any]:
        told = ""
        while (found := self.portal.get(path))["state"] not in OVER:
            if (state := str(found["state"])) != told:
                self.on_line(f"{what}: {state}")
                told = state
            time.sleep(LOOK_AGAIN)
        return found


def load(world: World, data: Path, workdir: Path, url: str, token: str, on_line: OnLine) -> None:
    """Publish, train, submit and wait for all scores."""
    portal = PortalApi(url, token)
    portal.require_alive()
    disable_progress_bars()  # the lines go to a log
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # which tells of each request
    hub = HfApi(endpoint=url.rstrip("/"), token=token, library_name="showcase")
    showcase = Showcase(portal, hub, hub.whoami()["name"], world, on_line)
    try:
        showcase.publish_sets(data, workdir)
    except HfHubHTTPError as error:
        raise DemoFailed(f"The portal refused to publish: {error}") from error
    showcase.make_boards()
    showcase.train_models()
    showcase.wait_for_scores()


def _recipe(plan: ModelPlan, own: SetPlan) -> dict[str, Any]:
    longest = {"max_length": own.max_length} if own.max_length else {}
    return {"batch_size": 32, **longest, **plan.recipe}
