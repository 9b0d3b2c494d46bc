"""What was counted stands beside what is claimed, marked where they differ; the owner is led to what is missing."""

import json

import pytest

from models_hub import completeness, facts
from tests.models_hub.headers import safetensors

WEIGHTS = safetensors({"a.weight": ("F32", (1000, 1000))})
CONFIG = json.dumps({"architectures": ["BertModel"], "model_type": "bert", "max_position_embeddings": 512})


@pytest.fixture
def described(alice, make_repo):
    def made(name="tiny", card="", body="# x\n", **files):
        readme = f"---\n{card}\n---\n{body}"
        return make_repo(
            alice, name, files={"model.safetensors": WEIGHTS, "config.json": CONFIG, "README.md": readme} | files
        )

    return made


@pytest.mark.parametrize(
    ("name", "card", "body", "claim"),
    [
        ("bert-7b", "", "# x\n", ("7B", "name", True)),
        ("bert-1m", "", "# x\n", ("1M", "name", False)),
        ("tiny", "parameters: 7B", "# x\n", ("7B", "card", True)),
        ("tiny", "parameters: 1000000", "# x\n", ("1000000", "card", False)),
        ("tiny", "", "A model of 7 billion parameters.\n", ("7B", "text", True)),
        ("tiny", "", "A 1.2M-parameter model.\n", ("1.2M", "text", False)),
    ],
)
def test_a_claimed_size_is_held_against_the_files(described, alice, name, card, body, claim):
    found = facts.facts_of(described(name, card, body), alice).parameters_claim
    assert (found.text, found.place, found.differs) == claim


@pytest.mark.parametrize("name", ["bert-base", "v2-6l", "qwen2.5x", "mixture-8x7b"])
def test_a_name_that_claims_no_size_is_none(described, alice, name):
    assert facts.facts_of(described(name), alice).parameters_claim is None


def test_a_claim_that_the_files_deny_is_marked_on_the_page(described, client):
    described("bert-7b")
    page = client.get("/alice/bert-7b").text
    assert "claim-differs" in page
    assert "its name says 7B" in page


def test_the_memory_of_each_precision_is_calculated(described, alice):
    found = facts.facts_of(described(), alice).memory
    assert [(row.precision, row.bytes) for row in found] == [
        ("fp32", 4_000_000),
        ("fp16", 2_000_000),
        ("int8", 1_000_000),
        ("4-bit", 500_000),
    ]


def test_a_context_that_the_card_gets_wrong_is_marked(described, alice):
    assert facts.facts_of(described(card="context_length: 4096"), alice).context_claim.differs


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("LICENSE.txt", "/alice/tiny/blob/main/LICENSE.txt"),
        ("https://example.org/l", "https://example.org/l"),
        ("javascript:alert(1)", ""),
        ("//evil.example", ""),
        ("../../x", ""),
    ],
)
def test_the_licence_links_to_a_file_or_the_web_alone(described, alice, address, link):
    repo = described(card=f"license: other\nlicense_name: Mine\nlicense_link: {address}")
    assert facts.facts_of(repo, alice).license_link == link


def test_training_and_metrics_are_shown_as_declared(described, client):
    metrics = '[{"type": "accuracy", "value": 0.9}]'
    index = f'[{{"name": "x", "results": [{{"dataset": {{"type": "imdb"}}, "metrics": {metrics}}}]}}]'
    described(card=f"training: {{epochs: 3}}\nmodel-index: {index}")
    page = client.get("/alice/tiny").text
    for piece in ("epochs: 3", "accuracy", "imdb", "told by the author"):
        assert piece in page


def test_each_missing_thing_leads_to_where_it_is_added(described, as_user, alice):
    repo = described()
    found = completeness.checklist(repo, "# x\n", ["README.md", "model.safetensors"])
    addresses = {step.name: step.address for step in found.open}
    assert addresses["Licence"] == "/alice/tiny/card#id_license"
    assert addresses["Metrics"] == "/alice/tiny/card#metrics"
    assert addresses["Description"] == "/alice/tiny/edit/main/README.md"
    page = as_user(alice).get("/alice/tiny").text
    assert 'href="/alice/tiny/card#id_license"' in page
    form = as_user(alice).get("/alice/tiny/card").text
    for address in addresses.values():
        if "#" in address:
            assert f'id="{address.split("#")[1]}"' in form


def test_what_a_template_only_asks_is_no_description(described):
    repo = described()
    assert "Description" in [step.name for step in completeness.checklist(repo, f"<!-- {'x' * 500} -->", []).open]


@pytest.mark.parametrize(("kind", "piece"), [("model", "model.push_to_hub"), ("dataset", "rows.push_to_hub")])
def test_an_empty_repository_is_filled_in_ways_that_name_it(as_user, alice, make_repo, kind, piece):
    make_repo(alice, "new", kind=kind)
    address = "/alice/new" if kind == "model" else "/datasets/alice/new"
    page = as_user(alice).get(address, headers={"host": "models.example"}).text
    for words in (
        piece,
        "hf upload alice/new ./new .",
        f"git clone http://models.example{address}",
        "/new/import?kind",
    ):
        assert words in page


def test_a_task_that_is_written_wrongly_is_still_to_be_named(described):
    repo = described(card="pipeline_tag: text-clasification\n")
    [step] = [step for step in completeness.checklist(repo, "", []).open if step.name == "Task"]
    assert "“text-clasification” is the name of no task" in step.reason
    repo = described("pictures", card="pipeline_tag: image-classification\n")
    assert "Task" in [step.name for step in completeness.checklist(repo, "", []).done]
