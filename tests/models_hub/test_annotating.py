"""Rows that people label: who is handed which row, what answers come to, and who may do what with a queue."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from models_hub.adapting import annotating, queues
from models_hub.adapting.queues import QueueWish
from models_hub.models import Annotation, AnnotationQueue, AnnotationRow, Repo
from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.models import User

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
LABELS = ["negative", "positive"]
OPEN = "".join(json.dumps({"text": f"thing {number}"}) + "\n" for number in range(6))


@pytest.fixture
def data(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, "moods", kind="dataset", files={"train.jsonl": OPEN})


@pytest.fixture
def queue(data: Repo, alice: User, bob: User) -> AnnotationQueue:
    return filled(alice, people=["bob"])


def ask(by: User, **changes: Any) -> AnnotationQueue:
    wish = {"task": "text-classification", "data": "alice/moods", "path": "train.jsonl", "labels": LABELS, **changes}
    return queues.ask(QueueWish(**wish), by=by)


def filled(by: User, questions: list[dict[str, Any]] | None = None, **changes: Any) -> AnnotationQueue:
    """A queue as a worker leaves it: five rows, of which the model guessed that all are positive."""
    made = ask(by, **changes)
    shown = questions or [{"text": f"thing {number}"} for number in range(5)]
    for position, question in enumerate(shown):
        AnnotationRow.objects.create(
            queue=made, position=position, line=position + 1, question=question, guess={"value": "positive"},
            doubt=0.5, needed=2 if int((position + 1) * made.twice) > int(position * made.twice) else 1,
        )  # fmt: skip
    AnnotationQueue.objects.filter(pk=made.pk).update(filled_at=timezone.now())
    return AnnotationQueue.objects.shown().get(pk=made.pk)


def taken(queue: AnnotationQueue, by: User) -> int:
    row = annotating.take(queue, by=by)
    assert row is not None
    return row.position


def test_a_row_is_handed_to_one_person_at_a_time(queue: AnnotationQueue, alice: User, bob: User) -> None:
    assert [taken(queue, alice), taken(queue, alice), taken(queue, bob), taken(queue, alice)] == [0, 0, 1, 0]


def test_a_row_that_lies_too_long_goes_to_the_next(queue: AnnotationQueue, alice: User, bob: User) -> None:
    assert taken(queue, alice) == 0
    AnnotationRow.objects.filter(queue=queue, position=0).update(held_until=timezone.now())
    assert taken(queue, bob) == 0
    with pytest.raises(annotating.RowTaken):
        annotating.answer(queue, 0, "positive", by=alice)


def test_answers_are_stored_at_once_and_settle_a_row(queue: AnnotationQueue, alice: User) -> None:
    annotating.answer(queue, taken(queue, alice), "positive", by=alice)
    row = AnnotationRow.objects.get(queue=queue, position=0)
    assert (row.state, row.settled, row.answers, row.holder) == ("settled", {"value": "positive"}, 1, None)
    assert taken(queue, alice) == 1


def test_what_is_passed_over_is_asked_of_others_alone(queue: AnnotationQueue, alice: User, bob: User) -> None:
    annotating.answer(queue, taken(queue, alice), None, by=alice)
    assert taken(queue, alice) == 1
    assert taken(queue, bob) == 0


def test_undo_brings_the_row_back_with_the_guess_that_was_seen(queue: AnnotationQueue, alice: User) -> None:
    annotating.answer(queue, taken(queue, alice), "negative", by=alice)
    back = annotating.undo(queue, by=alice)
    assert (back.position, back.saw_guess) == (0, True)
    assert annotating.answer(queue, taken(queue, alice), "positive", by=alice).saw_guess
    with pytest.raises(NotFound):
        annotating.undo(AnnotationQueue(pk=0), by=alice)


def test_a_guess_that_was_wished_for_is_noted(queue: AnnotationQueue, alice: User, bob: User) -> None:
    position = taken(queue, alice)
    with pytest.raises(annotating.RowTaken):
        annotating.reveal(queue, position, by=bob)
    annotating.reveal(queue, position, by=alice)
    assert annotating.answer(queue, position, "positive", by=alice).saw_guess
    assert not annotating.answer(queue, taken(queue, alice), "positive", by=alice).saw_guess


def test_a_row_asked_twice_shows_whether_people_agree(data: Repo, alice: User, bob: User) -> None:
    queue = filled(alice, people=["bob"], twice=1.0)
    said = (("negative", "negative"), ("positive", "negative"), ("positive", "positive"))
    for person, place in ((alice, 0), (bob, 1)):
        for answers in said:
            annotating.answer(queue, taken(queue, person), answers[place], by=person)
    found = annotating.agreement(queue)
    assert found is not None
    assert (found.rows, found.same) == (3, 2)
    assert found.alpha == pytest.approx(1 - (2 / 6) / (18 / 30))  # by hand: observed 2 of 6, expected 18 of 30
    [row] = annotating.disputes(queue)
    assert row.position == 1
    annotating.decide(queue, 1, "positive")
    assert annotating.progress(queue, alice).disputed == 0
    assert queues.ready(AnnotationQueue.objects.get(pk=queue.pk)) == 3


def test_a_row_with_an_endless_number_is_none(queue: AnnotationQueue, alice: User, as_user: Any) -> None:
    sent = {"row": "9" * 5000, "answer": "1"}
    assert as_user(alice).post(f"{queue.get_absolute_url()}/decision", sent).status_code == 302


@pytest.mark.parametrize("value", ["angry", ["positive"], 1, ""])
def test_what_is_no_label_is_no_answer(queue: AnnotationQueue, alice: User, value: Any) -> None:
    with pytest.raises(InvalidInput):
        annotating.answer(queue, taken(queue, alice), value, by=alice)


def test_names_begin_with_b(data: Repo, alice: User) -> None:
    labels = ["O", "B-PER", "I-PER", "I-LOC", "B-LOC"]
    queue = filled(alice, [{"tokens": ["Ann", "Lee", "left", "Rome"]}], task="token-classification", labels=labels)
    given = annotating.answer(queue, taken(queue, alice), ["I-PER", "I-PER", "O", "I-LOC"], by=alice)
    assert given.value == {"value": ["B-PER", "I-PER", "O", "B-LOC"]}
    with pytest.raises(InvalidInput):
        annotating.answer(queue, 0, ["O"], by=alice)


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "absent.jsonl"}, {"path": "a.parquet"}, {"task": "translation"}, {"labels": ["one"]}, {"count": 0},
        {"order": "margin"}, {"fields": {"nothing": "x"}}, {"people": ["nobody-is-this"]}, {"twice": 2.0},
        {"task": "token-classification", "labels": ["B-PER", "I-PER"]},
    ],
)  # fmt: skip
def test_what_could_only_fail_is_refused_at_once(data: Repo, alice: User, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ask(alice, **changes)


def test_who_cannot_read_the_data_set_cannot_help(data: Repo, alice: User, bob: User) -> None:
    Repo.objects.filter(pk=data.pk).update(private=True)
    with pytest.raises(InvalidInput, match="bob"):
        ask(alice, people=["bob"])


def test_a_queue_is_seen_by_its_people_alone_and_with_its_data_set(
    queue: AnnotationQueue, data: Repo, alice: User, bob: User, charlie: User, as_user: Any
) -> None:
    for path in ("", "/overview"):
        page = f"/datasets/alice/moods/annotate/{queue.pk}{path}"
        assert as_user(alice).get(page).status_code == 200
        assert as_user(bob).get(page).status_code == 200
        assert as_user(charlie).get(page).status_code == 404
    assert "/annotate/" not in as_user(charlie).get("/datasets/alice/moods/annotate").text
    assert "0 of 5 rows settled" in as_user(bob).get("/datasets/alice/moods/annotate").text
    assert as_user(charlie).get(f"/api/v1/queues/{queue.pk}").status_code == 404
    Repo.objects.filter(pk=data.pk).update(private=True)
    assert as_user(bob).get(f"/datasets/alice/moods/annotate/{queue.pk}").status_code == 404
    assert as_user(bob).get(f"/api/v1/queues/{queue.pk}").status_code == 404


def test_helpers_answer_but_do_not_manage(queue: AnnotationQueue, bob: User, as_user: Any) -> None:
    page = f"/datasets/alice/moods/annotate/{queue.pk}"
    browser = as_user(bob)
    assert 'name="label" value="1"' in browser.get(page).text
    assert browser.post(page, {"row": "0", "label": "1"}).status_code == 302
    assert Annotation.objects.get().value == {"value": "positive"}
    for act in ("people", "decision", "publication", "removal"):
        assert browser.post(f"{page}/{act}").status_code == 403, act
    with pytest.raises(NotAllowed):
        queues.write(queue, by=bob)


def test_the_page_hides_the_guess_until_an_answer_or_a_wish(queue: AnnotationQueue, alice: User, as_user: Any) -> None:
    page, browser = f"/datasets/alice/moods/annotate/{queue.pk}", as_user(alice)
    assert "is-guessed" not in browser.get(page).text
    browser.post(f"{page}/guess", {"row": "0"})
    assert "is-guessed" in browser.get(page).text
    browser.post(page, {"row": "0", "label": "0"})
    after = browser.get(page).text
    assert "The model said:" in after
    assert "is-guessed" not in after
    assert "answered by you" in browser.get(f"{page}?row=0").text
    browser.post(f"{page}/undo")
    assert not Annotation.objects.exists()


def test_a_queue_is_asked_for_by_the_form_and_by_the_api(data: Repo, alice: User, bob: User, as_user: Any) -> None:
    sent = {"task": "text-classification", "path": "train.jsonl", "count": "5", "labels": "a, b", "twice": "0"}
    answer = as_user(alice).post("/datasets/alice/moods/annotate", sent)
    assert answer.status_code == 302, answer.text
    assert AnnotationQueue.objects.get().labels == ["a", "b"]
    assert "A worker chooses" in as_user(alice).get(answer.url).text or "job" in as_user(alice).get(answer.url).text
    wish = {"task": "text-classification", "dataset": "alice/moods", "path": "train.jsonl", "labels": ["a", "b"]}
    made = as_user(alice).post("/api/v1/queues", json.dumps(wish), content_type="application/json")
    assert made.status_code == 201, made.content
    assert as_user(alice).get("/api/v1/queues").json()["results"][0]["id"] == made.json()["id"]
    assert as_user(bob).get("/api/v1/queues").json()["results"] == []


def test_rows_are_labelled_through_the_api(queue: AnnotationQueue, bob: User, alice: User, as_user: Any) -> None:
    def post(path: str, body: Any = None, by: User = bob) -> Any:
        sent = json.dumps(body or {})
        return as_user(by).post(f"/api/v1/queues/{queue.pk}/{path}", sent, content_type="application/json")

    row = post("next").json()["row"]
    assert (row["position"], row["guess"]) == (0, None)
    assert post("guess", {"row": 0}).json()["row"]["guess"] == {"value": "positive"}
    given = post("answers", {"row": 0, "value": "negative"})
    assert (given.status_code, given.json()["saw_guess"], given.json()["guess"]) == (201, True, {"value": "positive"})
    assert post("answers", {"row": 1, "value": "wrong"}).status_code == 400
    assert post("answers", {"row": 1, "value": None}).json()["value"] is None
    listed = as_user(alice).get(f"/api/v1/queues/{queue.pk}/answers").json()["results"]
    assert [(one["row"], one["by"]) for one in listed] == [(1, "bob"), (0, "bob")]
    assert as_user(bob).delete(f"/api/v1/queues/{queue.pk}/answers/last").json()["row"]["position"] == 1
    assert as_user(bob).get(f"/api/v1/queues/{queue.pk}").json()["progress"]["settled"] == 1
    assert post("publication", {}).status_code == 403
    assert post("publication", {}, by=alice).status_code == 202
    assert post("people", {"people": []}, by=alice).status_code == 200
    assert post("next").status_code == 404


def test_a_page_of_labelling_costs_the_same_however_long_the_queue(
    queue: AnnotationQueue, alice: User, as_user: Any, django_assert_max_num_queries: Any
) -> None:
    browser, page = as_user(alice), f"/datasets/alice/moods/annotate/{queue.pk}"
    browser.get(page)
    for number in range(5, 60):
        AnnotationRow.objects.create(queue=queue, position=number, line=number, question={"text": f"x {number}"})
    with django_assert_max_num_queries(32):
        browser.get(page)


def test_the_page_that_waited_for_rows_is_loaded_anew_once_they_are_there(
    queue: AnnotationQueue, alice: User, as_user: Any
) -> None:
    page, browser, asks = f"/datasets/alice/moods/annotate/{queue.pk}", as_user(alice), {"HX-Request": "true"}
    assert browser.get(page, headers=asks).headers["HX-Refresh"] == "true"
    AnnotationQueue.objects.filter(pk=queue.pk).update(filled_at=None)
    assert browser.get(page, headers=asks).text.lstrip().startswith('<div id="queue-state"')


def test_columns_with_other_names_are_filled_in_and_a_file_that_cannot_be_read_is_named(
    make_repo: MakeRepo, alice: User, as_user: Any
) -> None:
    table = "编号,文本,标签\n1,很好,\n2,很差,负面\n"
    make_repo(alice, "mine", kind="dataset", files={"train.csv": table})
    page = as_user(alice).get("/datasets/alice/mine/annotate?task=nonsense")
    assert [page.context["form"][name].value() for name in ("column", "answer")] == ["文本", "标签"]
    make_repo(alice, "other", kind="dataset", files={"train.csv": table.encode("gb18030")})
    assert "encoded as GB18030" in as_user(alice).get("/datasets/alice/other/annotate").text
