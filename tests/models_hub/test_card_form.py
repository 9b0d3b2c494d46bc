"""The form of a card's metadata changes the fields that were changed, and leaves every other line as it was."""

import random
import re

import pytest

from models_hub import browsing, cards, publishing
from models_hub.card_editing import edit_card
from models_hub.cards import CardRefused
from models_hub.changes import PutFile
from models_hub.models import PullRequest
from tests.models_hub.headers import safetensors

CARD = """---
# who may use it
license: mit  # as upstream
language:
- en
tags:
  - a
custom: {x: 1}
training:
  epochs: 3 # three
model-index:
- name: bert
  results:
  - task: {type: text-classification}
    dataset: {name: Mood, type: alice/mood, split: test}
    metrics:
    - {type: accuracy, value: 0.5, verified: true}
---
# bert
"""


def edited(changes, text=CARD):
    return edit_card(text, changes)


def test_a_changed_field_leaves_comments_and_order():
    assert edited({"license": "apache-2.0"}) == CARD.replace("license: mit", "license: apache-2.0")


def test_a_list_is_written_anew():
    assert "tags:\n- b\n- c\ncustom: {x: 1}" in edited({"tags": ["b", "c"]})


def test_a_field_that_is_new_comes_last():
    made = edited({"pipeline_tag": "fill-mask"})
    assert made.startswith(CARD[: CARD.index("---\n# bert")])
    assert "pipeline_tag: fill-mask\n---\n# bert" in made


def test_a_field_is_taken_away_with_its_lines():
    assert edited({"tags": None}) == CARD.replace("tags:\n  - a\n", "")


def test_a_part_of_a_block_is_changed_in_place():
    assert "training:\n  epochs: 5 # three\n  batch_size: 8\n" in edited({"training": {"epochs": 5, "batch_size": 8}})


def test_a_block_that_became_empty_goes():
    assert "training" not in edited({"training": {"epochs": None}})


def test_windows_line_ends_stay():
    made = edit_card("---\r\nlicense: mit\r\n---\r\n# x\r\n", {"license": "gpl-3.0", "tags": ["a"]})
    assert made == "---\r\nlicense: gpl-3.0\r\ntags:\r\n- a\r\n---\r\n# x\r\n"


def test_a_text_without_metadata_gets_some():
    assert edit_card("# x\n", {"license": "mit"}) == "---\nlicense: mit\n---\n\n# x\n"


def test_words_that_yaml_takes_for_others_are_quoted():
    made = edit_card("# x\n", {"language": ["no", "on"], "tags": ["1.0", "a: b"]})
    assert cards.read_metadata(made) == {"language": ["no", "on"], "tags": ["1.0", "a: b"]}


def test_metadata_in_braces_is_left_to_the_text_editor():
    with pytest.raises(CardRefused):
        edit_card("---\n{license: mit}\n---\n# x\n", {"license": "gpl-3.0"})


def test_whatever_is_changed_the_rest_reads_as_before():
    chance = random.Random(7)
    values = (
        "mit",
        ["a", "b"],
        [],
        None,
        3,
        0.5,
        "a: b # c",
        "“zh”，中",
        "|",
        "- x",
        {"epochs": 2},
        {"epochs": None, "k": "v"},
    )
    names = ("license", "tags", "language", "training", "custom", "new", "other key")
    text = CARD
    for _attempt in range(300):
        changes = {chance.choice(names): chance.choice(values) for _index in range(chance.randint(1, 3))}
        before = cards.read_metadata(text)
        made = edit_card(text, changes) if chance.random() < 0.9 else text
        after = cards.read_metadata(made)
        assert {k: v for k, v in after.items() if k not in changes} == {
            k: v for k, v in before.items() if k not in changes
        }
        assert cards.split_card(made)[1] == "# bert\n"
        text = made if chance.random() < 0.5 else CARD


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"README.md": CARD})


