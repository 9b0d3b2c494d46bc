"""Similarity, search and order by vectors: from data to score, as transformers, scipy and scikit-learn find."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk
from sklearn.feature_extraction.text import TfidfVectorizer

from tests.engine.builders import edit_json, write_jsonl
from tests.engine.embedding import Rows, mean_vectors, run, save_body, save_modules
from tests.engine.real_data import rows_of
from worker.engine.contracts import EngineError, PrepareSpec
from worker.engine.rows import prepare
from worker.engine.tasks import find

pytestmark = pytest.mark.engine
PAIRS = {"input": "text1", "input2": "text2", "target": "score"}


@pytest.fixture(scope="module")
def body(bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_body(bert_folder, tmp_path_factory.mktemp("bodies") / "body")


@pytest.fixture(autouse=True)
def few_latencies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about time."""
    from worker.engine.answering import measuring

    monkeypatch.setattr(measuring, "LATENCY_SAMPLES", 2)
    monkeypatch.setattr(measuring, "LATENCY_WARM_UP", 1)


def prepared(tmp_path: Path, task: str, rows: Rows, corpus: Rows | None = None) -> Rows:
    files = {"test": str(write_jsonl(tmp_path / "test.jsonl", rows))}
    if corpus is not None:
        files["corpus"] = str(write_jsonl(tmp_path / "corpus.jsonl", corpus))
    gold = tmp_path / "gold.jsonl"
    prepare(PrepareSpec(task=task, files=files, inputs=str(tmp_path / "inputs.jsonl"), gold=str(gold),
                        context=str(tmp_path / "context.jsonl")))  # fmt: skip
    return [json.loads(line) for line in gold.read_text("utf-8").splitlines()]


def values(scores: dict[str, Any]) -> dict[str, float]:
    return {name: metric["value"] for name, metric in scores["metrics"].items()}


# Similarity


@pytest.mark.parametrize("name", ["noncommercial/stsb_en", "noncommercial/stsb_zh"])
def test_similarity_of_real_pairs_is_scored_as_scipy_does(body, tmp_path, name):
    rows = rows_of(name, 120)
    predictions, report, scores = run("sentence-similarity", body, tmp_path, rows, fields=PAIRS)
    gold, found = [row["score"] for row in rows], [row["similarity"] for row in predictions]
    expected = {"spearman": stats.spearmanr(gold, found).statistic, "pearson": stats.pearsonr(gold, found).statistic}
    assert values(scores) == pytest.approx(expected, abs=1e-9)
    assert (report["pooling"], report["pooling_stated"]) == ("mean", False)
    first, second = (mean_vectors(body, [row[side] for row in rows[:20]]) for side in ("text1", "text2"))
    assert found[:20] == pytest.approx((first * second).sum(axis=1), abs=1e-5)


def test_the_floor_of_similarity_is_that_of_tf_idf(tmp_path):
    rows = rows_of("noncommercial/stsb_en")
    gold = prepared(tmp_path, "sentence-similarity", [
        {"sentence1": row["text1"], "sentence2": row["text2"], "score": row["score"]} for row in rows
    ])  # fmt: skip
    first, second = ([row[side] for row in rows] for side in ("text1", "text2"))
    weighing = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit(dict.fromkeys([*first, *second]))
    expected = np.asarray(weighing.transform(first).multiply(weighing.transform(second)).sum(axis=1)).ravel()
    assert [row["overlap"] for row in gold] == pytest.approx(expected, abs=1e-9)
    task = find("sentence-similarity")
    measured = task.measure(gold, [{"similarity": 0.5}] * len(gold), task.settings({}))
    floor = measured.floors["characters"]["metrics"]["spearman"]
    assert floor == pytest.approx(stats.spearmanr([row["score"] for row in rows], expected).statistic, abs=1e-9)
    assert 0.65 < floor < 0.75, "chance is no floor for texts on the same things"
    assert measured.corpus["spearman"].value() == 0.0


def test_batch_size_and_threads_change_no_answer(body, tmp_path):
    rows = rows_of("noncommercial/stsb_en", 40)
    one, _report, scores = run("sentence-similarity", body, tmp_path / "one", rows, fields=PAIRS, budget=1)
    many, _report, again = run("sentence-similarity", body, tmp_path / "many", rows, fields=PAIRS, threads=2)
    assert [row["similarity"] for row in many] == pytest.approx([row["similarity"] for row in one], abs=5e-6)
    assert values(again) == pytest.approx(values(scores), abs=1e-4)


