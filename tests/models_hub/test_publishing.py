"""The one way in: changes become a commit, or nothing happens."""

import json
import struct

import pytest
from django.contrib.auth.models import AnonymousUser
from dulwich.objects import ShaFile

from models_hub import browsing, contents, drafting, publishing
from models_hub.browsing import EntryNotFound, RevisionNotFound
from models_hub.cards import CardRefused
from models_hub.checking import FileRefused, PathRefused
from models_hub.git import objects
from models_hub.models import Blob, Commit, GitObject, Ref, Repo
from models_hub.publishing import Delete, PutFile, PutLarge
from models_hub.storage import ContentRefused, blob_store
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired, StaleParent, TooLarge
from portal.models import Event

LARGE = b"\x00large" * 100


def safetensors(**shapes: list[int]) -> bytes:
    """A well-formed file of float32 zeros."""
    header, position = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [position, position + size]}
        position += size
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(position)


def paths_of(repo, revision="main"):
    listed = browsing.list_folder(repo, browsing.resolve_revision(repo, revision), recursive=True)
    return [entry.path for entry in listed]


def content_of(repo, path, revision="main"):
    entry = browsing.find(repo, browsing.resolve_revision(repo, revision), path)
    return b"".join(browsing.stream(repo, entry))


def test_a_new_repository_has_one_commit_with_its_attributes(alice, make_repo):
    repo = make_repo(alice)
    commit = Commit.objects.get(repo=repo)
    assert (commit.title, commit.author_name, repo.head) == ("initial commit", "alice", commit.oid)
    assert paths_of(repo) == [".gitattributes"]
    assert b"*.safetensors filter=lfs" in content_of(repo, ".gitattributes")


def test_a_second_repository_of_the_same_name_is_a_conflict_whatever_the_case(alice, make_repo):
    make_repo(alice, "bert")
    with pytest.raises(Conflict, match="already created this model repo: alice/bert") as caught:
        make_repo(alice, "BERT")
    assert caught.value.data["path"] == "/alice/bert"
    assert make_repo(alice, "bert", kind="dataset").path == "/datasets/alice/bert"


@pytest.mark.parametrize("name", ["", "a--b", "a..b", ".a", "a-", "x" * 97, "a.git", "a b", "../b", "a/b", "é"])
def test_hostile_repository_names_are_refused(alice, name):
    with pytest.raises(InvalidInput):
        publishing.create_repo(by=alice, namespace="alice", kind="model", name=name)


def test_only_writers_of_a_namespace_create_in_it(alice, bob, charlie, team):
    assert publishing.create_repo(by=bob, namespace="team", kind="model", name="ok").full_name == "team/ok"
    for namespace in ("team", "alice", "nobody"):
        with pytest.raises(NotAllowed):
            publishing.create_repo(by=charlie, namespace=namespace, kind="model", name="no")


def test_the_ids_are_those_that_git_computes(alice, make_repo):
    repo = make_repo(alice, files={"a/b.txt": "hello\n", "a.txt": "x", "w.bin": LARGE})
    for row in GitObject.objects.filter(repo=repo):
        assert ShaFile.from_raw_string(row.type, objects.body(row)).id.decode() == row.oid
    entry = browsing.find(repo, browsing.resolve_revision(repo, "main"), "a/b.txt")
    assert entry.oid == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_files_go_in_and_come_out(alice, make_repo):
    files = {"config.json": "{}", "deep/er/notes.txt": "hi", "weights.bin": LARGE, "empty.bin": b"", "é漢.txt": "ü"}
    repo = make_repo(alice, files=files)
    for path, content in files.items():
        assert content_of(repo, path) == (content.encode() if isinstance(content, str) else content)
    assert repo.size == sum(
        entry.size for entry in browsing.list_folder(repo, browsing.resolve_revision(repo, "main"), recursive=True)
    )


