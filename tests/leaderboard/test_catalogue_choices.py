"""Published files of sets with given answers become rows of ours."""

import io
import json
import tarfile
import zipfile

import pytest

from leaderboard.catalogue.entries import entries
from leaderboard.catalogue.importing import import_files
from tests.leaderboard.published import given, imported, lines

CASES = [
    (
        "clue-chid",
        {
            "dev__json": lines(
                {"content": ["发展#idiom000001#，令人#idiom000002#。"], "candidates": ["日新月异", "刮目相看"]}
            ),
            "dev_answer__json": json.dumps({"#idiom000001#": 0, "#idiom000002#": 1}),
        },
        [
            {"question": "发展____，令人……。", "choices": ["日新月异", "刮目相看"], "answer": 0},
            {"question": "发展……，令人____。", "choices": ["日新月异", "刮目相看"], "answer": 1},
        ],
    ),
    (
        "c3",
        {
            "c3-d-test__json": json.dumps(
                [
                    [
                        ["男：你好。", "女：你好。"],
                        [{"question": "他们？", "choice": ["问好", "告别"], "answer": "告别"}],
                        "1",
                    ]
                ]
            )
        },
        [{"question": "男：你好。\n女：你好。\n他们？", "choices": ["问好", "告别"], "answer": 1}],
    ),
    (
        "copa",
        {
            "val__jsonl": lines(
                {
                    "premise": "The man fell.",
                    "choice1": "He slipped.",
                    "choice2": "He sat.",
                    "question": "cause",
                    "label": 0,
                }
            )
        },
        [{"question": "The man fell because", "choices": ["he slipped.", "he sat."], "answer": 0}],
    ),
    (
        "xcopa-zh",
        {
            "test__zh__jsonl": lines(
                {
                    "premise": "这个人摔倒了。",
                    "choice1": "他滑了。",
                    "choice2": "他坐着。",
                    "question": "effect",
                    "label": 1,
                }
            )
        },
        [{"question": "这个人摔倒了，所以", "choices": ["他滑了。", "他坐着。"], "answer": 1}],
    ),
    (
        "arc-challenge",
        {
            "ARC-Challenge-Test__jsonl": lines(
                {
                    "id": "M",
                    "answerKey": "2",
                    "question": {
                        "stem": "Why?",
                        "choices": [{"text": "so", "label": "1"}, {"text": "no", "label": "2"}],
                    },
                }
            )
        },
        [{"question": "Why?", "choices": ["so", "no"], "answer": 1}],
    ),
    (
        "hellaswag",
        {
            "hellaswag_val__jsonl": lines(
                {
                    "ind": 24,
                    "activity_label": "Roof",
                    "ctx_a": "A man is on a roof.",
                    "ctx_b": "he",
                    "endings": ["is [substeps] here.", "sits.", "rips.", "starts [title] up."],
                    "label": 3,
                }
            )
        },
        [
            {
                "question": "Roof: A man is on a roof. He",
                "choices": ["is here.", "sits.", "rips.", "starts. up."],
                "answer": 3,
            }
        ],
    ),
    (
        "winogrande",
        {
            "dev__jsonl": lines(
                {"sentence": "Ann saw Eve as _ left.", "option1": "Ann", "option2": "Eve", "answer": "2"}
            )
        },
        [{"question": "Ann saw Eve as", "choices": ["Ann left.", "Eve left."], "answer": 1}],
    ),
    (
        "piqa",
        {"valid__jsonl": lines({"goal": "open", "sol1": "pull", "sol2": "eat"}), "valid-labels__lst": "0\n"},
        [{"question": "open", "choices": ["pull", "eat"], "answer": 0}],
    ),
    (
        "gaokao",
        {
            "gaokao-biology__jsonl": lines(
                {"passage": None, "question": "正确的是", "options": ["(A)一", "(B)二"], "label": "B"},
                {"passage": None, "question": "都正确的是", "options": ["(A)一", "(B)二"], "label": ["A", "B"]},
            )
        },
        [{"question": "正确的是", "choices": ["一", "二"], "answer": 1, "subject": "gaokao-biology"}],
    ),
    (
        "blimp",
        {
            "adjunct_island__jsonl": lines(
                {
                    "sentence_good": "Who left?",
                    "sentence_bad": "Left who?",
                    "field": "syntax",
                    "linguistics_term": "island_effects",
                    "UID": "adjunct_island",
                    "pairID": "0",
                }
            )
        },
        [{"good": "Who left?", "bad": "Left who?", "phenomenon": "island_effects", "paradigm": "adjunct_island"}],
    ),
    (
        "sling",
        {"haishi_ma__jsonl": lines({"sentence_good": "是猫还是狗?", "sentence_bad": "是猫还是狗吗?"})},
        [{"good": "是猫还是狗?", "bad": "是猫还是狗吗?", "phenomenon": "haishi_ma", "paradigm": "haishi_ma"}],
    ),
]


@pytest.mark.parametrize(("name", "contents", "expected"), CASES, ids=[case[0] for case in CASES])
def test_published_files_become_rows(name, contents, expected, tmp_path):
    assert imported(name, given(tmp_path, **contents), tmp_path) == expected


def test_true_answers_do_not_all_come_first(tmp_path):
    document = [
        {"question": f"Question {at}?", "mc1_targets": {"Truth.": 1, "Lie.": 0, "Error.": 0}} for at in range(60)
    ]
    made = imported("truthfulqa-mc1", given(tmp_path, mc_task__json=json.dumps(document)), tmp_path)
    assert all(row["choices"][row["answer"]] == "Truth." for row in made)
    assert {row["answer"] for row in made} == {0, 1, 2}
    assert made == imported("truthfulqa-mc1", given(tmp_path, mc_task__json=json.dumps(document)), tmp_path)


def test_subjects_come_from_the_names_of_files(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for subject in ("anatomy", "virology"):
            content = f'"Which, of {subject}?",a,b,c,d,D\n'.encode()
            member = tarfile.TarInfo(f"data/test/{subject}_test.csv")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("data/test/passwords_test.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    made = imported("mmlu", given(tmp_path, data__tar__gz=packed.getvalue()), tmp_path)
    assert [(row["subject"], row["answer"]) for row in made] == [("anatomy", 3), ("virology", 3)]


def test_examples_for_prompts_become_a_file_of_their_own(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data/test/anatomy_test.csv", "Which?,a,b,c,d,D\n")
        archive.writestr("data/dev/anatomy_dev.csv", "What?,a,b,c,d,A\nWho?,a,b,c,d,B\n")
    uploads = given(tmp_path, data__zip=packed.getvalue())
    result = import_files(entries()["mmlu"], uploads, tmp_path / "rows.jsonl")
    examples = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text("utf-8").splitlines()]
    assert (result.rows, result.examples) == (1, 2)
    assert [(row["question"], row["answer"], row["subject"]) for row in examples] == [
        ("What?", 0, "anatomy"), ("Who?", 1, "anatomy"),
    ]  # fmt: skip


def test_a_set_without_its_examples_is_asked_without_them(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data/test/anatomy_test.csv", "Which?,a,b,c,d,D\n")
    imported("mmlu", given(tmp_path, data__zip=packed.getvalue()), tmp_path)
    assert not (tmp_path / "train.jsonl").exists()