@pytest.mark.parametrize("value", [{"similarity": 1.5}, {"similarity": "1"}, {"similarity": True}, {"score": 1}, {}])
def test_improper_cosines_are_refused(value):
    task = find("sentence-similarity")
    with pytest.raises(EngineError) as caught:
        task.check(value, {"value": 1.0}, task.settings({}))
    assert caught.value.code == "bad_predictions"


# Search


def passages(name: str, most: int) -> tuple[Rows, Rows]:
    """Questions as queries, their passages as the corpus."""
    rows = rows_of(name, most)
    names = {text: f"p{number}" for number, text in enumerate(dict.fromkeys(row["context"] for row in rows))}
    queries = [{"id": row["id"], "query": row["question"], "relevant": [names[row["context"]]]} for row in rows]
    return queries, [{"id": name, "text": text} for text, name in names.items()]


@pytest.mark.parametrize("name", ["open/xquad_en", "open/cmrc2018"])
def test_search_in_real_passages_is_scored_as_scikit_learn_does(body, tmp_path, name):
    queries, corpus = passages(name, 60)
    predictions, report, scores = run("text-retrieval", body, tmp_path, queries, corpus=corpus)
    names = [row["id"] for row in corpus]
    worth = np.array([[float(name in row["relevant"]) for name in names] for row in queries])
    given = np.array([[-row["documents"].index(name) for name in names] for row in predictions], dtype=float)
    assert scores["metrics"]["ndcg_at_10"]["value"] == pytest.approx(sk.ndcg_score(worth, given, k=10), abs=1e-9)
    each = [sk.average_precision_score(*pair) for pair in zip(worth, given, strict=True)]
    assert scores["metrics"]["map"]["value"] == pytest.approx(np.mean(each), abs=1e-9)
    shares = {row["k"]: row["recall"] for row in scores["details"]["recall"]}
    for k in (1, 5, 10):
        found = [bool(set(row["documents"][:k]) & set(asked["relevant"]))
                 for row, asked in zip(predictions, queries, strict=True)]  # fmt: skip
        assert scores["metrics"][f"recall_at_{k}"]["value"] == pytest.approx(np.mean(found), abs=1e-9)
        assert shares[k] == pytest.approx(np.mean(found), abs=1e-9)
    assert sum(row["n"] for row in scores["details"]["first_right"]) == len(queries)
    assert report["documents"] == len(corpus)
    assert scores["metrics"]["map"]["method"] == "cluster_robust", "questions of one passage hang together"


def test_the_nearest_documents_are_those_of_transformers(body, tmp_path):
    queries, corpus = passages("open/xquad_en", 40)
    predictions, _report, _scores = run("text-retrieval", body, tmp_path, queries, corpus=corpus, budget=100)
    asked = mean_vectors(body, [row["query"] for row in queries])
    held = mean_vectors(body, [row["text"] for row in corpus])
    for row, scores in zip(predictions, asked @ held.T, strict=True):
        assert row["scores"] == pytest.approx(np.sort(scores)[::-1][: len(row["scores"])], abs=1e-5)
        assert row["scores"] == sorted(row["scores"], reverse=True)


def test_a_model_trained_for_products_of_vectors_is_compared_by_them(body, tmp_path):
    import shutil

    model = Path(shutil.copytree(body, tmp_path / "model"))
    save_modules(model, {"pooling_mode_mean_tokens": True}, similarity_fn_name="dot")
    corpus = [{"id": "a", "text": "good"}, {"id": "b", "text": "the film was bad"}]
    rows = [{"query": "good", "relevant": ["a"]}]
    predictions, report, _scores = run("text-retrieval", model, tmp_path / "run", rows, corpus=corpus)
    assert max(predictions[0]["scores"]) > 1.5, "a cosine is at most one"
    assert report["similarity"] == "dot"


