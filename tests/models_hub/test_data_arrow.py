"""Arrow files and streams are read as they were written, and whatever stands in one is borne."""

import datetime
import random
import tracemalloc
from decimal import Decimal

import lz4.frame
import pyarrow as pa
import pytest
import zstandard

from models_hub.tables.child import arrow_buffers
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
KINDS, PARTS = pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", None])]
RARE = pa.table(
    {
        "sparse": pa.UnionArray.from_sparse(KINDS, PARTS),
        "dense": pa.UnionArray.from_dense(KINDS, pa.array([2, 1, 0], pa.int32()), PARTS),
        "numbered": pa.UnionArray.from_sparse(pa.array([7, 5, 7], pa.int8()), PARTS, ["n", "t"], [7, 5]),
        "view": pa.array(["short", None, "longer than twelve bytes, 小模型"], pa.string_view()),
        "bytes view": pa.array([b"\0" * 13, b"", None], pa.binary_view()),
        "list view": pa.array([[1, 2], None, []], pa.list_view(pa.int32())),
        "large list view": pa.array([[["a"]], [], [["b", None]]], pa.large_list_view(pa.list_(pa.string()))),
        "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", None])),
        "words in lists": pa.array([["p", "q"], [], ["p"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        "list of objects": [[{"a": [1], "b": {"c": "x"}}], [], None],
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


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_rare_kinds_of_columns_and_packed_ones_come_back(arrow, codec):
    options = pa.ipc.IpcWriteOptions(compression=codec)
    many = pa.concat_tables([RARE, RARE.slice(1)] * 3).combine_chunks()
    assert rows_of(arrow(many, options=options)) == many.to_pylist()
    assert rows_of(arrow(TABLE, options=options)) == TABLE.to_pylist()


def test_a_dictionary_that_grows_keeps_its_words(tmp_path):
    path = tmp_path / "a.arrow"
    schema = pa.schema({"word": pa.dictionary(pa.int8(), pa.string())})
    with pa.ipc.new_stream(
        path, schema, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True, compression="lz4")
    ) as writer:
        for words in (["p"], ["p", "q"], ["p", "q", "r"]):
            column = pa.DictionaryArray.from_arrays(pa.array(range(len(words)), pa.int8()), words)
            writer.write_batch(pa.record_batch([column], schema=schema))
    assert [row["word"] for row in rows_of(path)] == ["p", "p", "q", "p", "q", "r"]


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
    table = pa.table({"span": pa.array([pa.MonthDayNano([1, 2, 3])])})
    said, _errors = start(tmp_path, arrow(table))
    assert (said["failure"], said["data"]["cause"]) == ("bad_arrow", "a column has a type that is not read here")
    path = tmp_path / "b.arrow"
    for content in (b"", b"ARROW1\0\0", b"no arrow at all", b"\xff\xff\xff\xff\x10\0\0\0" + bytes(16)):
        path.write_bytes(content)
        with pytest.raises(Unreadable):
            rows_of(path)


@pytest.mark.parametrize(("table", "codec"), [(TABLE, None), (RARE, None), (RARE, "lz4"), (RARE, "zstd")])
def test_whatever_stands_in_a_file_it_is_borne(arrow, table, codec):
    path, chance = arrow(table, options=pa.ipc.IpcWriteOptions(compression=codec)), random.Random(1)
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


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_what_would_become_endless_is_never_unpacked(tmp_path, codec, monkeypatch):
    monkeypatch.setattr(arrow_buffers, "MAX_UNPACKED", 1_000_000)
    path = tmp_path / "a.arrow"
    table = pa.table({"n": pa.nulls(200_000, pa.int64()).fill_null(0)})
    with pa.ipc.new_stream(path, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table)
    assert path.stat().st_size < 20_000
    with pytest.raises(Unreadable) as refused:
        rows_of(path)
    assert refused.value.data["cause"] == "one of its parts is too large"


@pytest.mark.parametrize("codec", [arrow_buffers.LZ4, arrow_buffers.ZSTD])
def test_bytes_that_are_more_than_they_say_are_not_unpacked_to_their_end(codec):
    bomb = bytes(50_000_000)
    packed = lz4.frame.compress(bomb) if codec == arrow_buffers.LZ4 else zstandard.compress(bomb)
    tracemalloc.start()
    assert len(arrow_buffers._unpack(codec, memoryview(packed), 100)) <= 101
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000