def filled(client, address="/alice/bert/card", **changes):
    """Return what a browser would send from the form as it is shown, with some inputs typed over."""
    page = client.get(address).text
    form = page[page.index('id="card-form"') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        is_choice = 'type="radio"' in tag and "checked" not in tag
        if name and not is_choice:
            found[name[1]] = value[1].replace("&amp;", "&") if value else ""
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = text.strip("\n")
    return found | changes


def card_of(repo, revision="main"):
    head = browsing.resolve_revision(repo, revision)
    return browsing.read(repo, browsing.find(repo, head, "README.md"), 100_000).decode()


def test_what_was_not_touched_is_not_changed(as_user, alice, model):
    client = as_user(alice)
    before = browsing.resolve_revision(model, "main").oid
    assert client.post("/alice/bert/card", filled(client)).headers["Location"] == "/alice/bert"
    assert (card_of(model), browsing.resolve_revision(model, "main").oid) == (CARD, before)


def test_a_field_is_saved(as_user, alice, model):
    client = as_user(alice)
    client.post("/alice/bert/card", filled(client, license="apache-2.0", language="Chinese, 英语, fr", epochs="4"))
    made = card_of(model)
    assert "license: apache-2.0  # as upstream" in made
    assert "epochs: 4 # three" in made
    assert cards.read_metadata(made)["language"] == ["zh", "en", "fr"]
    model.refresh_from_db()
    assert (model.license_class, model.languages) == ("permissive", ["zh", "en", "fr"])


def test_a_metric_is_changed_and_another_added(as_user, alice, model):
    client = as_user(alice)
    more = {"metrics-0-value": "0.75", "metrics-1-dataset": "imdb", "metrics-1-metric": "f1", "metrics-1-value": "0.9"}
    client.post("/alice/bert/card", filled(client, **more))
    first, second = cards.read_metadata(card_of(model))["model-index"][0]["results"]
    assert first["metrics"] == [{"type": "accuracy", "value": 0.75, "verified": True}]
    assert first["dataset"]["split"] == "test"
    assert second["dataset"] == {"name": "imdb", "type": "imdb"}
    assert second["metrics"] == [{"type": "f1", "value": 0.9}]


def test_a_preview_changes_nothing(as_user, alice, model):
    client = as_user(alice)
    page = client.post("/alice/bert/card", filled(client, license="gpl-3.0", preview="1")).text
    assert "gpl-3.0  # as upstream" in page
    assert card_of(model) == CARD


def test_more_rows_can_be_had_without_a_script(as_user, alice, model):
    client = as_user(alice)
    page = client.post("/alice/bert/card", filled(client, more="1", license="gpl-3.0")).text
    assert "metrics-4-value" in page
    assert card_of(model) == CARD


def commit_card(repo, by, text):
    publishing.commit(repo=repo, by=by, title="Meanwhile", changes=[PutFile("README.md", text.encode())])


def test_a_change_of_another_field_meanwhile_is_kept(as_user, alice, model):
    client = as_user(alice)
    sent = filled(client, license="gpl-3.0")
    commit_card(model, alice, CARD.replace("- en", "- fr"))
    assert client.post("/alice/bert/card", sent).status_code == 302
    made = cards.read_metadata(card_of(model))
    assert (made["license"], made["language"]) == ("gpl-3.0", ["fr"])


def test_a_change_of_the_same_field_meanwhile_must_be_seen(as_user, alice, model):
    client = as_user(alice)
    sent = filled(client, license="gpl-3.0")
    commit_card(model, alice, CARD.replace("license: mit", "license: apache-2.0"))
    answer = client.post("/alice/bert/card", sent)
    assert answer.status_code == 409
    assert "Somebody else changed this" in answer.text
    assert "apache-2.0" in card_of(model)
    seen = re.search(r'name="seen" value="([0-9a-f]{40})"', answer.text)
    assert client.post("/alice/bert/card", sent | {"seen": seen[1]}).status_code == 302
    assert "license: gpl-3.0" in card_of(model)


@pytest.mark.parametrize(
    ("name", "typed"),
    [("language", "Klingonish"), ("base_model", "a b"), ("base_model", "../../x"), ("datasets", "<b>"),
     ("license", "no-such"), ("epochs", "many"), ("batch_size", "-1"), ("tags", "x" * 200)],
)  # fmt: skip
def test_what_no_card_may_say_is_refused_beside_its_field(as_user, alice, model, name, typed):
    client = as_user(alice)
    answer = client.post("/alice/bert/card", filled(client, **{name: typed}))
    assert answer.status_code == 400
    assert f'id="id_{name}_error"' in answer.text
    assert card_of(model) == CARD


def test_a_first_card_begins_with_what_was_counted(as_user, alice, make_repo):
    weights = safetensors({"a.weight": ("F32", (100, 8))})
    repo = make_repo(alice, "tiny", files={"model.safetensors": weights})
    client = as_user(alice)
    sent = filled(client, "/alice/tiny/card", license="mit")
    assert "Parameters / 参数量: 800" in sent["text"]
    assert client.post("/alice/tiny/card", sent).status_code == 302
    made = card_of(repo)
    assert made.startswith("---\nlicense: mit\n")
    assert "## Limits / 局限" in made


def test_a_reader_may_propose_a_card(as_user, charlie, model):
    client = as_user(charlie)
    answer = client.post("/alice/bert/card", filled(client, license="gpl-3.0"))
    assert answer.headers["Location"] == "/alice/bert/discussions/1"
    assert PullRequest.objects.get(repo=model).author == charlie
    assert card_of(model) == CARD


def test_a_stranger_finds_no_form_of_a_private_model(as_user, alice, charlie, make_repo):
    make_repo(alice, "secret", files={"README.md": CARD}, private=True)
    assert as_user(charlie).get("/alice/secret/card").status_code == 404
    assert as_user(alice).get("/alice/secret/card").status_code == 200


def test_names_are_completed_from_what_one_may_see(as_user, client, alice, make_repo):
    make_repo(alice, "open-mood", kind="dataset")
    make_repo(alice, "secret-mood", kind="dataset", private=True)
    page = client.get("/fragments/names/dataset?search=mood").text
    assert "alice/open-mood" in page
    assert "secret" not in page
    assert "alice/secret-mood" in as_user(alice).get("/fragments/names/dataset?search=mood").text


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_other_kinds_have_fields_of_their_own(as_user, alice, make_repo, kind):
    if kind == "space":
        publishing.create_repo(by=alice, namespace="alice", kind="space", name="x", sdk="static")
    else:
        make_repo(alice, "x", kind=kind)
    page = as_user(alice).get(f"/{kind}s/alice/x/card").text
    assert 'name="license"' in page
    assert 'name="epochs"' not in page
