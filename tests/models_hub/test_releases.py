"""Versions with names and notes."""

from xml.etree import ElementTree

import pytest

from models_hub import publishing, referencing, releasing, semantic_versions
from models_hub.changes import Delete, PutFile
from models_hub.models import Ref, Release
from models_hub.views import releases
from tests.evaluating import safetensors

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"a.txt": "one\n", "b.txt": "b"})


def release(model, by, tag, **options):
    return releasing.publish(model, by=by, tag=tag, revision=options.pop("revision", "main"), **options)


def change(model, by, title, *changes):
    return publishing.commit(repo=model, by=by, title=title, changes=changes or [PutFile("a.txt", title.encode())])


@pytest.fixture
def two(model, alice):
    release(model, alice, "v1.0.0", notes="The **first** one.")
    change(model, alice, "More", PutFile("c.txt", b"c"), Delete("b.txt"), PutFile("w.safetensors", safetensors(1)))
    change(model, alice, "Again", PutFile("a.txt", b"2"))
    release(model, alice, "v1.1.0", title="Better", notes="See [c](c.txt). <script>alert(1)</script>")
    return model


def test_the_changelog_counts_what_each_version_changed(client, two):
    page = client.get("/alice/bert/releases").text
    assert page.index("v1.1.0") < page.index(">v1.0.0<")
    second = page.split('id="release-1"')[1].split('id="release-2"')[0]
    for piece in ("2 commits", "4 files", "+2", "−1", "~1", "latest", "changes the weights", "compare/v1.0.0...v1.1.0"):
        assert piece in second, piece
    assert "/alice/bert/blob/v1.1.0/c.txt" in second
    assert "<script>alert" not in page
    assert "<strong>first</strong>" in page


def test_a_version_has_a_page_with_what_can_be_done(client, as_user, alice, two):
    page = client.get("/alice/bert/releases/tag/v1.1.0").text
    assert "Better" in page
    assert "/alice/bert/archive/v1.1.0" in page
    assert "Edit the notes" not in page
    assert "Edit the notes" in as_user(alice).get("/alice/bert/releases/tag/v1.1.0").text


def test_a_tag_without_notes_is_a_version_too(client, as_user, alice, model):
    referencing.create_tag(model, by=alice, name="old/one", message="From git")
    page = client.get("/alice/bert/releases/tag/old/one").text
    assert "From git" in page
    assert "Write notes" in as_user(alice).get("/alice/bert/releases").text


def test_the_form_proposes_what_comes_next_and_lists_the_commits(as_user, alice, two):
    change(two, alice, "Mend *it*")
    page = as_user(alice).get("/alice/bert/releases/new").text
    for name in ("v1.1.1", "v1.2.0", "v2.0.0"):
        assert f'href="?tag={name}"' in page
    assert "- Mend *it*" in page
    assert "- Again" not in page
    assert 'value="v1.2.0"' in as_user(alice).get("/alice/bert/releases/new?tag=v1.2.0").text


def test_a_release_makes_its_tag(as_user, alice, model):
    sent = {"tag": "v0.1.0", "revision": "main", "title": "", "notes": "Hi\r\n"}
    answer = as_user(alice).post("/alice/bert/releases/new", sent)
    assert answer.headers["Location"] == "/alice/bert/releases/tag/v0.1.0"
    row = Release.objects.get(repo=model)
    assert (row.tag.oid, row.notes, row.author) == (model.head, "Hi", alice)


def test_a_preview_saves_nothing(as_user, alice, model):
    sent = {"tag": "v0.1.0", "revision": "main", "notes": "**bold**", "preview": "1"}
    page = as_user(alice).post("/alice/bert/releases/new", sent)
    assert "<strong>bold</strong>" in page.text
    assert not Release.objects.exists()


def test_a_tag_that_is_there_gets_notes(as_user, alice, model):
    ref = referencing.create_tag(model, by=alice, name="v1")
    change(model, alice, "Later")
    browser = as_user(alice)
    assert 'name="revision" value="v1"' in browser.get("/alice/bert/releases/new?tag=v1").text
    assert browser.post("/alice/bert/releases/new", {"tag": "v1", "revision": "v1"}).status_code == 302
    assert Release.objects.get().tag == ref


@pytest.mark.parametrize(
    ("tag", "revision", "status"),
    [
        ("v1.0.0", "main", 409),
        ("v9", "nowhere", 404),
        ("a..b", "main", 400),
        ("", "main", 400),
        ("v1.1.0", "v1.1.0", 409),
    ],
)
def test_a_bad_release_is_refused_and_keeps_what_was_typed(as_user, alice, two, tag, revision, status):
    sent = {"tag": tag, "revision": revision, "notes": "kept words"}
    answer = as_user(alice).post("/alice/bert/releases/new", sent)
    assert answer.status_code == status
    assert "kept words" in answer.text
    assert Release.objects.count() == 2