def test_the_query_itself_is_no_find(body, tmp_path):
    corpus = [{"id": str(n), "title": "about", "text": text} for n, text in enumerate(["good", "bad", "sad"])]
    rows = [{"id": "0", "query": "about good", "relevant": {"0": 2, "1": 1}}, {"query": "about good", "relevant": "0"}]
    predictions, _report, scores = run("text-retrieval", body, tmp_path, rows, corpus=corpus)
    assert sorted(predictions[0]["documents"]) == ["1", "2"]
    assert predictions[1]["documents"][0] == "0", "a row without an id is no document"
    assert scores["floors"]["chance"]["metrics"]["recall_at_1"] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_chance_is_the_mean_over_all_orders():
    from itertools import permutations

    from worker.engine.measures import retrieval
    from worker.engine.tasks.ordering import by_chance

    gains = {"a": 2.0, "b": 1.0}
    everything = retrieval.measure([retrieval.Query("", gains, order) for order in permutations("abcde")])
    expected = {name: float(found.mean()) for name, found in everything.items()}
    assert by_chance(gains.values(), 5, depth=5) == pytest.approx(expected, abs=1e-12)


def test_the_floor_of_search_is_that_of_tf_idf(tmp_path):
    queries, corpus = passages("open/xquad_en", 200)
    gold = prepared(tmp_path, "text-retrieval", queries, corpus)
    weighing = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit([row["text"] for row in corpus])
    asked, held = (
        weighing.transform([row[name] for row in rows]) for name, rows in (("query", queries), ("text", corpus))
    )
    best = (asked @ held.T).toarray().argmax(axis=1)
    hits = [corpus[place]["id"] in row["relevant"] for place, row in zip(best, queries, strict=True)]
    assert [row["floors"]["characters"]["recall_at_1"] for row in gold] == [float(hit) for hit in hits]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"query": "x", "relevant": ["nine"]}, 'query "0": the document "nine" that it names is not in the corpus'),
        ({"query": "x", "relevant": []}, 'line 1: its field "relevant" names no document of worth'),
        ({"id": "a", "query": "x", "relevant": ["a"]}, "beside the query itself"),
        ({"query": "x", "relevant": {"a": -1}}, "a worth that is not negative"),
        ({"query": "x", "relevant": 1.5}, "must be a list of at most"),
        ({"query": "x"}, 'line 1: it has no field "relevant"'),
        ({"query": " ", "relevant": ["a"]}, 'line 1: its field "query" must be text'),
    ],
)
def test_rows_that_cannot_be_searched_for_are_named(tmp_path, row, says):
    with pytest.raises(EngineError) as caught:
        prepared(tmp_path, "text-retrieval", [row], [{"id": "a", "text": "b"}])
    assert (caught.value.code, says in caught.value.message) == ("bad_data", True), caught.value.message


def test_a_corpus_must_be_there_and_name_each_document_once(tmp_path):
    rows = [{"query": "x", "relevant": ["a"]}]
    with pytest.raises(EngineError, match="files of text-retrieval must hold: corpus"):
        prepared(tmp_path, "text-retrieval", rows)
    with pytest.raises(EngineError, match='the id "a" is used twice in the file "corpus"'):
        prepared(tmp_path, "text-retrieval", rows, [{"id": "a", "text": "b"}] * 2)


@pytest.mark.parametrize(
    "value",
    [
        {"documents": ["a", "a"], "scores": [1, 0]}, {"documents": ["a"], "scores": []}, {"documents": ["a"]},
        {"documents": [1], "scores": [1]}, {"documents": [str(n) for n in range(101)], "scores": [1] * 101},
        {"documents": ["a"], "scores": ["1"]},
    ],
)  # fmt: skip
def test_improper_lists_of_documents_are_refused(value):
    task = find("text-retrieval")
    with pytest.raises(EngineError) as caught:
        task.check(value, {"relevant": {"a": 1.0}}, task.settings({}))
    assert caught.value.code == "bad_predictions"


# Order


def candidates(most: int) -> Rows:
    """A question of a patient, and five that others asked: the first one may mean the same."""
    rows = [row for row in rows_of("open/rqe") if row["label"] == "entailed"]
    others = [row["text2"] for row in rows]
    return [
        {"query": row["text1"], "candidates": [*others[n + 1 : n + 5], row["text2"]], "relevance": [0, 0, 0, 0, 1]}
        for n, row in enumerate(rows[:most])
    ]


