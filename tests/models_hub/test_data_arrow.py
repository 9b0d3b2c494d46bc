"""Arrow files and streams are read as they were written, and whatever stands in one is borne."""

import datetime
import random
from decimal import Decimal

import pyarrow as pa
import pytest

from models_hub.tables.child.arrow import ArrowFile
from models_hub.tables.child.budget import Unreadable
from tests.models_hub.test_data_reading import read, start

DAY, MOMENT = datetime.date(1950, 2, 3), datetime.datetime(2026, 1, 2, 3, 4, 5, 6)
TABLE = pa.table(
    {
        "small": pa.array([1, None, -3], pa.int8()),
        "large": pa.array([1, 2, 2**64 - 1], pa.uint64()),
        "half": pa.array([1.5, 2, None], pa.float16()),
        "text": ["a", None, "小模型"],
        "long text": pa.array(["x", "", "z"], pa.large_string()),
        "truth": pa.array([True, None, False]),
        "bytes": pa.array([b"\x00", b"", None]),
        "two bytes": pa.array([b"ab", b"cd", None], pa.binary(2)),
        "day": pa.array([DAY, None, DAY]),
        "day in milliseconds": pa.array([DAY, None, DAY], pa.date64()),
        "moment": pa.array([MOMENT, None, MOMENT], pa.timestamp("ns")),
        "hour": pa.array([datetime.time(1, 2, 3), None, None], pa.time64("us")),
        "span": pa.array([datetime.timedelta(days=-1), None, None]),
        "price": pa.array([Decimal("1.23"), None, Decimal("-4.50")], pa.decimal128(10, 2)),
        "list": [[[1], [2, 3]], [], None],
        "pair": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int32(), 2)),
        "object": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}],
        "word": pa.array(["p", "q", "p"]).dictionary_encode(),
        "nothing": pa.nulls(3),
    }
)


@pytest.fixture(params=["stream", "file"])
def arrow(request, tmp_path):
    """Write a table, each three rows as one batch, and return where."""

    def write(table=TABLE, **options):
        path = tmp_path / "a.arrow"
        way = pa.ipc.new_stream if request.param == "stream" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, way(sink, table.schema, **options) as writer:
            writer.write_table(table, max_chunksize=3)
        return path

    return write


def rows_of(path, **options):
    return list(ArrowFile(path, name="a.arrow", **options).rows())


def test_every_kind_of_value_comes_back(arrow):
    two = pa.concat_tables([TABLE, TABLE.slice(1)]).combine_chunks()
    assert rows_of(arrow(two)) == two.to_pylist()


def test_the_reader_of_tables_shows_it(arrow, tmp_path):
    facts, rows = read(tmp_path, arrow(TABLE.select(["small", "text", "day", "list"])))
    assert rows[0] == [1, "a", "1950-02-03", [[1], [2, 3]]]
    assert [column["type"] for column in facts["columns"]] == ["whole", "text", "time", "list"]
    assert facts["is_whole"]


@pytest.mark.django_db
def test_its_page_shows_rows(client, alice, make_repo, arrow):
    make_repo(alice, "cars", kind="dataset", files={"train.arrow": arrow().read_bytes()})
    assert "小模型" in client.get("/datasets/alice/cars/table/main/train.arrow").text
    assert "小模型" in client.get("/datasets/alice/cars/data/main", follow=True).text


def test_of_a_file_that_was_cut_the_whole_batches_are_read(arrow):
    path = arrow(pa.table({"n": list(range(30))}))
    path.write_bytes(path.read_bytes()[:1500])
    read_so_far = rows_of(path, is_cut=True)
    assert 0 < len(read_so_far) < 30
    assert read_so_far == [{"n": number} for number in range(len(read_so_far))]


def test_what_cannot_be_read_is_said(arrow, tmp_path):
    said, _errors = start(tmp_path, arrow(options=pa.ipc.IpcWriteOptions(compression="zstd")))
    assert (said["failure"], said["data"]["cause"]) == ("bad_arrow", "it is compressed")
    path = tmp_path / "b.arrow"
    for content in (b"", b"ARROW1\0\0", b"no arrow at all", b"\xff\xff\xff\xff\x10\0\0\0" + bytes(16)):
        path.write_bytes(content)
        with pytest.raises(Unreadable):
            rows_of(path)


def test_whatever_stands_in_a_file_it_is_borne(arrow):
    path, chance = arrow(), random.Random(1)
    whole = path.read_bytes()
    for turn in range(200):
        data = bytearray(whole if turn % 3 else whole[: chance.randrange(1, len(whole))])
        for _change in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            for _row, _number in zip(ArrowFile(path, name="a.arrow").rows(), range(20), strict=False):
                pass
        except Unreadable:
            continue


def test_a_list_that_claims_to_be_endless_is_given_up(tmp_path):
    column = pa.ListArray.from_arrays(pa.array([0, 2_000_000], pa.int32()), pa.nulls(2_000_000))
    path = tmp_path / "a.arrow"
    table = pa.table({"n": column})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(Unreadable) as refused:
        rows_of(path)
    assert refused.value.data["cause"] == "a row has too many values"