def test_notes_are_edited_and_taken_away(as_user, alice, two):
    browser = as_user(alice)
    assert "The **first** one." in browser.get("/alice/bert/releases/edit/v1.0.0").text
    browser.post("/alice/bert/releases/edit/v1.0.0", {"title": "T", "notes": "Other"})
    row = Release.objects.get(tag__name="refs/tags/v1.0.0")
    assert (row.title, row.notes, row.edited_at is None) == ("T", "Other", False)
    browser.post("/alice/bert/releases/withdrawal/v1.0.0")
    assert not Release.objects.filter(pk=row.pk).exists()
    assert Ref.objects.filter(repo=two, name="refs/tags/v1.0.0").exists()
    assert browser.get("/alice/bert/releases/edit/v1.0.0").status_code == 404


def test_notes_go_with_their_tag(two, alice):
    referencing.delete_tag(two, by=alice, name="v1.1.0")
    assert [row.tag.short_name for row in Release.objects.filter(repo=two)] == ["v1.0.0"]


@pytest.mark.parametrize("address", ["new", "edit/v1.0.0", "withdrawal/v1.0.0"])
def test_only_writers_write(as_user, client, charlie, two, address):
    assert (
        as_user(charlie).post(f"/alice/bert/releases/{address}", {"tag": "v3", "revision": "main"}).status_code == 403
    )
    assert client.post(f"/alice/bert/releases/{address}").status_code == 302
    assert Release.objects.count() == 2


def test_the_latest_is_the_highest_final_version(model, alice):
    for tag in ("nightly", "v0.9.0", "v0.10.0", "v1.0.0-rc.1"):
        release(model, alice, tag)
    assert releasing.latest(model).tag.short_name == "v0.10.0"


@pytest.mark.parametrize(
    ("names", "proposed"),
    [
        ([], ["v0.1.0", "v1.0.0"]),
        (["nightly", "v1.02.3"], ["v0.1.0", "v1.0.0"]),
        (["1.2.9", "1.10.0"], ["1.10.1", "1.11.0", "2.0.0"]),
        (["v2.0.0-rc.1", "v1.0.0"], ["v2.0.0", "v2.1.0", "v3.0.0"]),
    ],
)
def test_what_comes_next(names, proposed):
    assert [name for _part, name in semantic_versions.proposals(names)] == proposed


def test_the_feed_has_the_versions(client, two):
    answer = client.get("/alice/bert/releases/feed")
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    root = ElementTree.fromstring(answer.content)
    assert [item.findtext(f"{ATOM}title") for item in root.iter(f"{ATOM}entry")] == ["v1.1.0 – Better", "v1.0.0"]


def test_the_feed_holds_any_text(client, model, alice):
    release(model, alice, "v1", title="a & <b>", notes="]]> \x0c &amp; <x>")
    root = ElementTree.fromstring(client.get("/alice/bert/releases/feed").content)
    assert root.find(f"{ATOM}entry").findtext(f"{ATOM}title") == "v1 – a & <b>"


def test_pages_go_on_and_cost_the_same(client, model, alice, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(releases, "PAGE", 3)
    for number in range(8):
        change(model, alice, f"Change {number}")
        release(model, alice, f"v0.{number}.0")
    with django_assert_max_num_queries(26):
        first = client.get("/alice/bert/releases").text
    assert "v0.7.0" in first
    assert "releases/tag/v0.4.0" not in first
    older = first.split('href="?after=')[1].split('"')[0]
    second = client.get(f"/alice/bert/releases?after={older}").text
    assert "releases/tag/v0.4.0" in second
    assert "releases/tag/v0.5.0" not in second


@pytest.mark.parametrize("after", ["x", "1-", "-1", "9" * 50 + "-1", "'", "\x00"])
def test_a_made_up_place_is_the_beginning(client, two, after):
    assert "v1.1.0" in client.get("/alice/bert/releases", {"after": after}).text


@pytest.mark.parametrize("page", ["releases", "releases/new", "releases/feed", "releases/tag/v1", "releases/edit/v1"])
def test_a_private_repository_shows_none_of_it(as_user, charlie, alice, make_repo, page):
    hidden = make_repo(alice, "hidden", private=True)
    release(hidden, alice, "v1")
    assert as_user(charlie).get(f"/alice/hidden/{page}").status_code == 404
