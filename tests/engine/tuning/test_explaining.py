"""What each word of a question adds to the answer, so that a page can highlight it."""

import json
import shutil
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, toy_rows, write_jsonl
from tests.engine.causal_models import build_gpt2
from tests.engine.tuning.arranged import run, spec_of
from tests.engine.tuning.exported import TEXTS, with_head
from worker.engine.contracts import EngineError, TrainSpec
from worker.engine.progress import Progress
from worker.engine.train import train
from worker.engine.tuning.contracts import Recipe
from worker.engine.tuning.explaining.contracts import ExplainSpec
from worker.engine.tuning.explaining.verb import explain

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose answer hangs on one word."""
    place = tmp_path_factory.mktemp("trained")
    rows = write_jsonl(place / "rows.jsonl", toy_rows(200))
    train(
        TrainSpec(
            train=str(rows), dev=str(rows), labels=LABELS, out_dir=str(place / "model"), vocab_size=150, hidden=32,
            layers=1, heads=2, intermediate=32, max_length=32, epochs=8, lr=5e-3, token_budget=200, dropout=0.0,
        ),
        Progress(StringIO()),
    )  # fmt: skip
    return place / "model"


def explained(model: Path, question: dict[str, Any], **spec: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder, "found.json"))
        found = explain(ExplainSpec(model_dir=str(model), out=out, question=question, **spec), Progress(StringIO()))
        assert json.loads(Path(out).read_text("utf-8")) == found
    return found


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_the_word_that_decides_weighs_the_most(trained, method):
    text = "I think it is awful indeed"
    found = explained(trained, {"text": text}, method=method)
    assert found["answer"]["label"] == found["target"] == "negative"
    strongest = max(found["words"], key=lambda word: word["weight"])
    assert text[strongest["start"] : strongest["end"]] == "awful"


def test_integrated_gradients_add_up_to_the_answer(trained):
    found = explained(trained, {"text": "the film was lovely indeed"}, steps=64)
    assert sum(word["weight"] for word in found["words"]) == pytest.approx(found["score"] - found["nothing"], abs=2e-3)
    assert found["delta"] < 2e-3


def test_another_label_can_be_asked_about(trained):
    own, other = (explained(trained, {"text": "真的 lovely"}, target=label) for label in ("positive", "negative"))
    assert own["target"] == "positive"
    assert other["answer"] == own["answer"]
    [for_it] = [word["weight"] for word in own["words"] if word["start"] == 3]
    [against] = [word["weight"] for word in other["words"] if word["start"] == 3]
    assert for_it > 0 > against


def test_words_of_a_pair_stand_in_their_own_texts(bert_folder):
    question = {"text": "the film was good", "text2": "I think it is bad"}
    found = explained(bert_folder, question)
    seen = {question[word["field"]][word["start"] : word["end"]] for word in found["words"]}
    assert {"film", "good", "think", "bad"} <= seen


def test_a_tag_is_explained_by_all_words_of_the_sentence(bert_folder, tmp_path):
    model = with_head(bert_folder, tmp_path / "model", "ForTokenClassification")
    found = explained(model, {"tokens": ["the", "film", "was", "sad"]}, word=3)
    assert [word["number"] for word in found["words"]] == [0, 1, 2, 3]
    assert found["texts"]["tokens"][found["words"][3]["start"] :] == "sad"
    assert found["delta"] < 0.05


def test_an_answer_in_a_passage_is_explained_by_question_and_passage(bert_folder, tmp_path):
    model = with_head(bert_folder, tmp_path / "model", "ForQuestionAnswering")
    found = explained(model, {"question": "was it good", "context": "I think the film was bad indeed"})
    assert {word["field"] for word in found["words"]} == {"question", "context"}
    answer = found["answer"]
    assert found["texts"]["context"][answer["start"] : answer["end"]] == answer["text"] != ""


def test_a_decoder_that_classifies_is_explained_too(tmp_path):
    from transformers import GPT2Config, GPT2ForSequenceClassification

    build_gpt2(tmp_path, TEXTS)
    config = GPT2Config.from_pretrained(tmp_path, pad_token_id=0)
    GPT2ForSequenceClassification(config).save_pretrained(tmp_path)
    text = "the film was good"
    found = explained(tmp_path, {"text": text}, steps=16)
    assert [text[word["start"] : word["end"]] for word in found["words"]] == ["the", "film", "was", "good"]


def test_a_long_text_is_cut_and_says_so(bert_folder):
    found = explained(bert_folder, {"text": "the film was good " * 40}, max_length=16)
    assert found["truncated"] is True
    assert len(found["words"]) <= 14


def test_a_question_of_another_kind_is_refused(bert_folder):
    with pytest.raises(EngineError, match="not one for text-classification"):
        explained(bert_folder, {"question": "what", "context": "that"})


def test_models_that_write_are_not_explained(tmp_path):
    build_gpt2(tmp_path, TEXTS)
    with pytest.raises(EngineError, match="are not explained"):
        explained(tmp_path, {"text": "the film"})


def test_an_unknown_label_is_named_with_the_known_ones(bert_folder, tmp_path):
    shutil.copytree(bert_folder, tmp_path / "model")
    with pytest.raises(EngineError, match="negative, positive"):
        explained(tmp_path / "model", {"text": "good"}, target="neutral")


def test_the_tag_of_every_word_is_told_and_one_of_them_explained(bert_folder, tmp_path):
    model = with_head(bert_folder, tmp_path / "tagger", "ForTokenClassification")
    words = ["the", "film", "was", "good"]
    found = explained(model, {"tokens": words}, word=1, method="occlusion")
    assert [one["number"] for one in found["tags"]] == [0, 1, 2, 3]
    assert found["word"] == 1
    assert found["answer"] == {name: found["tags"][1][name] for name in ("label", "probability")}
    surest = max(found["tags"], key=lambda one: one["probability"])
    assert explained(model, {"tokens": words}, method="occlusion")["word"] == surest["number"]


@pytest.mark.parametrize("method", ["prompt", "prefix", "pfeiffer"])
def test_an_adapter_alone_is_explained_on_its_base(method, bert_folder, tmp_path):
    recipe = Recipe(max_steps=1, batch_size=8, method=method)
    run(spec_of(tmp_path, recipe=recipe, model_dir=str(bert_folder), dev=None))
    adapter, text = tmp_path / "run/model", "the film was good"
    found = explained(adapter, {"text": text}, base_dir=str(bert_folder), steps=64)
    assert [text[word["start"] : word["end"]] for word in found["words"]] == ["the", "film", "was", "good"]
    assert sum(word["weight"] for word in found["words"]) == pytest.approx(found["score"] - found["nothing"], abs=2e-3)
    with pytest.raises(EngineError, match="adapter"):
        explained(adapter, {"text": text})