def test_large_content_is_a_pointer_in_git_and_stored_once_for_all_repositories(alice, charlie, make_repo):
    first = make_repo(alice, files={"a.bin": LARGE, "b.bin": LARGE})
    second = make_repo(charlie, files={"c.bin": LARGE})
    blob = Blob.objects.get()
    assert blob.repo_blobs.count() == 2
    assert len([p for p in blob_store().root.rglob("*") if p.is_file()]) == 1
    entry = browsing.find(first, browsing.resolve_revision(first, "main"), "a.bin")
    assert entry.blob == blob
    assert entry.size == len(LARGE)
    pointer = objects.body(GitObject.objects.get(repo=second, oid=entry.oid))
    assert pointer.decode().splitlines()[1:] == [f"oid sha256:{blob.sha256}", f"size {len(LARGE)}"]


@pytest.mark.parametrize("name", ["model.bin", "x.SafeTensors", "photo.unknown"])
def test_binary_content_is_large_whatever_its_name(alice, make_repo, name):
    content = safetensors(w=[2]) if name.lower().endswith("safetensors") else LARGE
    repo = make_repo(alice, files={name: content})
    assert browsing.find(repo, browsing.resolve_revision(repo, "main"), name).blob is not None


def test_the_attributes_of_the_branch_decide_what_is_large(alice, make_repo):
    repo = make_repo(alice, files={".gitattributes": "*.txt filter=lfs diff=lfs merge=lfs -text\n"})
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"text")], title="t")
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.bin", b"text")], title="t")
    head = browsing.resolve_revision(repo, "main")
    assert browsing.find(repo, head, "a.txt").blob is not None
    assert browsing.find(repo, head, "a.bin").blob is None


def test_knowing_a_digest_gives_no_right_to_the_content(alice, charlie, make_repo):
    make_repo(alice, private=True, files={"secret.bin": LARGE})
    blob, thief = Blob.objects.get(), make_repo(charlie)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{blob.sha256}\nsize {blob.size}\n".encode()
    for change in (PutLarge("x.bin", blob.sha256, blob.size), PutLarge("x.bin", blob.sha256), PutFile("x", pointer)):
        with pytest.raises(ContentRefused, match="has not been uploaded to this repository"):
            publishing.commit(repo=thief, by=charlie, changes=[change], title="steal")
    assert paths_of(thief) == [".gitattributes"]


def test_a_wrong_size_for_known_content_is_refused(alice, make_repo):
    repo = make_repo(alice, files={"a.bin": LARGE})
    change = PutLarge("b.bin", Blob.objects.get().sha256, 601)
    with pytest.raises(ContentRefused, match="600 bytes, not 601"):
        publishing.commit(repo=repo, by=alice, changes=[change], title="t")


def test_changes_that_change_nothing_make_no_commit(alice, make_repo):
    repo = make_repo(alice, files={"a.txt": "x"})
    same = publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"x")], title="again")
    assert same.oid == repo.head
    assert Commit.objects.filter(repo=repo).count() == 2


def test_a_commit_on_another_parent_is_stale(alice, make_repo):
    repo = make_repo(alice, files={"a.txt": "x"})
    old = repo.head
    new = publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"y")], title="t", parent=old[:7])
    with pytest.raises(StaleParent, match="The branch was updated since you opened this page"):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"z")], title="t", parent=old)
    assert browsing.resolve_revision(repo, "main") == new
    for bad in ("", "abc", "zzzzzzz", "%", new.oid.upper()):
        with pytest.raises((InvalidInput, StaleParent)):
            publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"z")], title="t", parent=bad)


def test_a_refused_change_leaves_nothing_to_see(alice, make_repo):
    repo = make_repo(alice, files={"a.txt": "x"})
    events = Event.objects.count()
    with pytest.raises(EntryNotFound, match="A file with this name doesn't exist"):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"y"), Delete("missing")], title="t")
    repo.refresh_from_db()
    assert paths_of(repo) == [".gitattributes", "a.txt"]
    assert (Event.objects.count(), browsing.resolve_revision(repo, "main").oid) == (events, repo.head)


