"""Rankings are measured as scikit-learn does, and as computed by hand."""

import numpy as np
import pytest
from sklearn import metrics as sk

from tests.engine.real_data import rows_of
from worker.engine.measures import retrieval
from worker.engine.measures.retrieval import Query


def assert_equal_to_scikit_learn(query: Query, documents: list[str]) -> None:
    """Every document is ranked, so that scikit-learn, which knows scores and no rankings, can be asked."""
    found = retrieval.measure([query])
    worth = np.array([[query.gains.get(document, 0.0) for document in documents]])
    scores = np.array([[-float(query.ranking.index(document)) for document in documents]])
    assert found["ndcg_at_10"][0] == pytest.approx(sk.ndcg_score(worth, scores, k=10), abs=1e-9)
    assert found["map"][0] == pytest.approx(sk.average_precision_score(worth[0] > 0, scores[0]), abs=1e-9)
    first = min(query.ranking.index(document) for document in query.gains)
    assert found["mrr_at_10"][0] == pytest.approx(1 / (first + 1) if first < 10 else 0.0, abs=1e-9)
    for k in retrieval.RECALL_CUTOFFS:
        expected = len(set(query.ranking[:k]) & set(query.gains)) / len(query.gains)
        assert found[f"recall_at_{k}"][0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_scores_of_random_rankings_equal_scikit_learn(seed):
    random = np.random.RandomState(seed)
    documents = [f"d{number}" for number in range(150)]
    gains = {str(d): float(random.randint(1, 4)) for d in random.choice(documents, 8, replace=False)}
    assert_equal_to_scikit_learn(Query("q", gains, [str(d) for d in random.permutation(documents)]), documents)


def test_passages_found_by_shared_words_equal_scikit_learn():
    rows = rows_of("open/xquad_en")
    passages = {text: f"p{number}" for number, text in enumerate(dict.fromkeys(row["context"] for row in rows))}
    words = {name: set(text.lower().split()) for text, name in passages.items()}
    for row in rows[:60]:
        asked = set(row["question"].lower().split())
        ranking = sorted(words, key=lambda name: -len(asked & words[name]))
        assert_equal_to_scikit_learn(Query(row["id"], {passages[row["context"]]: 1.0}, ranking), list(words))


def test_hand_computed_scores():
    # Worth 2 on place 2 and worth 1 on place 4; a third document was not ranked.
    query = Query("q", {"a": 2.0, "b": 1.0, "c": 1.0}, ["x", "a", "y", "b"])
    found = retrieval.measure([query])
    best = 2 + 1 / np.log2(3) + 1 / 2
    assert found["ndcg_at_10"][0] == pytest.approx((2 / np.log2(3) + 1 / np.log2(5)) / best, abs=1e-12)
    assert found["mrr_at_10"][0] == 0.5
    assert found["map"][0] == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert found["recall_at_1"][0] == 0.0
    assert found["recall_at_5"][0] == pytest.approx(2 / 3)


def test_the_query_itself_is_dropped_from_ranking_and_reference():
    plain = retrieval.measure([Query("q", {"a": 1.0}, ["b", "a"])])
    with_itself = retrieval.measure([Query("q", {"a": 1.0, "q": 1.0}, ["q", "b", "a"])])
    assert {name: list(values) for name, values in plain.items()} == {n: list(v) for n, v in with_itself.items()}


def test_a_document_ranked_twice_counts_once():
    assert retrieval.measure([Query("q", {"a": 1.0, "b": 1.0}, ["a", "a", "b"])])["map"][0] == 1.0


def test_nothing_found_is_nothing_scored():
    assert {values[0] for values in retrieval.measure([Query("q", {"a": 1.0}, [])]).values()} == {0.0}
