"""The child that reads tables: formats, encodings, damage, bombs; and the walls around it."""

import gzip
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from models_hub.tables.reading import DIRECT, ROOT
from tests.servers import absent

SMALL = {**DIRECT.limits(), "max_bytes": 200_000, "max_rows": 1000}


def start(folder: Path, *paths: Path, limits: dict | None = None, **source) -> tuple[dict, str]:
    """Run the child on files; returns the last that it said, and what it said of errors."""
    sources = [
        {"name": path.name, "path": str(path), "format": path.name.removesuffix(".gz").rsplit(".")[-1], **source}
        for path in paths
    ]
    out = folder / "out"
    out.mkdir(exist_ok=True)
    request = {"sources": sources, "out": str(out / "table"), **(limits or DIRECT.limits())}
    command = [sys.executable, "-E", "-s", "-m", "models_hub.tables.child"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(request) + "\n", capture_output=True, text=True, timeout=60, check=False
    )
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if lines else {}, done.stderr


def read(folder: Path, *paths: Path, **options) -> tuple[dict, list[list]]:
    """Return the facts and the rows of a table that can be read."""
    said, errors = start(folder, *paths, **options)
    assert said == {"done": True}, (said, errors)
    with sqlite3.connect(folder / "out" / "table") as database:
        facts = json.loads(database.execute("SELECT value FROM meta").fetchone()[0])
        rows = [json.loads(data) for (data,) in database.execute("SELECT data FROM rows ORDER BY n")]
    database.close()
    return facts, rows


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def codes(facts: dict) -> list[str]:
    return [note["code"] for note in facts["notes"]]