def references(rows: Rows, predictions: Rows) -> dict[str, float]:
    worth = np.array([row["relevance"] for row in rows])
    # scikit-learn shares places among ties; ours are broken by a draw that knows nothing of the answers.
    draw = np.random.RandomState(5).permutation(5)
    given = np.array([-np.argsort(np.lexsort((draw, -np.array(row["scores"])))) for row in predictions], dtype=float)
    each = [sk.average_precision_score(*pair) for pair in zip(worth, given, strict=True)]
    return {"map": float(np.mean(each)), "ndcg_at_10": sk.ndcg_score(worth, given, k=10)}


def test_candidates_are_put_in_order_by_vectors(body, tmp_path):
    rows = candidates(30)
    predictions, report, scores = run("text-ranking", body, tmp_path, rows)
    expected = references(rows, predictions)
    assert {name: values(scores)[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert values(scores)["mrr_at_10"] == pytest.approx(expected["map"], abs=1e-9), "one right candidate each"
    assert report["ranked_by"] == "vectors"
    for row, answer in zip(rows[:4], predictions, strict=False):
        vectors = mean_vectors(body, [row["query"], *row["candidates"]])
        assert answer["scores"] == pytest.approx(vectors[1:] @ vectors[0], abs=1e-5)


def test_candidates_are_put_in_order_by_a_head_that_reads_both(model, tmp_path):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    rows = candidates(12)
    predictions, report, scores = run("text-ranking", model, tmp_path / "run", rows)
    expected = references(rows, predictions)
    assert {name: values(scores)[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert report["ranked_by"] == "reading both together"
    assert report["label_map"] == {"positive": "relevant"}
    reader, tokenizer = (kind.from_pretrained(model) for kind in (AutoModelForSequenceClassification, AutoTokenizer))
    with torch.inference_mode():
        pairs = [(rows[0]["query"], candidate) for candidate in rows[0]["candidates"]]
        logits = [
            reader.eval()(**tokenizer(*pair, return_tensors="pt", truncation=True, max_length=64)).logits[0]
            for pair in pairs
        ]
    assert predictions[0]["scores"] == pytest.approx([float(row[1] - row[0]) for row in logits], abs=1e-4)
    named = {"relevant_label": "negative"}
    turned, _report, _scores = run("text-ranking", model, tmp_path / "turned", rows, settings=named, budget=64)
    assert turned[0]["scores"] == pytest.approx([-score for score in predictions[0]["scores"]], abs=1e-4)


def test_a_head_with_other_outputs_is_told_what_is_needed(model, tmp_path):
    rows = candidates(2)
    with pytest.raises(EngineError, match="one is named 'fits'") as caught:
        run("text-ranking", model, tmp_path / "a", rows, settings={"relevant_label": "fits"})
    assert caught.value.code == "label_mismatch"
    edit_json(model / "config.json", architectures=["BertForTokenClassification"])
    with pytest.raises(EngineError, match="BertForSequenceClassification or BertModel") as caught:
        run("text-ranking", model, tmp_path / "b", rows)
    assert caught.value.code == "unsupported_architecture"


def test_a_model_that_finds_all_alike_gains_nothing_from_the_order_of_the_file():
    task = find("text-ranking")
    gold = [{"gains": [1.0, *[0.0] * size]} for size in range(1, 60)]
    flat = [{"scores": [0.5] * len(row["gains"])} for row in gold]
    found = task.measure(gold, flat, task.settings({})).items["mrr_at_10"].mean()
    assert found < 0.5


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"query": "x", "candidates": ["a", "b"], "relevance": [1]}, "must be a list of 2 numbers"),
        ({"query": "x", "candidates": ["a", "b"], "relevance": [0, 0]}, "gives no candidate any worth"),
        ({"query": "x", "candidates": ["a"], "relevance": [1]}, "must be a list of 2 to 1000 texts"),
        ({"query": "x", "candidates": ["a", "b"], "relevance": "many"}, "must be a list of 2 numbers"),
    ],
)
def test_rows_that_cannot_be_put_in_order_are_named(tmp_path, row, says):
    with pytest.raises(EngineError, match="line 1") as caught:
        prepared(tmp_path, "text-ranking", [row])
    assert says in caught.value.message


@pytest.mark.parametrize("value", [{"scores": [1]}, {"scores": [1, None]}, {"scores": 1}, {"documents": []}])
def test_improper_scores_of_candidates_are_refused(value):
    task = find("text-ranking")
    with pytest.raises(EngineError) as caught:
        task.check(value, {"gains": [1.0, 0.0]}, task.settings({}))
    assert caught.value.code == "bad_predictions"
