"""One result and one model for other places: badges, text for the card, where it stands."""

from xml.etree import ElementTree

import pytest
import yaml
from django.core.cache import caches

from leaderboard import score_badges
from leaderboard.models import Evaluation, Suite
from leaderboard.score_badges import Badge
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from tests.evaluating import make_benchmark, model_files, safetensors
from tests.leaderboard.scored import renew, score

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def forget(db):
    caches["rendered"].clear()


@pytest.fixture
def evaluation(alice, make_repo) -> Evaluation:
    """The result of the last of two models on a board."""
    benchmark = make_benchmark(make_repo, alice)
    models = [make_repo(alice, name, files=model_files(float(n))) for n, name in enumerate(("first", "bert"))]
    found = [score(model, benchmark, alice, 0.9 - place / 10) for place, model in enumerate(models)]
    suite = Suite.objects.create(slug="moods", title="Moods")  # now, so that it is made once
    suite.entries.create(benchmark=benchmark)
    renew()
    return found[1]


def texts(svg: str) -> list[str]:
    return [one.text for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def change_weights(evaluation: Evaluation) -> None:
    change = PutFile("model.safetensors", safetensors(9))
    publishing.commit(repo=evaluation.model, by=evaluation.requested_by, title="x", changes=[change])
    renew()


def test_a_badge_of_a_score_says_it_with_its_interval_until_the_weights_change(client, evaluation):
    address = f"/badges/scores/alice/bert/{evaluation.benchmark_id}.svg"
    answer = client.get(address)
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "max-age" in answer.headers["Cache-Control"]
    assert not answer.cookies
    assert texts(answer.text) == ["Mood", "80.0 (75.0–85.0)"]
    change_weights(evaluation)
    caches["rendered"].clear()
    assert texts(client.get(address).text) == ["Mood", "80.0 (75.0–85.0) · outdated"]


def test_a_badge_of_a_rank_says_between_which_places_it_may_be(client, evaluation):
    label, text = texts(client.get("/badges/ranks/alice/bert/moods.svg").text)
    assert label == "Moods"
    assert text.startswith("2 of 2")
    change_weights(evaluation)
    caches["rendered"].clear()
    assert texts(client.get("/badges/ranks/alice/bert/moods.svg").text)[1].endswith("outdated")


def test_texts_of_badges_are_escaped_and_cut():
    svg = score_badges.picture(Badge("<script>" + "x" * 100, "&\"'", is_outdated=False))
    assert not list(ElementTree.fromstring(svg).iter(f"{SVG}script"))
    assert texts(svg)[0].endswith("…")


def test_there_is_no_badge_of_what_is_private_or_was_not_measured(as_user, alice, make_repo, evaluation):
    make_repo(alice, "other", files=model_files(7.0))
    browser = as_user(alice)
    addresses = [f"/badges/scores/alice/bert/{evaluation.benchmark_id}.svg", "/badges/ranks/alice/bert/moods.svg"]
    for address in addresses:
        assert browser.get(address).status_code == 200
        assert browser.get(address.replace("bert", "other")).status_code == 404
    Repo.objects.filter(name="bert").update(private=True)
    for address in addresses:  # at once, and although one was drawn and kept
        assert browser.get(address).status_code == 404


def test_the_page_of_a_result_says_where_it_stands_and_beside_whom(client, evaluation):
    page = client.get(evaluation.get_absolute_url()).text
    section = page.split('id="standing"')[1].split("</section>")[0]
    for piece in ("Moods", "of 2", "/compare?model=alice/bert&amp;model=alice/first"):
        assert piece in section


def test_a_neighbour_that_became_private_is_not_named(client, evaluation):
    client.get(evaluation.get_absolute_url())
    Repo.objects.filter(name="first").update(private=True)
    assert "alice/first" not in client.get(evaluation.get_absolute_url()).text


def test_the_text_for_the_card_holds_the_scores_of_the_present_weights(client, evaluation):
    from leaderboard import model_index

    text = model_index.text_of(evaluation.model, model_index.current(evaluation.model), endpoint="https://p.example")
    (model,) = yaml.safe_load(text)["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["type"] == "alice/mood"
    assert {"type": "f1_macro", "value": 0.8} in result["metrics"]
    assert result["source"]["url"] == f"https://p.example{evaluation.get_absolute_url()}"
    page = client.get("/alice/bert/export").text
    assert "model-index" in page
    assert "/badges/ranks/alice/bert/moods.svg" in page
    change_weights(evaluation)
    assert "Nothing to export yet" in client.get("/alice/bert/export").text


def test_scores_on_private_data_are_not_exported(as_user, alice, evaluation):
    Repo.objects.filter(name="mood").update(private=True)
    assert "Nothing to export yet" in as_user(alice).get("/alice/bert/export").text
    page = as_user(alice).get(evaluation.get_absolute_url()).text
    assert "/badges/scores" not in page


def test_a_private_model_has_no_page_of_exports_for_strangers(as_user, charlie, evaluation):
    Repo.objects.filter(name="bert").update(private=True)
    assert as_user(charlie).get("/alice/bert/export").status_code == 404
