"""Results of other boards: brought by who may write, marked as not verified here, never ranked, hidden and removed."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from leaderboard import elsewhere
from leaderboard.models import ImportedResult, Suite
from models_hub.models import Repo
from portal import moderated
from portal.errors import InvalidInput
from portal.models import Decision
from tests.evaluating import model_files

ONE = {
    "board": "Open Board", "url": "https://board.example/tiny", "task": "TNEWS", "metric": "accuracy", "value": "0.61",
    "date": "2026-03-31",
}  # fmt: skip
CARD = """---
license: mit
model-index:
- name: x
  results:
  - dataset: {type: a/b, name: B}
    metrics: [{type: f1, value: 0.5}, {type: accuracy, value: 0.7}]
    source: {name: Far Board, url: "https://far.example/b"}
  - dataset: {type: a/c, name: C}
    metrics: [{type: f1, value: 0.9}]
---
# A model
"""


@pytest.fixture
def model(alice, make_repo) -> Repo:
    return make_repo(alice, "bert", files=model_files() | {"README.md": CARD})


@pytest.fixture
def result(alice, model) -> ImportedResult:
    elsewhere.enter(model, [elsewhere.found_of(ONE)], by=alice)
    return ImportedResult.objects.get()


def test_a_result_by_hand_is_shown_with_its_source_as_not_verified(as_user, client, alice, model):
    answer = as_user(alice).post("/alice/bert/elsewhere", {"how": "hand", **ONE})
    assert answer.status_code == 302
    for address in ("/alice/bert/elsewhere", "/alice/bert/evaluations"):
        page = client.get(address).text
        assert 'href="https://board.example/tiny" rel="nofollow noopener noreferrer ugc"' in page
        for piece in ("Open Board", "TNEWS", "0.61", "not verified here", "2026-03-31"):
            assert piece in page


def test_a_file_brings_many_and_an_error_names_the_row(as_user, alice, model):
    head = "board,url,task,metric,value,date\n"
    rows = "B,https://b.example,T1,f1,91.5%,\nB,https://b.example,T2,f1,0.5,2026-01-02\n"
    browser = as_user(alice)

    def send(text: str, name: str = "a.csv") -> str:
        file = SimpleUploadedFile(name, text.encode())
        return browser.post("/alice/bert/elsewhere", {"how": "file", "file": file}, follow=True).text

    assert "2 results are shown now" in send(head + rows)
    assert "1 result is shown now" in send(json.dumps([ONE]), "a.json")
    assert ImportedResult.objects.count() == 3
    assert "Result 3: “url” must be" in send(head + rows + "B,javascript:alert(1),T,f1,1,\n")
    assert "Missing: metric, value" in send("board,url,task\n")
    assert ImportedResult.objects.count() == 3


def test_the_card_gives_what_it_states_with_an_address(as_user, alice, model):
    as_user(alice).post("/alice/bert/elsewhere", {"how": "card"})
    found = ImportedResult.objects.order_by("metric").values_list("board", "task", "metric", "value")
    assert list(found) == [("Far Board", "a/b", "accuracy", 0.7), ("Far Board", "a/b", "f1", 0.5)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("value", "nan"), ("value", True), ("value", ""), ("url", "ftp://x"), ("url", "https://"), ("board", " "),
     ("task", "x" * 121), ("date", "yesterday"), ("date", "2026-02-31")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(field, value):
    with pytest.raises(InvalidInput) as error:
        elsewhere.found_of({**ONE, field: value})
    assert error.value.data["key"] == field


def test_the_same_result_again_replaces_the_first(alice, model, result):
    elsewhere.enter(model, [elsewhere.found_of({**ONE, "value": 0.7})], by=alice)
    result.refresh_from_db()
    assert result.value == 0.7


def test_only_writers_and_moderators_may_add_and_remove(as_user, bob, charlie, morgan, model, result):
    removal = f"/imported-results/{result.pk}/removal"
    for person, status in ((None, {302, 401}), (charlie, {403}), (bob, {403})):
        browser = as_user(person)
        assert browser.post("/alice/bert/elsewhere", {"how": "hand", **ONE, "task": "other"}).status_code in status
        assert browser.post(removal).status_code in status
        assert 'name="how"' not in browser.get("/alice/bert/elsewhere").text
    assert as_user(morgan).post(removal).status_code == 302
    assert not ImportedResult.objects.exists()


def test_of_a_private_model_nothing_is_seen_anywhere(as_user, alice, charlie, model, morgan):
    suite = Suite.objects.create(slug="open", title="Open")
    elsewhere.enter(model, [elsewhere.found_of(ONE)], by=alice, suite=suite)
    assert "Open Board" in as_user(charlie).get("/leaderboard/open/elsewhere").text
    Repo.objects.filter(pk=model.pk).update(private=True)
    for person in (None, charlie):
        browser = as_user(person)
        assert browser.get("/alice/bert/elsewhere").status_code == 404
        assert "Open Board" not in browser.get("/leaderboard/open/elsewhere").text
        assert browser.get("/api/v1/imported-results").json()["results"] == []
    # To its owner too the page of a board is what everybody sees.
    assert "Open Board" not in as_user(alice).get("/leaderboard/open/elsewhere").text


def test_anybody_who_signed_in_may_report_it(as_user, charlie, result):
    address = f"/reports/new?about=imported_result:{result.pk}"
    assert address in as_user(charlie).get("/alice/bert/elsewhere").text
    assert "alice/bert on Open Board" in as_user(charlie).get(address).text


def test_moderation_hides_it_and_can_show_it_again(client, alice, result):
    decision = Decision.objects.create(about=f"imported_result:{result.pk}", action="hide")
    keeper = moderated.keeper_of(decision.about)[0]
    decision.before = keeper.apply(result.pk, "hide", decision)
    assert "Open Board" not in client.get("/alice/bert/elsewhere").text
    elsewhere.enter(result.model, [elsewhere.found_of(ONE)], by=alice)
    assert "Open Board" not in client.get("/alice/bert/elsewhere").text
    keeper.undo(result.pk, "hide", decision)
    assert "Open Board" in client.get("/alice/bert/elsewhere").text


def test_the_api_lists_adds_and_removes(client, alice, charlie, token_of, model):
    mine, others = ({"authorization": f"Bearer {token_of(person)}"} for person in (alice, charlie))
    body = {"model": "alice/bert", "results": [ONE]}

    def send(headers: dict[str, str]) -> int:
        answer = client.post("/api/v1/imported-results", body, content_type="application/json", headers=headers)
        return int(answer.status_code)

    assert send(others) == 403
    assert send(mine) == 201
    (row,) = client.get("/api/v1/imported-results?model=alice/bert").json()["results"]
    assert (row["board"], row["value"], row["is_verified_here"]) == ("Open Board", 0.61, False)
    assert client.delete(f"/api/v1/imported-results/{row['id']}", headers=others).status_code == 403
    assert client.delete(f"/api/v1/imported-results/{row['id']}", headers=mine).status_code == 204


def test_a_board_lists_them_page_by_page(client, alice, model, monkeypatch):
    monkeypatch.setattr("leaderboard.views.elsewhere.PAGE", 3)
    suite = Suite.objects.create(slug="open", title="Open")
    found = [elsewhere.found_of({**ONE, "task": f"task {number}"}) for number in range(4)]
    elsewhere.enter(model, found, by=alice, suite=suite)
    page = client.get("/leaderboard/open/elsewhere").text
    assert "task 3" in page
    assert "task 0" not in page
    oldest = ImportedResult.objects.order_by("pk")[1].pk
    assert f"?before={oldest}" in page
    assert "task 0" in client.get(f"/leaderboard/open/elsewhere?before={oldest}").text
