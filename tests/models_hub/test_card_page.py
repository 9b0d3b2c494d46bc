"""The first page of a repository."""

import pytest

from models_hub import publishing
from models_hub.changes import PutFile
from tests.evaluating import model_files

README = """---
license: mit
language: [en, zh]
pipeline_tag: text-classification
datasets: [alice/mood]
base_model: google/bert
tags: [tiny]
---
# Hello

See [config](config.json). <script>alert(1)</script>
"""


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files=model_files() | {"README.md": README})


def test_the_card_is_rendered_beside_counted_and_declared_facts(client, model):
    page = client.get("/alice/bert").text
    for piece in ('<h1 id="card-hello">', "/alice/bert/blob/main/config.json", "BertForSequenceClassification", "F32",
                  "English", "/datasets/alice/mood", "kind=model&amp;source=google%2Fbert", "tiny", "mit"):  # fmt: skip
        assert piece in page
    assert "alert(1)" not in page


def test_names_are_found_whatever_their_case_and_led_to_their_spelling(client, alice, make_repo):
    make_repo(alice, "BERT")
    assert client.get("/Alice/bert?x=1").headers["Location"] == "/alice/BERT?x=1"
    assert client.get("/ALICE/BERT/tree/main").headers["Location"] == "/alice/BERT/tree/main"


def test_snippets_name_this_portal_and_this_model(client, model):
    page = client.get("/alice/bert", headers={"host": "models.example:8080"}).text
    assert "HF_ENDPOINT&quot;] = &quot;http://models.example:8080" in page
    assert "AutoModelForSequenceClassification" in page
    assert "hf download alice/bert" in page
    assert "http://models.example:8080/alice/bert/resolve/main/model.safetensors" in page


def test_a_data_set_has_snippets_of_its_own(client, alice, make_repo):
    make_repo(alice, "mood", kind="dataset", files={"data.csv": "a,b\n1,2\n", "README.md": "# Mood"})
    page = client.get("/datasets/alice/mood").text
    assert "load_dataset(&quot;alice/mood&quot;)" in page
    assert "--repo-type dataset" in page
    assert "/datasets/alice/mood/resolve/main/data.csv" in page


def test_a_private_model_s_snippets_sign_in(as_user, alice, make_repo):
    make_repo(alice, "secret", files=model_files(), private=True)
    page = as_user(alice).get("/alice/secret").text
    assert "Authorization: Bearer $HF_TOKEN" in page
    assert "hf auth login" in page


def test_what_the_card_lacks_is_told_to_those_who_can_mend_it(as_user, alice, charlie, make_repo):
    make_repo(alice, "bert", files={"README.md": "# Short"})
    page = as_user(alice).get("/alice/bert").text
    assert 'id="gaps"' in page
    assert 'href="/alice/bert/edit/main/README.md"' in page
    assert 'id="gaps"' not in as_user(charlie).get("/alice/bert").text


def test_an_empty_repository_says_how_to_fill_it(as_user, alice, charlie, make_repo):
    make_repo(alice, "bert")
    page = as_user(alice).get("/alice/bert").text
    assert 'href="/alice/bert/upload/main"' in page
    assert "hf upload alice/bert" in page
    assert "/upload/main" not in as_user(charlie).get("/alice/bert").text


def test_files_without_a_card_are_shown_as_such(client, alice, make_repo):
    make_repo(alice, "bert", files={"config.json": "{}"})
    assert 'id="no-card"' in client.get("/alice/bert").text


def test_hostile_metadata_is_escaped(client, alice, make_repo):
    evil = "'\"><script>alert(1)</script>'"
    fields = ("license", "pipeline_tag", "library_name", "language", "tags", "datasets", "base_model")
    make_repo(alice, "bert", files={"README.md": "---\n" + "".join(f"{name}: {evil}\n" for name in fields) + "---\nx"})
    for address in ("/alice/bert", "/models", "/fragments/repos?author=alice"):
        assert "<script>alert" not in client.get(address).text


def test_collaborators_may_write_and_admins_alone_manage(as_user, alice, bob, charlie, team, make_repo):
    make_repo(alice, "bert", namespace="team", files={"README.md": "# Card"})
    assert "/team/bert/settings" in as_user(alice).get("/team/bert").text
    page = as_user(bob).get("/team/bert").text
    assert "/team/bert/edit/main/README.md" in page
    assert "/team/bert/settings" not in page
    assert "/edit/" not in as_user(charlie).get("/team/bert").text


def test_scores_and_benchmarks_come_from_the_leaderboard_by_fragments(client, alice, make_repo):
    make_repo(alice, "bert", files={"config.json": "{}"})
    make_repo(alice, "bare")
    make_repo(alice, "mood", kind="dataset")
    assert 'hx-get="/alice/bert/evaluations/summary"' in client.get("/alice/bert").text
    assert "evaluations/summary" not in client.get("/alice/bare").text
    assert 'hx-get="/datasets/alice/mood/benchmarks"' in client.get("/datasets/alice/mood").text


def test_the_page_costs_the_same_however_many_files_there_are(client, model, alice, django_assert_max_num_queries):
    client.get("/alice/bert")
    with django_assert_max_num_queries(14):
        client.get("/alice/bert")
    publishing.commit(
        repo=model, by=alice, title="More", changes=[PutFile(f"f{number}.txt", b"x") for number in range(50)]
    )
    with django_assert_max_num_queries(14):
        client.get("/alice/bert")


def test_no_page_holds_inline_script_or_style(client, model):
    for place in ("", "/tree/main", "/blob/main/config.json", "/blob/main/README.md", "/commits/main"):
        page = client.get(f"/alice/bert{place}").text
        assert "<style" not in page
        assert "<script>" not in page
        assert " onclick" not in page
