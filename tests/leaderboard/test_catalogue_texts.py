"""Published files of passages, searches, problems and running text become rows of ours."""

import json

import pytest

from leaderboard.catalogue.refusals import ImportRefused
from tests.leaderboard.published import CMRC, SQUAD, given, imported, lines

CASES = [
    (
        "cmrc2018",
        {"cmrc2018_dev__json": json.dumps(CMRC)},
        [
            {
                "context": "猫会睡觉，狗会叫。",
                "question": "谁会叫？",
                "answers": [{"text": "狗", "start": 5}, {"text": "狗会叫", "start": 5}],
            }
        ],
    ),
    (
        "squad2",
        {"dev-v2__0__json": json.dumps(SQUAD)},
        [
            {
                "context": "Cats sleep. Dogs bark.",
                "question": "Who barks?",
                "answers": [{"text": "Dogs", "start": 12}],
            },
            {"context": "Cats sleep. Dogs bark.", "question": "Who sings?", "answers": []},
            # Its place was wrong in the file, and is near.
            {
                "context": "Cats sleep. Dogs bark.",
                "question": "Who sleeps?",
                "answers": [{"text": "Cats", "start": 0}],
            },
        ],
    ),
    (
        "gsm8k",
        {"test__jsonl": lines({"question": "How many?", "answer": "1000+200=<<1000+200=1200>>1200\n#### 1,200"})},
        [{"question": "How many?", "answer": "1200", "solution": "1000+200=<<1000+200=1200>>1200\n#### 1,200"}],
    ),
    ("mgsm-zh", {"mgsm_zh__tsv": "有几颗蛋？\t18\n"}, [{"question": "有几颗蛋？", "answer": "18"}]),
    (
        "svamp",
        {"SVAMP__json": json.dumps([{"ID": "1", "Body": "He has 8.", "Question": "How many?", "Answer": 8.0}])},
        [{"question": "He has 8. How many?", "answer": "8"}],
    ),
    (
        "lambada",
        {"lambada_test__jsonl": lines({"text": "I don't care about\n\nthe signs"})},
        [{"text": "signs", "context": "I don't care about\n\nthe"}],
    ),
    (
        "beir-arguana",
        {
            "queries__jsonl": lines(
                {"_id": "a", "text": "Cats?"}, {"_id": "b", "text": "Dogs?"}, {"_id": "c", "text": "?"}
            ),
            "corpus__jsonl": lines(
                {"_id": "a", "title": "", "text": "Cats?"},
                {"_id": "x", "title": "On cats", "text": "No cats."},
                {"_id": "y", "title": "", "text": " "},
            ),
            "test__tsv": "query-id\tcorpus-id\tscore\na\tx\t1\na\ty\t2\nb\tgone\t1\nc\tx\t0\n",
        },
        [{"id": "a", "query": "Cats?", "relevant": {"x": 1.0}}],
    ),
    (
        "askubuntu-reranking",
        {
            "test__jsonl": lines(
                {"query": "How?", "positive": ["So how?"], "negative": ["Why?", "Why?", "So how?"]},
                {"query": "Who?", "positive": [], "negative": ["Why?"]},
            )
        },
        [{"query": "How?", "candidates": ["So how?", "Why?"], "relevance": [1.0, 0.0]}],
    ),
    (
        "tatoeba-en-zh",
        {"cmn__txt": "Hi.\t嗨。\tCC-BY 2.0 (France)\n"},
        [{"source": "Hi.", "target": "嗨。", "attribution": "CC-BY 2.0 (France)"}],
    ),
    (
        "flores200-en-zh",
        {"eng_Latn__devtest": "One.\nTwo.\n", "zho_Hans__devtest": "一。\n二。\n"},
        [{"source": "One.", "target": "一。"}, {"source": "Two.", "target": "二。"}],
    ),
    (
        "song-ci",
        {"ci__song__0__json": json.dumps([{"author": "苏轼", "rhythmic": "水调歌头", "paragraphs": ["明月几时有。"]}])},
        [{"text": "水调歌头\n苏轼\n明月几时有。"}],
    ),
    (
        "wikitext2",
        {"wiki__test__raw": " \n = Title = \n Words here . \n"},
        [{"text": "= Title ="}, {"text": "Words here ."}],
    ),
]


@pytest.mark.parametrize(("name", "contents", "expected"), CASES, ids=[case[0] for case in CASES])
def test_published_files_become_rows(name, contents, expected, tmp_path):
    assert imported(name, given(tmp_path, **contents), tmp_path) == expected


def test_documents_become_a_file_beside_the_queries(tmp_path):
    contents = dict(next(contents for name, contents, _expected in CASES if name == "beir-arguana"))
    imported("beir-arguana", given(tmp_path, **contents), tmp_path)
    documents = [json.loads(line) for line in (tmp_path / "corpus.jsonl").read_text("utf-8").splitlines()]
    assert documents == [
        {"id": "a", "title": "", "text": "Cats?"}, {"id": "x", "title": "On cats", "text": "No cats."},
    ]  # fmt: skip
    del contents["test__tsv"]
    with pytest.raises(ImportRefused) as refused:
        imported("beir-arguana", given(tmp_path, **contents), tmp_path)
    assert (refused.value.code, "qrels/test.tsv" in refused.value.data["expected"]) == ("no_such_file", True)


def test_spaces_move_no_place_of_an_answer(tmp_path):
    text = (
        json.dumps(SQUAD)
        .replace("Cats sleep. Dogs", "  Cats sleep. Dogs")
        .replace('"text": "Dogs", "answer_start": 12', '"text": " Dogs", "answer_start": 13')
    )
    made = imported("squad", given(tmp_path, **{"dev-v1__1__json": text}), tmp_path)
    assert made[0]["context"].startswith("  Cats")
    assert made[0]["answers"] == [{"text": "Dogs", "start": 14}]