def test_files_and_folders_are_deleted_in_the_order_given(alice, make_repo):
    files = {"keep.txt": "1", "d/a.txt": "2", "d/e/b.txt": "3", "d-not.txt": "4", "d.txt": "5"}
    repo = make_repo(alice, files=files)
    again, other = PutFile("d/a.txt", b"new"), PutFile("d/c.txt", b"6")
    changes = [Delete("d/a.txt"), again, Delete("d/"), other, Delete("keep.txt")]
    publishing.commit(repo=repo, by=alice, changes=changes, title="t")
    assert paths_of(repo) == [".gitattributes", "d-not.txt", "d.txt", "d", "d/c.txt"]
    with pytest.raises(EntryNotFound):
        publishing.commit(repo=repo, by=alice, changes=[Delete("d"), Delete("d")], title="t")


def test_a_stranger_a_reader_and_nobody_cannot_write(alice, bob, charlie, team, make_repo):
    repo = make_repo(alice, namespace="team")
    team.add(charlie, role="read", by=alice)
    publishing.commit(repo=repo, by=bob, changes=[PutFile("a.txt", b"bob")], title="t")
    with pytest.raises(NotAllowed):
        publishing.commit(repo=repo, by=charlie, changes=[PutFile("a.txt", b"charlie")], title="t")
    with pytest.raises(SignInRequired):
        publishing.commit(repo=repo, by=AnonymousUser(), changes=[PutFile("a.txt", b"?")], title="t")
    assert content_of(repo, "a.txt") == b"bob"


