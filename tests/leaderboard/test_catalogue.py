"""Published files of well-known sets become rows of ours. The samples are written by hand in the published formats."""

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from leaderboard.catalogue import files, reading, rows, shaping
from leaderboard.catalogue.entries import entries
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.importing import import_files
from leaderboard.catalogue.preparing import PREPARATIONS
from leaderboard.catalogue.refusals import ImportRefused
from models_hub import licences


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

# name of the set, the files, and the rows that come of them
CASES = [
    (
        "clue-afqmc",
        {"dev__json": lines({"sentence1": "花呗可以吗", "sentence2": "花呗能用吗", "label": "1"})},
        [{"text1": "花呗可以吗", "text2": "花呗能用吗", "label": "same"}],
    ),
    (
        "clue-tnews",
        {
            "dev__json": lines(
                {"label": "102", "label_desc": "news_entertainment", "sentence": "谢娜澄清谣言", "keywords": ""}
            )
        },
        [{"text": "谢娜澄清谣言", "label": "entertainment"}],
    ),
    (
        "ocnli",
        {
            "dev__json": lines(
                {"sentence1": "他来了", "sentence2": "有人来", "label": "entailment", "genre": "lit"},
                {"sentence1": "他来了", "sentence2": "他走了", "label": "-", "genre": "lit"},
            )
        },
        [{"text1": "他来了", "text2": "有人来", "label": "entailment"}],
    ),
    (
        "clue-wsc",
        {
            "dev__json": lines(
                {
                    "target": {"span2_index": 37, "span1_index": 5, "span1_text": "床", "span2_text": "它"},
                    "idx": 261,
                    "label": "false",
                    "text": "这时候放在床上的手机响了，它突然响了。",
                }
            )
        },
        [{"text1": "这时候放在床上的手机响了，它突然响了。", "text2": "“它”指的是“床”", "label": "false"}],
    ),
    (
        "clue-csl",
        {"dev__json": lines({"id": 1, "abst": "一种声呐算法", "keyword": ["水声学", "FFT"], "label": "0"})},
        [{"text1": "一种声呐算法", "text2": "水声学；FFT", "label": "false"}],
    ),
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
        "glue-cola",
        {"dev__tsv": 'gj04\t1\t\tThe "sailors rode the breeze.\ngj04\t0\t*\tHim sailed.\n'},
        [
            {"text": 'The "sailors rode the breeze.', "label": "acceptable"},
            {"text": "Him sailed.", "label": "unacceptable"},
        ],
    ),
    (
        "glue-mrpc",
        {
            "msr_paraphrase_test__txt": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
            "1\t1\t2\tHe said so.\tSo he said.\n"
        },
        [{"text1": "He said so.", "text2": "So he said.", "label": "same"}],
    ),
    (
        "glue-stsb",
        {
            "dev__tsv": "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
            "0\tmain-captions\tMSRvid\t2012test\t0000\tnone\tnone\tA man runs.\tA man is running.\t4.750\n"
        },
        [{"text1": "A man runs.", "text2": "A man is running.", "score": 4.75}],
    ),
    (
        "boolq",
        {"val__jsonl": lines({"question": "is it", "passage": "It is.", "idx": 0, "label": True})},
        [{"text1": "It is.", "text2": "is it", "label": "true"}],
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
        "xnli-zh",
        {"xnli__test__tsv": "language\tgold_label\tsentence1\tsentence2\nfr\tneutral\tBon\tMal\nzh\tneutral\t好\t坏\n"},
        [{"text1": "好", "text2": "坏", "label": "neutral"}],
    ),
    (
        "rotten-tomatoes",
        {"rt-polarity__neg": "a d\xe9j\xe0 vu\n".encode("cp1252"), "rt-polarity__pos": b"fun\n"},
        [{"text": "a déjà vu", "label": "negative"}, {"text": "fun", "label": "positive"}],
    ),
    (
        "banking77",
        {"test__csv": 'text,category\n"How do I locate my card, please?",card_arrival\n'},
        [{"text": "How do I locate my card, please?", "label": "card_arrival"}],
    ),
    (
        "clinc150",
        {
            "data_full__json": json.dumps(
                {"test": [["hi there", "greeting"]], "oos_test": [["why", "oos"]], "train": []}
            )
        },
        [{"text": "hi there", "label": "greeting"}, {"text": "why", "label": "oos"}],
    ),
    (
        "ag-news",
        {"test__csv": '"3","Fears for pension","Unions ""representing"" workers"\n'},
        [{"text": 'Fears for pension. Unions "representing" workers', "label": "Business"}],
    ),
    (
        "financial-phrasebank",
        {"Sentences_AllAgree__txt": "Sales rose to EUR 5 mn @ 2% .@positive\r\n"},
        [{"text": "Sales rose to EUR 5 mn @ 2% .", "label": "positive"}],
    ),
    (
        "goemotions",
        {"test__tsv": 'I love "it\t18,0\teecwqtt\n'},
        [{"text": 'I love "it', "labels": ["love", "admiration"]}],
    ),
    ("xed-zh", {"cn-projections__tsv": "我们走吧\t2, 5\n"}, [{"text": "我们走吧", "labels": ["anticipation", "joy"]}]),
    (
        "cluener",
        {
            "dev__json": lines(
                {"text": "叶老桂在京", "label": {"name": {"叶老桂": [[0, 2]]}, "address": {"京": [[4, 4]]}}}
            )
        },
        [{"tokens": list("叶老桂在京"), "tags": ["B-name", "I-name", "I-name", "O", "B-address"]}],
    ),
    (
        "weibo-ner",
        {"weiboNER_2nd_conll__test": "李0\tB-PER.NAM\n开1\tI-PER.NAM\n1\tO\n\n他0\tB-PER.NOM\n"},
        [
            {"tokens": ["李", "开", "1"], "tags": ["B-PER.NAM", "I-PER.NAM", "O"]},
            {"tokens": ["他"], "tags": ["B-PER.NOM"]},
        ],
    ),
    (
        "wnut17",
        {"emerging__test__annotated": "New\tB-location\nYork\tI-location\n!\tO\n\t\nhi\tO\n"},
        [
            {"tokens": ["New", "York", "!"], "tags": ["B-location", "I-location", "O"]},
            {"tokens": ["hi"], "tags": ["O"]},
        ],
    ),
    (
        "conll2003",
        {"eng__testb": "-DOCSTART- -X- -X- O\n\nU.N. NNP I-NP I-ORG\nEkeus NNP I-NP I-PER\n\n"},
        [{"tokens": ["U.N.", "Ekeus"], "tags": ["B-ORG", "B-PER"]}],
    ),
    (
        "stsb-zh",
        {"stsb-zh-test__csv": '一个人,"有人, 一个",2.5\n'},
        [{"text1": "一个人", "text2": "有人, 一个", "score": 2.5}],
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
        "sick-r",
        {"test__jsonl": lines({"sentence1": "A", "sentence2": "B", "score": 3.5})},
        [{"text1": "A", "text2": "B", "score": 3.5}],
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
    ("optdigits", {"optdigits__tes": "0,5,16,1,7\n"}, [{"image": [[0, 5], [16, 1]], "label": "7"}]),
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


def test_true_answers_do_not_all_come_first(tmp_path):
    document = [
        {"question": f"Question {at}?", "mc1_targets": {"Truth.": 1, "Lie.": 0, "Error.": 0}} for at in range(60)
    ]
    made = imported("truthfulqa-mc1", given(tmp_path, mc_task__json=json.dumps(document)), tmp_path)
    assert all(row["choices"][row["answer"]] == "Truth." for row in made)
    assert {row["answer"] for row in made} == {0, 1, 2}
    assert made == imported("truthfulqa-mc1", given(tmp_path, mc_task__json=json.dumps(document)), tmp_path)


def test_members_of_archives_are_found(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("afqmc_public/dev.json", lines({"sentence1": "一", "sentence2": "二", "label": "0"}))
        archive.writestr("__MACOSX/afqmc_public/._dev.json", b"\x00\x05")
        archive.writestr("afqmc_public/test.json", "not read")
    made = imported("clue-afqmc", given(tmp_path, afqmc_public__zip=packed.getvalue()), tmp_path)
    assert made == [{"text1": "一", "text2": "二", "label": "different"}]


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


def test_a_file_may_come_packed_or_under_another_name(tmp_path):
    content = lines({"question": "How many?", "answer": "#### 2"})
    for contents in ({"test__jsonl__gz": gzip.compress(content.encode())}, {"gsm_questions__jsonl": content}):
        assert imported("gsm8k", given(tmp_path, **contents), tmp_path)[0]["answer"] == "2"


def test_rows_of_a_hub_come_as_parquet(tmp_path):
    import duckdb

    path = tmp_path / "test.parquet"
    duckdb.sql(
        f"COPY (SELECT 'Who?' AS question, 'x' AS id, {{'text': ['a', 'b'], 'label': ['A', 'B']}} AS choices, "
        f"'B' AS answerKey) TO '{path}' (FORMAT parquet)"
    )
    uploads = [Upload("ARC-Easy/test-00000-of-00001.parquet", path)]
    assert imported("arc-easy", uploads, tmp_path) == [{"question": "Who?", "choices": ["a", "b"], "answer": 1}]


def test_images_of_a_hub_become_text(tmp_path):
    import duckdb

    path = tmp_path / "test.parquet"
    duckdb.sql(
        "COPY (SELECT {'bytes': '\\x89PNG\\x0D\\x0A\\x1A\\x0Ax'::BLOB, 'path': '0.png'} AS img, 3 AS label) "
        f"TO '{path}' (FORMAT parquet)"
    )
    uploads = [Upload("plain_text/test-00000-of-00001.parquet", path)]
    assert imported("cifar10", uploads, tmp_path) == [{"image": "iVBORw0KGgp4", "label": "cat"}]
    duckdb.sql(f"COPY (SELECT {{'bytes': 'GIF89a'::BLOB}} AS img, 3 AS label) TO '{path}' (FORMAT parquet)")
    with pytest.raises(ImportRefused) as refused:
        imported("cifar10", uploads, tmp_path)
    assert (refused.value.code, refused.value.data["line"]) == ("not_an_image", 1)


REFUSED = [
    ("optdigits", {"optdigits__tes": "1,2,3\n"}, "wrong_width"),
    ("optdigits", {"optdigits__tes": "1,2,3,x,4\n"}, "not_a_number"),
    ("optdigits", {"optdigits__tes": "1,2,3,300,4\n"}, "not_an_image"),
    ("optdigits", {"optdigits__tes": "1,2,3,4,11\n"}, "unknown_value"),
    ("gsm8k", {"test__jsonl": "{]"}, "bad_json"),
    ("gsm8k", {"test__jsonl": '{"question": "?", "answer": NaN}'}, "bad_json"),
    ("gsm8k", {"test__jsonl": "[" * 100_000}, "bad_json"),
    ("gsm8k", {"test__jsonl": "[1]"}, "not_an_object"),
    ("gsm8k", {"test__jsonl": b'{"question": "\xff"}'}, "bad_encoding"),
    ("gsm8k", {"test__jsonl": '{"question": "?"}'}, "missing_column"),
    ("gsm8k", {"test__jsonl": '{"question": "?", "answer": "no mark"}'}, "no_final_answer"),
    ("gsm8k", {"test__jsonl": '{"question": ["?"], "answer": "#### 1"}'}, "not_text"),
    ("gsm8k", {"test__jsonl": '{"question": " ", "answer": "#### 1"}'}, "empty_text"),
    ("gsm8k", {"test__jsonl": '{"question": "\\ud800", "answer": "#### 1"}'}, "bad_text"),
    ("gsm8k", {"test__jsonl": "x" * (reading.MAX_LINE + 1)}, "long_line"),
    ("gsm8k", {"test__jsonl__gz": b"\x1f\x8bnot gzip"}, "bad_archive"),
    ("gsm8k", {"data__zip": b"PK not zip"}, "bad_archive"),
    ("gsm8k", {"data__tar": b"not tar"}, "bad_archive"),
    ("gsm8k", {"test__jsonl": ""}, "no_rows"),
    ("gsm8k", {"readme__md": "# Hello"}, "no_such_file"),
    ("clue-chid", {"dev__json": lines({"content": ["#idiom1#"], "candidates": ["一", "二"]})}, "no_such_file"),
    ("clue-tnews", {"dev__json": lines({"sentence": "好", "label": "105"})}, "unknown_value"),
    ("clinc150", {"data_full__json": "[]"}, "not_a_list"),
    ("clinc150", {"data_full__json": '{"test": [["a"]], "oos_test": []}'}, "wrong_width"),
    ("squad", {"dev-v1__1__json": '{"data": [{"paragraphs": 3}]}'}, "not_a_list"),
    ("squad", {"dev-v1__1__json": '{"data": [5]}'}, "not_an_object"),
    (
        "squad",
        {"dev-v1__1__json": json.dumps(SQUAD).replace('"Dogs"', '"Birds"')},
        "no_answer",
    ),
    ("squad", {"dev-v1__1__json": json.dumps(SQUAD).replace("12", '"twelve"')}, "bad_offset"),
    ("stsb-en", {"stsb-en-test__csv": "one,two,high\n"}, "not_a_number"),
    ("stsb-en", {"stsb-en-test__csv": "one,two,inf\n"}, "not_a_number"),
    ("stsb-en", {"stsb-en-test__csv": "one,two\n"}, "wrong_width"),
    ("wnut17", {"emerging__test__annotated": "a\tB-planet\n"}, "unknown_value"),
    ("wnut17", {"emerging__test__annotated": "a\tX-person\n"}, "bad_tag"),
    ("cluener", {"dev__json": lines({"text": "一", "label": {"name": {"一二": [[0, 9]]}}})}, "bad_offset"),
    (
        "piqa",
        {"valid__jsonl": lines(*[{"goal": "a", "sol1": "b", "sol2": "c"}] * 2), "valid-labels__lst": "0"},
        "uneven_files",
    ),
    (
        "winogrande",
        {"dev__jsonl": lines({"sentence": "None.", "option1": "a", "option2": "b", "answer": "1"})},
        "no_blank",
    ),
    (
        "winogrande",
        {"dev__jsonl": lines({"sentence": "So _ is.", "option1": "a", "option2": "b", "answer": "3"})},
        "not_a_choice",
    ),
    ("arc-easy", {"test-x__parquet": b"PAR1 not parquet"}, "bad_parquet"),
]


@pytest.mark.parametrize(("name", "contents", "code"), REFUSED)
def test_what_is_wrong_with_a_file_has_a_name(name, contents, code, tmp_path):
    uploads = given(tmp_path, **contents)
    with pytest.raises(ImportRefused) as refusal:
        imported(name, uploads, tmp_path)
    assert refusal.value.code == code


def test_a_small_archive_may_not_hold_a_mountain(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 100_000)
    with pytest.raises(ImportRefused, match="too_many_bytes"):
        imported("gsm8k", given(tmp_path, test__jsonl__gz=gzip.compress(b"\n" * 200_000)), tmp_path)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv", "lines", "columns", "squad", "c3"])
def test_no_bytes_make_a_reader_fail_otherwise(kind):
    from random import Random

    random = Random(kind)
    seeds = [json.dumps(SQUAD).encode(), json.dumps(CMRC).encode(), b'a,"b\n\xe4\xbd\xa0\t1\n\n', b'[[["a"], [{}], 1]]']
    for _ in range(300):
        raw = bytearray(random.choice(seeds))
        for _ in range(random.randint(0, 6)):
            raw[random.randrange(len(raw))] = random.choice(b'[]{}",:\n\t\x00\xff09a')
        try:
            list(reading.records("file", io.BytesIO(bytes(raw)), kind, {"columns": ["a"]} if kind == "tsv" else {}))
        except ImportRefused as refusal:
            json.dumps(refusal.data)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["I-PER", "I-PER", "O", "I-LOC"], ["B-PER", "I-PER", "O", "B-LOC"]),
        (["I-PER", "B-PER", "I-LOC"], ["B-PER", "B-PER", "B-LOC"]),
        (["B-PER", "M-PER", "E-PER", "S-LOC", "E-LOC"], ["B-PER", "I-PER", "I-PER", "B-LOC", "B-LOC"]),
        (["B_PER", "o", ""], ["B-PER", "O", "O"]),
    ],
)
def test_tags_become_iob2(tags, expected):
    assert shaping.iob2(tags) == expected


