"""Images of rows as addresses in a page: bounded, of known kinds, and boxes compared with the reference."""

import base64
import zlib

import pytest

from leaderboard import pictures
from leaderboard.models import Benchmark
from leaderboard.pictures import Album, png_of
from leaderboard.seen import wrong_boxes, wrong_images

PNG = png_of([[0, 200], [0, 0], [1, 2]])


def coded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def bytes_of(src: str) -> bytes:
    return base64.b64decode(src.partition(",")[2])


@pytest.mark.parametrize(
    "value", [coded(PNG), {"bytes": coded(PNG)}, [[0, 200], [0, 0], [1, 2]], "[[0,200],[0,0],[1,2]]"]
)
def test_a_picture_is_the_file_or_a_png_of_the_pixels(value):
    picture = Album().picture_of(value)
    assert picture.src.startswith("data:image/png;base64,")
    assert bytes_of(picture.src) == PNG
    assert (picture.width, picture.height, picture.is_tiny) == (2, 3, True)


def test_colours_and_squares_in_one_row_are_drawn():
    raw = bytes_of(Album().picture_of([[[255, 0, 1], [0, 0, 0]]]).src)
    assert zlib.decompress(raw[raw.index(b"IDAT") + 4 : raw.index(b"IEND") - 8]) == b"\0\xff\0\1\0\0\0"
    assert Album().picture_of([0.0, 200.0, 3, 4]).width == 2


def test_dim_digits_are_brightened():
    raw = bytes_of(Album().picture_of([[0, 16], [8, 4]]).src)
    assert zlib.decompress(raw[raw.index(b"IDAT") + 4 : raw.index(b"IEND") - 8]) == b"\0\x00\xff\0\x7f\x3f"


@pytest.mark.parametrize(
    "value",
    [None, 7, "", "%%", coded(b"<svg onload=alert(1)>"), coded(b"GIF89a" + b"\0" * 20), {"path": "x"}, [],
     [[1], [1, 2]],
     [["a"]], [[300]], [[-1, 2]], "[[1", [[[1, 2, 3]], [[1]]], [[None]], [{}]],
)  # fmt: skip
def test_what_is_no_picture_is_left_out(value):
    assert Album().picture_of(value) is None


def test_a_page_holds_so_many_bytes_and_no_more(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PAGE_BYTES", 2 * len(PNG))
    album = Album()
    assert [bool(album.picture_of(coded(PNG)).src) for _ in range(3)] == [True, True, False]
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 10)
    assert Album().picture_of(coded(PNG)).src == ""


def test_a_photograph_that_asks_to_be_turned_has_no_sides():
    jpeg = b"\xff\xd8\xff\xe1\x00\x08Exif\0\0\xff\xc0\x00\x0b\x08\x00\x05\x00\x07\x01" + b"\0" * 20
    picture = Album().picture_of(coded(jpeg))
    assert picture.src.startswith("data:image/jpeg;")
    assert (picture.width, picture.height) == (None, None)


def benchmark(**settings: str) -> Benchmark:
    return Benchmark(labels=["cat", "dog"], fields={"input": "image", "target": "objects"}, settings=settings)


def box(label: str, *corners: float, score: float = 0.9) -> dict[str, object]:
    return {"label": label, "box": list(corners), "score": score}


def test_boxes_are_found_missed_or_made_up():
    row = {"image": [[0]], "objects": {"bbox": [[0, 0, 10, 10], [20, 0, 10, 10]], "category": ["cat", 1]}}
    answer = {
        "id": "5",
        "boxes": [box("cat", 1, 0, 10, 10), box("cat", 0, 0, 10, 10, score=0.95), box("dog", 20, 0, 30, 10, score=0.4)],
    }
    (mistake,) = wrong_boxes(benchmark(), [(row, answer)])
    # The surer of two boxes on one thing is right, the other is not; an unsure one counts for nothing.
    assert [(drawn.label, drawn.verdict, drawn.left) for drawn in mistake.boxes] == [
        ("dog", "missed", 20), ("cat", "right", 0), ("cat", "wrong", 1),
    ]  # fmt: skip


def test_an_image_with_every_thing_found_is_no_mistake():
    row = {"image": [[0]], "objects": '[{"bbox": [0, 0, 10, 10], "category": "cat"}]'}
    answer = {"boxes": [box("cat", 0, 0, 10, 10)]}
    assert wrong_boxes(benchmark(box_format="xyxy"), [(row, answer)]) == []
    assert len(wrong_boxes(benchmark(), [(row, {"boxes": [None, {"box": 7}, box("cat", 0, 0, 2, 2)]})])) == 1
    assert wrong_boxes(benchmark(), [({"image": [[0]], "objects": 7}, {"boxes": "x"})]) == []


def test_rows_without_a_picture_or_a_label_are_passed_over():
    rows = [({"image": 7, "objects": 0}, {"label": "dog"}), ({"image": [[0]], "objects": "cow"}, {"label": "dog"}),
            ({"image": [[0]], "objects": 0}, {"label": "dog", "scores": {"dog": 0.7}})]  # fmt: skip
    (mistake,) = wrong_images(benchmark(), rows)
    assert (mistake.label, mistake.answer, mistake.confidence) == ("cat", "dog", 0.7)