BAD_PATHS = [
    "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\\b", "..\\ddd", ".git/config", "a/.GIT/x", ".git ",
    "git~1", ".git.", ".git::$INDEX", "a\x00b", "a\nb", "a\u202eb", "a\u200bb", "con", "a/NUL.txt", "x" * 256,
    "a/" * 64 + "b", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_hostile_paths_are_refused(alice, make_repo, path):
    repo = make_repo(alice)
    for change in (PutFile(path, b"x"), PutLarge(path, "0" * 64, 1)):
        with pytest.raises(PathRefused):
            publishing.commit(repo=repo, by=alice, changes=[change], title="t")


AWKWARD_PATHS = [
    "subfolder/to?/awful?filename%you:should,never.give", "a b.txt", "100%25.txt", "漢字.md", "-rf", "~", "a'\"<>|*",
]  # fmt: skip


@pytest.mark.parametrize("path", AWKWARD_PATHS)
def test_awkward_but_harmless_paths_round_trip(alice, make_repo, path):
    repo = make_repo(alice, files={path: "x"})
    assert path in paths_of(repo)
    assert content_of(repo, path) == b"x"


def test_paths_that_cannot_stand_side_by_side_are_refused(alice, make_repo):
    repo = make_repo(alice, files={"a": "x", "\u00e9": "x"})
    for path in ("a/b", "e\u0301"):
        with pytest.raises(PathRefused):
            publishing.commit(repo=repo, by=alice, changes=[PutFile(path, b"y")], title="t")


@pytest.mark.parametrize("title", ["", "  \n ", "x" * 301, "a\x00b", "\ud800"])
def test_a_commit_needs_a_readable_message(alice, make_repo, title):
    repo = make_repo(alice)
    with pytest.raises(InvalidInput, match="message"):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a", b"x")], title=title)


def test_a_message_of_many_lines_has_its_first_as_title(alice, make_repo):
    repo = make_repo(alice)
    made = publishing.commit(
        repo=repo, by=alice, changes=[PutFile("a", b"x")], title="First\n\nsecond\n", description="third"
    )
    assert (made.title, made.description) == ("First", "second\n\nthird")


def test_there_must_be_a_branch(alice, make_repo):
    repo = make_repo(alice)
    with pytest.raises(RevisionNotFound):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a", b"x")], title="t", branch="dev")


def test_a_card_describes_the_repository(alice, make_repo):
    card = (
        "---\nlicense: mit\nlanguage: [en, zh]\ntags: [tiny]\nlibrary_name: transformers\ndatasets: [imdb]\n"
        "pipeline_tag: text-classification\ndate: 2024-01-01\n---\n# Hello"
    )
    repo = make_repo(alice, files={"README.md": card, "model.safetensors": safetensors(a=[2, 3], b=[4])})
    assert (repo.license, repo.task, repo.library, repo.languages) == (
        "mit", "text-classification", "transformers", ["en", "zh"],
    )  # fmt: skip
    assert (repo.parameters, repo.dtypes, repo.card["date"]) == (10, {"F32": 10}, "2024-01-01")
    assert [label.text for label in repo.labels.all()] == [
        "transformers", "safetensors", "text-classification", "tiny", "en", "zh", "dataset:imdb", "license:mit",
        "precision:fp32",
    ]  # fmt: skip


def test_a_model_without_card_is_described_by_its_config(alice, make_repo):
    config = json.dumps({"architectures": ["BertForSequenceClassification"], "model_type": "bert", "x": float("nan")})
    repo = make_repo(alice, files={"config.json": config})
    assert (repo.task, repo.library) == ("text-classification", "transformers")
    assert repo.config == {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}


@pytest.mark.parametrize("config", ["", "[]", "{", "null", '{"architectures": 5, "model_type": []}', "[" * 100_000])
def test_a_strange_config_is_no_obstacle(alice, make_repo, config):
    assert make_repo(alice, files={"config.json": config, "a": "x"}).config == {}


def test_labels_follow_the_card(alice, make_repo):
    repo = make_repo(alice, files={"README.md": "---\nlicense: mit\n---\n"})
    publishing.commit(repo=repo, by=alice, changes=[PutFile("README.md", b"---\nlicense: cc0-1.0\n---\n")], title="t")
    assert [label.text for label in repo.labels.all()] == ["license:cc0-1.0"]
    publishing.commit(repo=repo, by=alice, changes=[Delete("README.md")], title="t")
    repo.refresh_from_db()
    assert (list(repo.labels.all()), repo.license, repo.card) == ([], "", {})


@pytest.mark.parametrize(
    "front", ["model-index: foo", "a: [", "- a\n- b", "a: &x [1]\nb: *x", 'a: "\\0"', 'a: "\\ud800"', "a: .nan", "1: 2"]
)
def test_malformed_card_metadata_is_refused_with_a_reason(alice, make_repo, front):
    repo = make_repo(alice)
    card = PutFile("README.md", f"---\n{front}\n---\n".encode())
    with pytest.raises(CardRefused):
        publishing.commit(repo=repo, by=alice, changes=[card], title="t")


def test_a_huge_card_and_a_binary_card_are_refused(alice, make_repo):
    repo = make_repo(alice)
    with pytest.raises(TooLarge, match=r"README\.md may have at most 1048576 bytes"):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("README.md", b"x" * 1_048_577)], title="t")
    with pytest.raises(InvalidInput, match="UTF-8"):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("README.md", b"\xff")], title="t")


GOOD = safetensors(w=[2])


@pytest.mark.parametrize(
    "content",
    [
        GOOD[:-1], GOOD + b"x", GOOD[:20], b"\xff" * 8 + GOOD[8:], b"not weights", struct.pack("<Q", 2**40) + b"{}",
        struct.pack("<Q", 2) + b"[]", GOOD.replace(b"F32", b"F99"), GOOD.replace(b"[2]", b"[3]"), b"\x00" * 8, b"",
    ],
)  # fmt: skip
def test_weights_with_a_lying_header_are_refused(alice, make_repo, content):
    repo = make_repo(alice)
    with pytest.raises(FileRefused, match=r"“sub/model\.safetensors” is not a valid safetensors file"):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("sub/model.safetensors", content)], title="t")
    assert paths_of(repo) == [".gitattributes"]