def test_every_definition_is_whole():
    for entry in entries().values():
        assert entry.task in rows.CHECKS, entry.name
        assert entry.license == "unknown" or entry.license in licences.LICENCES, entry.name
        assert entry.license != "other" or entry.license_note, entry.name
        assert len(set(entry.labels)) == len(entry.labels), entry.name
        assert all(isinstance(label, str) for label in entry.labels), entry.name
        assert bool(entry.labels) == bool({"label", "labels", "tags"} & set(rows.COLUMNS[entry.task])), entry.name
        assert entry.title_zh, entry.name
        assert entry.description_zh, entry.name
        assert entry.homepage.startswith("https://"), entry.name
        for source in entry.sources:
            assert source.reader == "parquet" or source.reader in reading.READERS, entry.name
            assert not source.prepare or source.prepare in PREPARATIONS, entry.name
            made = set(source.row) | ({"answers"} if entry.task == "question-answering" else set())
            made |= {"relevant"} if source.corpus and source.judgements else set()
            assert set(rows.COLUMNS[entry.task]) <= made, entry.name


def test_labels_that_a_map_leads_to_are_those_of_the_set():
    for entry in entries().values():
        for source in entry.sources:
            for column in ("label", "labels"):
                how = source.row.get(column)
                if isinstance(how, dict) and "map" in how:
                    assert set(how["map"].values()) == set(entry.labels), entry.name
