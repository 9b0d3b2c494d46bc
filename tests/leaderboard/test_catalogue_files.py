"""Archives, tables and broken files of well-known sets, in whatever form they come."""

import gzip
import io
import json
import zipfile

import pytest

from leaderboard.catalogue import files, reading
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.refusals import ImportRefused
from tests.leaderboard.published import CMRC, SQUAD, given, imported, lines


def test_members_of_archives_are_found(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("afqmc_public/dev.json", lines({"sentence1": "一", "sentence2": "二", "label": "0"}))
        archive.writestr("__MACOSX/afqmc_public/._dev.json", b"\x00\x05")
        archive.writestr("afqmc_public/test.json", "not read")
    made = imported("clue-afqmc", given(tmp_path, afqmc_public__zip=packed.getvalue()), tmp_path)
    assert made == [{"text1": "一", "text2": "二", "label": "different"}]


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
