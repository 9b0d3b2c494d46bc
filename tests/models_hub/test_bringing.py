"""Tables as people have them: what they become, and what is said of those that nothing can be learned from."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from models_hub import browsing, publishing
from models_hub.adapting import bringing, columns, registry, samples
from models_hub.models import Repo, Run
from models_hub.publishing import PutFile
from portal.errors import InvalidInput
from portal.models import User
from tests.tuning import ask, make_base

MakeRepo = Callable[..., Repo]
LINES = "".join(f"thing number {n},{'good' if n % 2 else 'bad'}\n" for n in range(8))
GOOD = "text,label\n" + LINES
CHINESE = "文本,标签\n" + "".join(
    f"第{n}部电影很{'好看' if n % 2 else '无聊'},{'正面' if n % 2 else '负面'}\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("content", "path", "begins"),
    [
        (GOOD.encode(), "train.csv", "text,label\nthing number 0,bad\n"),
        (GOOD.replace(",", ";").encode(), "train.csv", "text,label\nthing number 0,bad\n"),
        (GOOD.replace(",", "\t").encode(), "train.csv", "text,label\nthing number 0,bad\n"),
        (b'text;label\n"a, b; c";good\n', "train.csv", 'text,label\n"a, b; c",good\n'),
        (CHINESE.encode("gb18030"), "train.csv", "文本,标签\n第0部电影很无聊,负面\n"),
        (GOOD.encode("utf-16"), "train.csv", "text,label\n"),
        (b'[{"text": "a"}, {"text": "b"}]', "train.jsonl", '{"text": "a"}\n{"text": "b"}\n'),
        (b'{"text": "a"}\n', "train.jsonl", '{"text": "a"}\n'),
    ],
)
def test_a_table_is_written_so_that_it_can_be_learned_from(content: bytes, path: str, begins: str) -> None:
    table = bringing.as_table(content, "mine.csv")
    assert table.path == path
    assert table.content.decode().startswith(begins)
    assert bool(table.notes) == (table.content != content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + bytes(99), "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "spreadsheet"),
        (b"  \n", "empty"),
        (b"\x00\x01\x02", "no text"),
        (b"text,label\n", "one line alone"),
        (b"text,text\na,b\n", "two columns named “text”"),
        (b'text,label\n"never closed,good\n', "line 2"),
        (b"[1, 2]", "list"),
        (b'{"text": \n{"text"\n', "no line is a JSON object"),
        (GOOD.encode() * 40 + b"\xff\xfe\xfa,good\n", "line 361"),
    ],
)
def test_a_file_that_is_no_table_is_told_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        bringing.as_table(content, "mine.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_first_row_beyond_the_sample_tells_nothing_and_a_mark_alone_is_empty(name: str) -> None:
    assert samples.of_bytes(b"x" * samples.BYTES, name, is_whole=False) == samples.Sample(is_whole=False)
    assert "is empty" in samples.of_bytes(b"\xef\xbb\xbf", name, is_whole=True).problem


def test_a_long_file_is_judged_by_its_beginning() -> None:
    start = (GOOD * 9_000).encode()[: samples.BYTES - 7] + b'"cut of'
    assert samples.of_bytes(start, "a.csv", is_whole=False).problem == ""
    assert samples.of_bytes(start, "a.csv", is_whole=False).columns == ["text", "label"]


@pytest.mark.parametrize(
    ("task", "names", "found"),
    [
        ("text-classification", ["text", "label"], {"input": "text", "target": "label"}),
        ("text-classification", ["标签", "文本"], {"input": "文本", "target": "标签"}),
        ("text-classification", ["id", "Review", "Sentiment"], {"input": "Review", "target": "Sentiment"}),
        ("text-classification", ["words", "label"], {"input": "words", "target": "label"}),
        ("text-classification", ["a", "b"], {}),
        ("text-pair-classification", ["premise", "hypothesis", "label"],
         {"input": "premise", "input2": "hypothesis", "target": "label"}),
        ("question-answering", ["question", "passage", "answers"],
         {"input": "question", "context": "passage", "target": "answers"}),
        ("language-modeling", ["text"], {"input": "text"}),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_usual_names(task: str, names: list[str], found: dict[str, str]) -> None:
    assert columns.guess(registry.find_task(task), names) == found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (GOOD.replace(",", ";"), {}, "“;” between its cells"),
        (CHINESE.encode("gb18030"), {}, "encoded as GB18030"),
        ("text,mood\n" + LINES, {}, "no column “label” for “Answer”. Choose one of its columns: text, mood"),
        ("text,label\n" + LINES, {"target": "mood"}, "no column “mood”"),
        ("text,label\n" + LINES.replace("good", "bad"), {}, "same answer"),
        (GOOD, {"input": "text", "target": "text"}, "for “Text” and for “Answer”"),
        ("text,label\n" + "".join(f"thing,{n}\n" for n in range(20)), {}, "an answer of its own"),
        ("text,label\n" + LINES.replace("good", "").replace("bad", ""), {}, "has an answer"),
    ],
)
def test_what_a_worker_could_only_refuse_is_not_asked_for(
    make_repo: MakeRepo, alice: User, content: str | bytes, fields: dict[str, str], said: str
) -> None:
    make_base(make_repo, alice)
    make_repo(alice, "moods", kind="dataset", files={"train.csv": content})
    with pytest.raises(InvalidInput, match=said):
        ask(alice, files={"train": "train.csv"}, fields=fields)
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_a_table_without_a_name_is_named_after_its_file_and_its_columns_are_chosen(
    make_repo: MakeRepo, alice: User, as_user: Any
) -> None:
    make_base(make_repo, alice)
    make_repo(alice, "My-reviews", kind="dataset")
    file = SimpleUploadedFile("My reviews.csv", CHINESE.encode("gb18030"))
    sent = {"task": "text-classification", "base": "alice/bert", "upload-name": "", "upload-file": file}
    client = as_user(alice)
    answer = client.post("/runs/new/table", sent)
    assert answer.status_code == 302, answer.context["upload"].errors
    page = client.get(answer["Location"])
    assert "It was encoded as GB18030" in page.text
    assert "第0部电影很无聊" in page.text
    form = page.context["form"]
    assert (form["column_input"].initial, form["column_target"].initial) == ("文本", "标签")
    assert Repo.objects.get(name="My-reviews-2").private


@pytest.mark.django_db
def test_a_refused_table_keeps_what_was_typed_and_says_why_beside_the_file(alice: User, as_user: Any) -> None:
    file = SimpleUploadedFile("book.xlsx", b"PK\x03\x04" + bytes(99))
    sent = {"task": "translation", "base": "alice/bert", "upload-name": "mine", "upload-file": file}
    page = as_user(alice).post("/runs/new/table", sent)
    assert page.status_code == 400
    assert "spreadsheet" in page.context["upload"].errors["file"][0]
    assert (page.context["form"]["task"].value(), page.context["upload"]["name"].value()) == ("translation", "mine")
    assert not Repo.objects.exists()


@pytest.mark.django_db
def test_a_corrected_data_set_can_be_taken_as_it_is_now(make_repo: MakeRepo, alice: User, as_user: Any) -> None:
    make_base(make_repo, alice)
    data = make_repo(alice, "moods", kind="dataset", files={"train.csv": GOOD})
    run = ask(alice, files={"train": "train.csv"})
    assert not as_user(alice).get(f"/runs/new?like={run.pk}").context["newest"]
    corrected = PutFile("train.csv", GOOD.replace("label", "mood").encode())
    publishing.commit(repo=data, by=alice, changes=[corrected], title="Rename a column")
    then = as_user(alice).get(f"/runs/new?like={run.pk}")
    assert then.context["source"].columns == ["text", "label"]
    now = as_user(alice).get("/runs/new" + then.context["newest"])
    assert now.context["source"].columns == ["text", "mood"]
    assert browsing.resolve_revision(data, "main").oid != run.data_commit