def test_a_header_is_read_once_and_no_more_than_the_header(alice, make_repo, monkeypatch):
    taken = []
    real = contents.stream
    monkeypatch.setattr(
        contents, "stream", lambda blob, start=0, length=None: taken.append(length) or real(blob, start, length)
    )
    weights = safetensors(w=[100_000])
    repo = make_repo(alice, files={"model.safetensors": weights})
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"x")], title="t")
    assert sum(taken) == len(weights) - 400_000


def test_the_weights_digest_changes_with_the_weights_alone(alice, make_repo):
    repo = make_repo(alice, files={"model.safetensors": GOOD})
    first = browsing.resolve_revision(repo, "main")
    second = publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"x")], title="t")
    third = publishing.commit(
        repo=repo, by=alice, changes=[PutFile("model.safetensors", safetensors(w=[3]))], title="t"
    )
    assert first.weights_digest == second.weights_digest != third.weights_digest
    assert Event.objects.filter(kind="repo.committed").latest("id").payload["weights_before"] == first.weights_digest


def test_a_commit_takes_a_stream_and_costs_few_queries(alice, make_repo, django_assert_max_num_queries):
    repo = make_repo(alice)
    changes = (PutFile(f"d{n % 7}/f{n}.txt", b"%d" % n) for n in range(300))
    with django_assert_max_num_queries(60):
        publishing.commit(repo=repo, by=alice, changes=changes, title="t")
    assert len(paths_of(repo)) == 1 + 7 + 300


def test_deleting_a_repository_takes_its_rows_along(alice, bob, make_repo):
    repo = make_repo(alice, files={"a.bin": LARGE, "README.md": "---\nlicense: mit\n---\n"})
    with pytest.raises(NotAllowed):
        publishing.delete_repo(repo, by=bob)
    publishing.delete_repo(repo, by=alice)
    assert not Repo.objects.exists()
    assert not GitObject.objects.exists()
    assert not Ref.objects.exists()


def test_only_managers_change_visibility(alice, bob, charlie, team, make_repo):
    repo = make_repo(alice, namespace="team")
    with pytest.raises(NotAllowed):
        publishing.set_private(repo, by=bob, private=True)
    publishing.set_private(repo, by=alice, private=True)
    assert not Repo.objects.visible_to(charlie).exists()
    assert Repo.objects.visible_to(bob).get() == repo


@pytest.mark.parametrize("rivals", [1, 2])
def test_a_rival_commit_in_between_is_followed_not_lost(alice, make_repo, monkeypatch, rivals):
    """Each time a draft is ready somebody else commits first, until the branch is held."""
    repo, real, left = make_repo(alice), drafting.draft, [rivals]

    def slow(*arguments, **options):
        made = real(*arguments, **options)
        if left[0]:
            left[0] -= 1
            rival = PutFile(f"rival-{left[0]}.txt", b"x")
            publishing.commit(repo=repo, by=alice, changes=[rival], title="rival")
        return made

    monkeypatch.setattr(drafting, "draft", slow)
    publishing.commit(repo=repo, by=alice, changes=[PutFile("mine.txt", b"x")], title="mine")
    assert len(paths_of(repo)) == 2 + rivals
    titles = [c.title for c in browsing.history(repo, browsing.resolve_revision(repo, "main"))]
    assert titles == ["mine", *["rival"] * rivals, "initial commit"]


def test_a_rival_commit_makes_a_commit_with_parent_stale(alice, make_repo, monkeypatch):
    repo, real = make_repo(alice), drafting.draft

    def slow(*arguments, **options):
        made = real(*arguments, **options)
        monkeypatch.setattr(drafting, "draft", real)
        publishing.commit(repo=repo, by=alice, changes=[PutFile("rival.txt", b"x")], title="rival")
        return made

    monkeypatch.setattr(drafting, "draft", slow)
    with pytest.raises(StaleParent):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a", b"x")], title="mine", parent=repo.head)
    assert paths_of(repo) == [".gitattributes", "rival.txt"]