def test_a_chinese_csv_in_gb18030_is_read_and_said_to_be_one(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", "姓名,城市\n王芳,北京\n李𠮷,上海\n".encode("gb18030")))
    assert rows == [["王芳", "北京"], ["李𠮷", "上海"]]
    assert [column["name"] for column in facts["columns"]] == ["姓名", "城市"]
    assert facts["files"][0]["encoding"] == "gb18030"
    assert codes(facts) == ["gb18030"]


def test_one_damaged_line_of_utf8_does_not_make_it_chinese(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", "a\n好\n".encode() + b"\xc4\xe3\n" + "坏\n".encode()))
    assert rows[0] == ["好"]
    assert rows[2] == ["坏"]
    assert "�" in rows[1][0]
    assert facts["notes"][0] == {"code": "bad_characters", "file": "a.csv", "line": 3, "data": {"encoding": "UTF-8"}}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_byte_order_marks_are_no_part_of_the_first_name(tmp_path, encoding):
    text = "a,b\n1,好\n".encode(encoding)
    text = b"\xff\xfe" + text if encoding == "utf-16-le" else text
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", text))
    assert [column["name"] for column in facts["columns"]] == ["a", "b"]
    assert rows == [["1", "好"]]


def test_delimiters_are_told_from_the_header(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", 'a;b\n1;"x;y"\n'))
    assert rows == [["1", "x;y"]]
    assert codes(facts) == ["other_delimiter"]


def test_tsv_is_divided_by_tabs(tmp_path):
    assert read(tmp_path, file(tmp_path, "b.tsv", "a\tb\n1,2\t3\n"))[1] == [["1,2", "3"]]


def test_rows_that_do_not_fit_the_header_are_kept_and_named(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", "a,a,\n1\n1,2,3,4\n"))
    assert [column["name"] for column in facts["columns"]] == ["a", "a (2)", "column 3", "column 4"]
    assert rows == [["1"], ["1", "2", "3", "4"]]
    assert codes(facts) == ["same_name", "other_width", "other_width"]
    assert facts["notes"][1]["line"] == 2


def test_a_quotation_mark_that_is_not_closed_ends_in_a_note(tmp_path):
    text = "a,b\n1,2\n" + '3,"open\n' + "4,5\n" * 1_200_000
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", text))
    assert rows[0] == ["1", "2"]
    assert "bad_csv" in codes(facts)


def test_codes_with_noughts_stay_text_and_missing_numbers_are_missing(tmp_path):
    facts, _rows = read(tmp_path, file(tmp_path, "a.csv", "zip,n\n00501,1\n10001,NA\n20002,2.5\n30003,\n"))
    zips, numbers = facts["columns"]
    assert zips["type"] == "text"
    assert numbers["type"] == "number"
    assert numbers["missing"] == 2
    assert numbers["distinct"] == 2
    assert numbers["numbers"]["mean"] == 1.75


def test_values_of_json_keep_their_kinds(tmp_path):
    row = {"t": "x", "i": 1, "f": 1.5, "b": True, "n": None, "l": [1, "a"], "o": {"k": "v"}, "nan": float("nan")}
    facts, rows = read(tmp_path, file(tmp_path, "a.jsonl", json.dumps(row) + "\n" + '{"late": "z"}\n'))
    kinds = {column["name"]: column["type"] for column in facts["columns"]}
    assert kinds == {
        "t": "text", "i": "whole", "f": "number", "b": "truth", "n": "empty", "l": "list", "o": "object",
        "nan": "empty", "late": "text",
    }  # fmt: skip
    assert rows[0] == ["x", 1, 1.5, True, None, [1, "a"], {"k": "v"}, None]
    assert rows[1][8] == "z"
    assert {column["name"]: column["missing"] for column in facts["columns"]}["late"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"a": 1}, {"a": 2}]', [[1], [2]]),
        ('{"version": "1", "data": [{"a": 1}, {"a": 2}]}', [[1], [2]]),
        ('{"a": 1}\n{"a": 2}\n', [[1], [2]]),
        ('{"a": [1, 2]}', [[1], [2]]),
        ('{"a": {"b": 1}}', [[{"b": 1}]]),
    ],
)
def test_a_json_document_may_hold_rows_in_many_ways(tmp_path, text, expected):
    assert read(tmp_path, file(tmp_path, "a.json", text))[1] == expected


def test_a_json_array_is_read_up_to_its_damage(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.json", '[{"a": 1},\n {"a": }]'))
    assert rows == [[1]]
    assert facts["notes"][0]["code"] == "rest_left_out"
    assert facts["notes"][0]["line"] == 2


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"a": ' + "9" * 10_000 + "}",
        '{"a": 1',
        "nul\x00l",
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_hostile_lines_are_left_out(tmp_path, line):
    line = line if isinstance(line, bytes) else line.encode()
    facts, rows = read(tmp_path, file(tmp_path, "a.jsonl", line + b'\n{"a": 1}\n'))
    assert rows == [[1]]
    assert facts["notes"]


def test_strange_values_are_kept(tmp_path):
    facts, rows = read(
        tmp_path, file(tmp_path, "a.jsonl", '{"a": "\\u0000", "b": "\\ud800", "c": 1e999, "d": %s}\n' % ("1" * 400))
    )
    assert rows[0][0] == "\x00"
    assert rows[0][2] == "inf"
    assert facts["rows"] == 1


def test_a_bomb_of_gzip_is_read_up_to_the_limit(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 1_000_000))
    facts, _rows = read(tmp_path, path, limits=SMALL)
    assert facts["rows"] == 1000
    assert facts["is_whole"] is False


def test_gzip_that_breaks_off_shows_what_there_is(tmp_path):
    lines = "".join(json.dumps({"a": str(number) * 20}) + "\n" for number in range(5000)).encode()
    facts, rows = read(tmp_path, file(tmp_path, "a.jsonl.gz", gzip.compress(lines)[:-2000]))
    assert rows
    assert "bad_gzip" in codes(facts)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as gz:
        gz.write(b'{"a": "')
        for _ in range(60):
            gz.write(b"x" * 1024**2)
        gz.write(b'"}\n{"a": 1}\n')
    facts, _rows = read(tmp_path, path, limits={**DIRECT.limits(), "max_bytes": 100 * 1024**2})
    assert facts["rows"] == 1
    assert codes(facts) == ["long_line"]


def test_a_hundred_thousand_columns_are_counted_and_left_out(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.jsonl", json.dumps({f"c{number}": 1 for number in range(100_000)})))
    assert len(facts["columns"]) == 200
    assert facts["columns_left_out"] == 99_800
    assert len(rows[0]) == 200


def test_rows_that_are_alike_are_counted(tmp_path):
    facts, _rows = read(tmp_path, file(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 1}\n{"a": 2}\n{"a": 1}\n'))
    assert facts["duplicates"] == 2


def test_parquet_is_read_with_its_kinds(tmp_path):
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 1 AS i, 1.5::DECIMAL(4,1) AS d, DATE '2026-01-02' AS day, [1, 2] AS l, {'k': 'v'} AS o, "
            f"NULL::INT AS n, '\\xAA'::BLOB AS b) TO '{path}' (FORMAT parquet)"
        )
    facts, rows = read(tmp_path, path)
    assert rows == [[1, 1.5, "2026-01-02", [1, 2], {"k": "v"}, None, {"$bytes": 1}]]
    kinds = [column["type"] for column in facts["columns"]]
    assert kinds == ["whole", "number", "time", "list", "object", "empty", "object"]
    assert facts["files"][0]["all_rows"] == 1


def test_an_image_is_told_by_its_bytes(tmp_path):
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (image STRUCT(bytes BLOB, path VARCHAR))")
        for body in (b"\x89PNG\r\n\x1a\nrest", b"<svg onload=alert(1)>"):
            connection.execute("INSERT INTO t VALUES ({'bytes': ?, 'path': 'x.png'})", [body])
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    _facts, rows = read(tmp_path, path)
    assert rows[0][0]["bytes"] == {"$bytes": 12, "$image": 0}
    assert rows[1][0]["bytes"] == {"$bytes": 21}


def test_damaged_parquet_is_an_error_that_names_no_place_of_the_machine(tmp_path):
    said, _errors = start(tmp_path, file(tmp_path, "a.parquet", b"PAR1" + b"x" * 100 + b"PAR1"))
    assert said["failure"] == "bad_parquet"
    assert str(tmp_path) not in json.dumps(said)


def test_several_files_are_one_table_in_order(tmp_path):
    files = [file(tmp_path, f"{name}.jsonl", json.dumps({"a": name}) + "\n") for name in "xy"]
    facts, rows = read(tmp_path, *files)
    assert rows == [["x"], ["y"]]
    assert [(one["name"], one["first"], one["rows"]) for one in facts["files"]] == [
        ("x.jsonl", 0, 1),
        ("y.jsonl", 1, 1),
    ]


def test_the_child_reaches_no_other_file_and_no_network(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "out").mkdir()
    code = (
        "import socket, sys\nfrom pathlib import Path\nfrom models_hub.tables.child import confining\n"
        "confining.leave_network()\n"
        "walls = confining.show_only(readable=[Path(sys.argv[1])], writable=Path(sys.argv[2]))\n"
        "def tried(what):\n    try:\n        what()\n    except OSError:\n        return 'refused'\n    return 'done'\n"
        "print(walls, tried(lambda: open(sys.argv[1])), tried(lambda: open(sys.argv[3])),"
        " tried(lambda: open(sys.argv[2] + '/new', 'w')), tried(lambda: socket.create_connection(('127.0.0.1', 9), 1)))"
    )
    shown = file(tmp_path, "shown", "x")
    done = subprocess.run(
        [sys.executable, "-c", code, str(shown), str(tmp_path / "out"), str(tmp_path / "secret")],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    if not done.stdout.startswith("True"):
        absent("this kernel has no Landlock")
    assert done.stdout.split() == ["True", "done", "refused", "done", "refused"]


def test_a_row_of_megabytes_is_kept_short(tmp_path):
    row = {"list": list(range(400_000)), "text": "x" * 300_000, "deep": {str(n): "y" * 100 for n in range(20_000)}}
    facts, rows = read(tmp_path, file(tmp_path, "a.jsonl", json.dumps(row) + "\n"))
    assert len(json.dumps(rows[0])) < 450_000
    sizes = {column["name"]: column["sizes"] for column in facts["columns"]}
    assert sizes["list"]["max"] == 400_000
    assert sizes["text"]["max"] == 300_000


def test_a_broken_file_does_not_hide_the_others(tmp_path):
    good, bad = file(tmp_path, "b.jsonl", '{"a": 1}\n'), file(tmp_path, "a.json", "[1, 2")
    facts, rows = read(tmp_path, file(tmp_path, "0.parquet", "PAR1PAR1"), bad, good)
    assert rows == [[1]]
    assert {"bad_parquet", "no_object"} <= set(codes(facts))


def test_a_header_without_rows_is_an_empty_table(tmp_path):
    facts, rows = read(tmp_path, file(tmp_path, "a.csv", "姓名,城市\n".encode("gb18030")))
    assert (rows, facts["rows"]) == ([], 0)
