"""Files of well-known sets, written by hand in the forms in which they are published, and what is imported of them."""

import json
from pathlib import Path

from leaderboard.catalogue.entries import entries
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.importing import import_files


def given(folder: Path, **contents: str | bytes) -> list[Upload]:
    """Files by their names; a double underscore stands for a point, since names of arguments have none."""
    uploads = []
    for at, (name, content) in enumerate(contents.items()):
        path = folder / f"upload-{at}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        uploads.append(Upload(name.replace("__", "."), path))
    return uploads


def imported(name: str, uploads: list[Upload], folder: Path) -> list[dict]:
    out = folder / "rows.jsonl"
    result = import_files(entries()[name], uploads, out)
    made = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    if entries()[name].task != "text-retrieval":  # their queries have names of their own
        assert [row.pop("id") for row in made] == [f"{at:06d}" for at in range(result.rows)]
    return made


def lines(*records: dict) -> str:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)


SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Cats",
            "paragraphs": [
                {
                    "context": "Cats sleep. Dogs bark.",
                    "qas": [
                        {"id": "a", "question": "Who barks?", "answers": [{"text": "Dogs", "answer_start": 12}]},
                        {"id": "b", "question": "Who sings?", "answers": [], "is_impossible": True},
                        {"id": "c", "question": "Who sleeps?", "answers": [{"text": "Cats", "answer_start": 3}]},
                    ],
                }
            ],
        }
    ],
}
CMRC = [
    {
        "context_id": "1",
        "title": "猫",
        "context_text": "猫会睡觉，狗会叫。",
        "qas": [{"query_id": "1", "query_text": "谁会叫？", "answers": ["狗", "狗", "狗会叫"]}],
    }
]
