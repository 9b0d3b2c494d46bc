"""Running text and conversations are read as what models learn from, and tested where they can be."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from tests.engine.builders import write_jsonl
from worker.engine.progress import Progress
from worker.engine.tuning.contracts import ArrangeSpec


def arranged(folder: Path, task: str, rows: list[dict[str, Any]], **more: Any) -> dict[str, list[dict[str, Any]]]:
    from worker.engine.tuning.arranging import arrange

    train = write_jsonl(folder / "rows.jsonl", rows)
    arrange(ArrangeSpec(task=task, files={"train": str(train)}, out_dir=str(folder), **more), Progress(StringIO()))
    found = {}
    for name in ("train", "dev", "test_inputs", "test_gold"):
        path = folder / f"{name}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found[name] = [json.loads(line) for line in lines]
    return found


def test_of_running_text_a_word_is_hidden_in_the_test_part_alone(tmp_path):
    texts = [f"the quick fox number {number} jumps over 懒狗" for number in range(20)]
    found = arranged(tmp_path, "fill-mask", [{"text": text} for text in texts], test_share=0.2, dev_share=0.2)
    assert all("[MASK]" not in row["question"]["text"] for row in found["train"] + found["dev"])
    assert len(found["test_inputs"]) >= 2
    for question, gold in zip(found["test_inputs"], found["test_gold"], strict=True):
        assert question["text"].replace("[MASK]", gold["answers"][0]) in texts


def test_texts_with_a_gap_of_their_own_are_read_as_they_are(tmp_path):
    rows = [{"text": f"{number} the [MASK] sat", "answer": "cat"} for number in range(20)]
    found = arranged(tmp_path, "fill-mask", rows, fields={"target": "answer"})
    assert found["train"][0]["gold"] == {"answers": ["cat"]}


def test_conversations_are_kept_whole_and_none_is_set_aside_for_a_test(tmp_path):
    turns = [{"role": "user", "content": "hi {}"}, {"role": "assistant", "content": "hello {}"}]
    rows = [
        {"messages": [{**turn, "content": turn["content"].format(number)} for turn in turns]} for number in range(20)
    ]
    found = arranged(tmp_path, "text-generation", rows)
    assert len(found["train"]) + len(found["dev"]) == 20
    assert found["test_inputs"] == []
    assert [turn["role"] for turn in found["train"][0]["question"]["messages"]] == ["user", "assistant"]


def test_a_conversation_without_an_answer_is_left_out_and_counted(tmp_path):
    good = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    rows = [{"chat": [*good, {"role": "user", "content": str(number)}]} for number in range(10)]
    rows += [{"chat": good[:1]}, {"chat": [{"role": "wizard", "content": "boo"}]}, {"chat": 5}]
    arranged(tmp_path, "text-generation", rows, fields={"input": "chat"})
    report = json.loads((tmp_path / "data.json").read_text(encoding="utf-8"))
    assert report["skipped"]["train"] == 3
