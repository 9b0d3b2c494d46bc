"""Folders and files at a revision."""

import pytest

from models_hub import publishing, referencing
from models_hub.changes import PutFile
from tests.evaluating import safetensors

PNG = b"\x89PNG\r\n\x1a\n\x00\x00"


@pytest.fixture
def model(alice, make_repo):
    return make_repo(
        alice,
        "bert",
        files={
            "config.json": '{"a": [1, 2]}',
            "docs/deep/note.md": "# Note\n\n[up](../x.md)",
            "code.py": "x = '<script>'\n",
            "rows.csv": 'text,label\n"a, <b>",1\n',
            "rows.jsonl": '{"text": "你好", "n": {"k": 1}}\n{"text": "b"}\n',
            "model.safetensors": safetensors(1, 2, 3),
            "picture.png": PNG,
            "weights.bin": b"\x80\x04\x00",
            "empty.txt": "",
        },
    )


def test_a_folder_lists_folders_first_with_sizes_and_last_commits(client, model, alice):
    publishing.commit(repo=model, by=alice, title="Fix the code", changes=[PutFile("code.py", b"y = 1\n")])
    page = client.get("/alice/bert/tree/main").text
    assert page.index("/tree/main/docs") < page.index("/blob/main/code.py")
    assert "Fix the code" in page
    assert "Add files" in page
    assert "initial commit" in page
    assert "LFS" in page
    assert "/alice/bert/resolve/main/model.safetensors?download=true" in page


def test_a_folder_inside_has_crumbs_back(client, model):
    page = client.get("/alice/bert/tree/main/docs/deep").text
    assert 'href="/alice/bert/tree/main/docs"' in page
    assert 'href="/alice/bert/blob/main/docs/deep/note.md"' in page


def test_folders_and_files_lead_to_each_other_s_address(client, model):
    assert client.get("/alice/bert/tree/main/code.py").headers["Location"] == "/alice/bert/blob/main/code.py"
    assert client.get("/alice/bert/blob/main/docs").headers["Location"] == "/alice/bert/tree/main/docs"


def test_a_branch_may_have_a_slash_in_its_name(client, model, alice):
    referencing.create_branch(model, by=alice, name="dev/next")
    publishing.commit(repo=model, by=alice, title="x", branch="dev/next", changes=[PutFile("docs/only.txt", b"here")])
    assert "only.txt" in client.get("/alice/bert/tree/dev/next/docs").text
    assert "here" in client.get("/alice/bert/blob/dev/next/docs/only.txt").text
    assert client.get("/alice/bert/blob/main/docs/only.txt").status_code == 404


def test_the_picker_offers_branches_and_tags(client, model, alice):
    referencing.create_tag(model, by=alice, name="v1")
    page = client.get("/alice/bert/tree/v1").text
    assert 'href="/alice/bert/tree/main"' in page
    assert 'href="/alice/bert/tree/v1"' in page


def test_a_commit_is_a_revision_too(client, model):
    assert "config.json" in client.get(f"/alice/bert/tree/{model.head}").text
    assert "config.json" in client.get(f"/alice/bert/tree/{model.head[:8]}").text


@pytest.mark.parametrize(
    "address", ["tree/none", "tree/main/none", "blob/main/none", "blob/none/config.json", "blob/main", "commits/none"]
)
def test_what_does_not_exist_is_404(client, model, address):
    assert client.get(f"/alice/bert/{address}").status_code == 404


@pytest.mark.parametrize(
    ("path", "pieces"),
    [
        ("config.json", ['class="nt">"a"</span>', 'id="L2"', "git"]),
        ("code.py", ["&lt;script&gt;"]),
        ("docs/deep/note.md", ['id="card-note"', "/alice/bert/blob/main/docs/x.md"]),
        ("rows.csv", ["/alice/bert/table/main/rows.csv"]),
        ("rows.jsonl", ["/alice/bert/table/main/rows.jsonl"]),
        ("model.safetensors", ["classifier.weight", "[3]", "F32", "sha256"]),
        ("picture.png", ['<img src="/alice/bert/resolve/main/picture.png"']),
        ("weights.bin", ["may run code", "binary file"]),
        ("empty.txt", ["This file is empty"]),
    ],
)
def test_each_kind_of_file_is_shown_in_its_way(client, model, path, pieces):
    page = client.get(f"/alice/bert/blob/main/{path}").text
    for piece in pieces:
        assert piece in page
    assert f"/alice/bert/resolve/main/{path}?download=true" in page


def test_the_source_of_markdown_can_be_seen(client, model):
    page = client.get("/alice/bert/blob/main/docs/deep/note.md?source").text
    assert "# Note" in page
    assert "card-note" not in page


def test_a_large_file_is_not_read_into_the_page(client, alice, make_repo):
    make_repo(alice, "big", files={"a.txt": "x" * 1_200_000})
    page = client.get("/alice/big/blob/main/a.txt").text
    assert "Only the first" in page
    assert len(page) < 60_000


def test_hostile_names_are_escaped_and_quoted(client, alice, make_repo):
    make_repo(alice, "bert", files={"a<b>&'\"?#.txt": "x"})
    page = client.get("/alice/bert/tree/main").text
    assert "<b>" not in page.split('id="files"')[1].split("</ul>")[0]
    assert "/alice/bert/blob/main/a%3Cb%3E%26%27%22%3F%23.txt" in page
    assert client.get("/alice/bert/blob/main/a%3Cb%3E%26%27%22%3F%23.txt").status_code == 200


def test_a_folder_costs_the_same_however_many_files_it_has(client, model, alice, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        client.get("/alice/bert/tree/main")
    publishing.commit(
        repo=model, by=alice, title="More", changes=[PutFile(f"f{number}.txt", b"x") for number in range(50)]
    )
    with django_assert_max_num_queries(12):
        client.get("/alice/bert/tree/main")


def test_whoever_signed_in_sees_ways_to_change_a_file(as_user, model, alice, charlie):
    for person in (alice, charlie):
        assert "/alice/bert/edit/main/code.py" in as_user(person).get("/alice/bert/blob/main/code.py").text
    page = as_user(None).get("/alice/bert/blob/main/code.py").text
    assert "/edit/" not in page
    assert "/removal/" not in page


def test_a_commit_is_not_edited_but_a_branch_is(as_user, model, alice):
    assert "/edit/" not in as_user(alice).get(f"/alice/bert/blob/{model.head}/code.py").text
