"""The history of a repository or of one path, and the graph beside it."""

import pytest

from models_hub import browsing, history, merging, publishing, referencing
from models_hub.changes import Delete, PutFile
from models_hub.models import PullRequest
from models_hub.views import versions


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"a.txt": "one\n", "docs/b.txt": "b\n"})


def change(model, by, path, text, title, **options):
    return publishing.commit(repo=model, by=by, title=title, changes=[PutFile(path, text.encode())], **options)


@pytest.fixture
def merged(model, alice, charlie):
    """Main and a pull request that went on side by side and were merged."""
    pull, _commit = publishing.propose(repo=model, by=charlie, changes=[PutFile("c.txt", b"c\n")], title="Proposed")
    change(model, alice, "a.txt", "two\n", "Meanwhile")
    merging.merge(PullRequest.objects.select_related("repo").get(pk=pull.pk), by=alice)
    return model


def titles(walked):
    return [row.title for row in walked.commits]


def test_a_merge_opens_a_lane_that_closes_where_both_began(merged):
    head = browsing.resolve_revision(merged, "main")
    walked = history.walk(merged, [head.oid], 30)
    graph = history.graph(walked.commits, [])
    assert graph.rows[0].column == 0
    assert graph.width == 2
    assert graph.rows[0].is_merge
    assert {row.column for row in graph.rows[1:3]} == {0, 1}
    assert graph.rows[3].column == 0
    assert graph.ends == []


def test_pages_go_on_where_the_one_before_stopped_and_show_no_commit_twice(merged):
    head = browsing.resolve_revision(merged, "main")
    whole = titles(history.walk(merged, [head.oid], 30))
    paged, ends = [], [head.oid]
    while ends:
        walked = history.walk(merged, ends, 1)
        paged += titles(walked)
        ends = walked.ends
    assert paged == whole
    assert len(whole) == 5


def test_commits_of_other_branches_are_left_out(model, alice):
    referencing.create_branch(model, by=alice, name="dev")
    change(model, alice, "d.txt", "d", "On dev", branch="dev")
    head = browsing.resolve_revision(model, "main")
    assert "On dev" not in titles(history.walk(model, [head.oid], 30))


def test_the_history_of_a_path_has_what_changed_it(merged, alice):
    change(merged, alice, "docs/b.txt", "bb\n", "Docs")
    head = browsing.resolve_revision(merged, "main")
    assert titles(history.of_path(merged, [head.oid], "docs/b.txt", 30)) == ["Docs", "Add files"]
    assert titles(history.of_path(merged, [head.oid], "docs", 30)) == ["Docs", "Add files"]
    assert titles(history.of_path(merged, [head.oid], "a.txt", 30)) == ["Meanwhile", "Add files"]
    assert titles(history.of_path(merged, [head.oid], "c.txt", 30)) == ["Proposed"]
    assert titles(history.of_path(merged, [head.oid], "missing", 30)) == []


def test_versions_are_listed_newest_first_and_paged(client, model, alice, monkeypatch):
    monkeypatch.setattr(versions, "PAGE", 2)
    change(model, alice, "a.txt", "1\n", "Third")
    first = client.get("/alice/bert/commits/main").text
    assert first.index("Third") < first.index("Add files")
    assert "initial commit" not in first
    second = client.get(first.split('id="older" href="')[1].split('"')[0].join(["/alice/bert/commits/main", ""]))
    assert "initial commit" in second.text
    assert "Newest" in second.text
    assert 'id="older"' not in second.text


@pytest.mark.parametrize("asked", ["x", "0" * 40, "," * 5000, "'; drop table", "0" * 40 + ","])
def test_a_made_up_place_in_the_history_shows_no_more_than_the_repository(client, model, asked):
    answer = client.get("/alice/bert/commits/main", {"from": asked})
    assert answer.status_code == 200


def test_a_commit_of_another_repository_is_no_place_to_begin(client, model, charlie, make_repo):
    secret = make_repo(charlie, "secret", files={"x": "x"}, private=True)
    assert "Add files" not in client.get(f"/alice/bert/commits/main?from={secret.head}").text


def test_a_page_costs_the_same_however_long_the_history_is(client, model, alice, django_assert_max_num_queries):
    for number in range(70):
        change(model, alice, "a.txt", f"{number}\n", f"Change {number}")
    with django_assert_max_num_queries(12):
        assert "Change 69" in client.get("/alice/bert/commits/main").text
    with django_assert_max_num_queries(14):
        assert "Change 69" in client.get("/alice/bert/commits/main/a.txt").text


def test_the_history_of_a_private_repository_is_404(client, alice, make_repo):
    make_repo(alice, "hidden", files={"a.txt": "x"}, private=True)
    assert client.get("/alice/hidden/commits/main").status_code == 404
    assert client.get("/alice/hidden/commits/main/a.txt").status_code == 404


def test_the_history_of_a_renamed_file_leads_to_its_former_name(client, model, alice):
    before = model.head
    changes = [Delete("docs/b.txt"), PutFile("notes.txt", b"b\n")]
    publishing.commit(repo=model, by=alice, title="Rename", changes=changes)
    page = client.get("/alice/bert/commits/main/notes.txt").text
    assert "Before that it was called <code>docs/b.txt</code>" in page
    assert f'href="/alice/bert/commits/{before}/docs/b.txt"' in page
    assert "Before that" not in client.get("/alice/bert/commits/main/a.txt").text
