"""The showcase: sets become benchmarks as they are, and what was cut off goes on without doing anything twice."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demo.errors import DemoFailed
from demo.showcase import read_world
from demo.showcase.loading import Showcase
from demo.showcase.sets import build_set, definition, read_sources
from demo.showcase.world import SetPlan, World
from leaderboard import definitions
from models_hub import cards
from tests.servers import absent

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sets of three rows, and the list that says what they are."""
    told = {"tier": "open", "lang": "en", "licence": "CC BY 4.0", "citation": "Nobody 1999"}
    rows = {
        "reviews": [{"text": f"text {n}", "label": label} for n, label in enumerate(("bad", "good", "bad"))],
        "names": [{"tokens": ["Ada"], "tags": ["B-PER"]}, {"tokens": ["x", "y"], "tags": ["O", "B-LOC"]}] * 2,
    }
    for name, own in rows.items():
        for split in ("train", "test"):
            path = tmp_path / "data" / "open" / name / f"{split}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(row) + "\n" for row in own))
    (tmp_path / "data" / "datasets.json").write_text(json.dumps([{**told, "name": name} for name in rows]))
    return tmp_path / "data"


def test_a_set_becomes_a_folder_whose_card_and_benchmark_the_hub_accepts(data, tmp_path):
    plan = SetPlan(name="reviews", task="text-classification", title="Reviews", title_zh="评论", rows=2)
    folder = build_set(plan, read_sources(data)["reviews"], tmp_path / "out")
    found = definitions.parse((folder / "eval.yaml").read_text(encoding="utf-8"))
    assert found.labels == ["bad", "good"]
    assert len((folder / "data" / "test.jsonl").read_text().splitlines()) == 2
    assert len((folder / "data" / "train.jsonl").read_text().splitlines()) == 3
    assert cards.read_metadata((folder / "README.md").read_text(encoding="utf-8"))["license"] == "cc-by-4.0"


def test_tags_are_complete_even_where_no_row_goes_on_with_a_name(data):
    plan = SetPlan(name="names", task="token-classification", title="Names", title_zh="名称")
    assert definition(plan, read_sources(data)["names"])["labels"] == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_a_folder_without_a_list_is_named(tmp_path):
    with pytest.raises(DemoFailed, match="--data"):
        read_sources(tmp_path)


def test_a_board_needs_all_of_its_sets():
    part = read_world().of_sets(frozenset({"tinyshakespeare", "blimp"}))
    assert [board.name for board in part.boards] == []
    assert {model.set for model in part.models} == {"tinyshakespeare"}
    with pytest.raises(DemoFailed, match="no set moon"):
        read_world().of_sets(frozenset({"moon"}))


@pytest.mark.parametrize("plan", read_world().sets, ids=lambda plan: plan.name)
def test_each_set_of_the_world_is_a_benchmark(plan):
    if not DATA.is_dir():
        absent("needs the data sets beside the repository")
    source = read_sources(DATA)[plan.name]
    assert definitions.parse(json.dumps(definition(plan, source))).task == plan.task


class Portal:
    """Answers as a portal does that trains and scores at once, and counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.runs: list[dict[str, Any]] = []

    def get(self, path: str) -> dict[str, Any]:
        if path.startswith("runs?"):
            return {"results": self.runs, "next": None}
        return {"id": 1, "state": "succeeded"}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked[path] += 1
        if path == "runs":
            self.runs.append({"id": len(self.runs) + 1, "target": body["target"], "state": "succeeded"})
            return self.runs[-1]
        return {"results": [{"evaluation": {"id": 1}, "error": None}]}


def test_a_loading_that_is_begun_again_trains_no_model_twice():
    world = read_world()
    portal = Portal()
    for _ in range(2):
        Showcase(portal, None, "showcase", world, lambda _line: None).train_models()  # type: ignore[arg-type]
    assert portal.asked["runs"] == len(world.models)


def test_a_pupil_learns_from_its_teacher():
    world = read_world()
    wishes: list[dict[str, Any]] = []

    class Asked(Portal):
        def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
            if path == "runs":
                wishes.append(body)
            return super().post(path, body)

    pupil = next(model for model in world.models if model.teacher)
    Showcase(Asked(), None, "me", World(world.sets, (pupil,), ()), lambda _line: None).train_models()  # type: ignore[arg-type]
    assert wishes[0]["teacher"] == {"model": f"me/{pupil.teacher}"}
