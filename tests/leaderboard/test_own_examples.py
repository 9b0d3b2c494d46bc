"""Own examples: what is taken in, who sees it, when it goes, and what it says of models."""

from datetime import timedelta

import pytest
from django.utils import timezone

from leaderboard.finding import outcome, reading, trying
from leaderboard.finding.reading import ExamplesRefused
from leaderboard.models import Contender, ExampleSet
from portal.errors import QuotaExceeded
from portal.models import Job
from tests.evaluating import model_files

TASK = "text-classification"
LINES = "text,label\n" + "".join(f"text {number},{'yes' if number % 2 else 'no'}\n" for number in range(20))


def refusal(text: str, task: str = TASK, **columns: str) -> str:
    with pytest.raises(ExamplesRefused) as caught:
        reading.read(text, task, columns)
    return " ".join(caught.value.lines)


@pytest.fixture
def model(alice, make_repo):
    files = model_files(1.0)
    files["config.json"] = str(files["config.json"]).replace("negative", "no").replace("positive", "yes")
    return make_repo(alice, "tried", files=files)


@pytest.fixture
def examples(alice, model):
    return trying.begin(by=alice, title="Mine", task=TASK, text=LINES, models=[model])


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        LINES.replace(",", "\t"),
        LINES.replace("text,label", "Review,Sentiment"),
        "".join(f'{{"text": "t {n}", "label": {n % 2}}}\n' for n in range(20)),
        "[" + ",".join(f'{{"text": "t {n}", "label": {n % 2}}}' for n in range(20)) + "]",
    ],
)
def test_tables_and_json_are_read_by_their_usual_names(text) -> None:
    found = reading.read(text, TASK, {})
    assert (len(found.rows), len(found.labels)) == (20, 2)
    assert set(found.rows[0]) == {"input", "target"}


def test_columns_of_other_names_are_named() -> None:
    text = LINES.replace("text,label", "a,b")
    assert "The columns are: a, b" in refusal(text)
    assert reading.read(text, TASK, {"input": "A", "target": "b"}).columns == {"input": "a", "target": "b"}


def test_each_mistake_is_named_by_its_line() -> None:
    assert "Line 3: “label” is empty" in refusal(LINES.replace("text 1,yes", "text 1,"))
    assert "Line 2: it is not a JSON object" in refusal('{"text": "a", "label": "b"}\nnonsense\n')
    assert "Line 2: it has more cells" in refusal("text,label\na,b,c\n")
    words = '{"tokens": ["a", "b"], "tags": ["O"]}\n' * 20
    assert "Line 1: it has 1 tags for 2 words" in refusal(words, "token-classification")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "There are no examples"),
        ("text,label\na,b\n", "between 20 and 500"),
        ("text,label\n" + "a,b\n" * 501, "There are 501 examples"),
        ("text,label\n" + "a,b\n" * 20, "1 different labels"),
        ("x" * 1_000_001, "at most 1000 kB"),
        ('{"text": "\\ud800", "label": "a"}\n' * 20, "cannot be written"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_too_little_too_much_or_no_text_is_refused(text, what) -> None:
    assert what in refusal(text)


def test_the_page_takes_examples_and_shows_them_to_their_owner_alone(as_user, alice, charlie, morgan, model) -> None:
    form = {"task": TASK, "models": model.full_name, "text": LINES, "question": "task=x"}
    answer = as_user(alice).post("/find/examples/new", form)
    page = answer.headers["Location"]
    assert page == ExampleSet.objects.get().get_absolute_url()
    assert model.full_name in as_user(alice).get(page).text
    for other in (charlie, morgan):
        assert as_user(other).get(page).status_code == 404
        assert as_user(other).post(f"{page}/deletion").status_code == 404
    assert "/accounts/login" in as_user(None).get(page).headers.get("Location", "") or (
        as_user(None).get(page).status_code == 404
    )


def test_a_form_that_cannot_be_used_says_why_and_keeps_what_was_typed(as_user, alice, bob, make_repo) -> None:
    hidden = make_repo(bob, "hidden-model", files=model_files(1.0), private=True)
    form = {"task": TASK, "models": hidden.full_name, "text": LINES}
    answer = as_user(alice).post("/find/examples/new", form)
    assert answer.status_code == 400
    assert "There is no model" in answer.text
    assert "text 19,yes" in answer.text


def test_labels_of_models_may_have_other_names(alice, model) -> None:
    with pytest.raises(ExamplesRefused, match="is none of the labels"):
        trying.begin(by=alice, title="", task=TASK, text=LINES, models=[model], label_map={"a": "maybe"})
    found = trying.begin(by=alice, title="", task=TASK, text=LINES, models=[model], label_map={"no": "yes"})
    assert found.benchmark.engine_settings["label_map"] == {"no": "yes"}


def test_examples_go_when_asked_and_by_themselves(as_user, alice, examples) -> None:
    later = ExampleSet.objects.create(
        owner=alice, title="Old", task=TASK, definition=examples.definition, rows="", count=0, digest="",
        expires_at=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    assert as_user(alice).get(later.get_absolute_url()).status_code == 404
    assert trying.forget_over() == 1
    as_user(alice).post(f"{examples.get_absolute_url()}/deletion")
    assert not ExampleSet.objects.exists()
    assert Job.objects.get().state == "cancelled"


def test_a_cancelled_model_can_be_tried_again(as_user, alice, examples) -> None:
    page = examples.get_absolute_url()
    as_user(alice).post(f"{page}/cancellation")
    assert "Cancelled on request" in as_user(alice).get(page).text
    contender = examples.contenders.get()
    as_user(alice).post(f"{page}/models/{contender.pk}/again")
    assert examples.contenders.get().state == "queued"
    assert Job.objects.count() == 2


def contender(examples, model, items, memory) -> Contender:
    model.memory_bytes = memory
    value = sum(items) / len(items)
    return Contender(
        examples=examples, model=model, value=value, low=value, high=value, items=items, finished_at=timezone.now(),
        answers=["yes" if item else "no" for item in items],
    )  # fmt: skip


def test_the_cheapest_of_the_tie_is_chosen_and_holm_corrects(alice, make_repo, examples) -> None:
    large, small, poor = (make_repo(alice, name) for name in ("large", "small", "poor"))
    first = contender(examples, large, [1.0] * 18 + [0.0] * 2, 900)
    tied = contender(examples, small, [1.0] * 17 + [0.0] * 3, 100)
    behind = contender(examples, poor, [0.0] * 18 + [1.0] * 2, 50)
    found = outcome.of(examples, [behind, tied, first])
    assert [place.contender.model.name for place in found.places] == ["large", "small", "poor"]
    assert found.chosen.contender is tied
    # Exact McNemar: one pair differs, p = 1; twenty differ, 2 against 18: p = 2 * P(Bin(20, 1/2) <= 2).
    assert found.places[1].p == 1.0
    assert found.places[2].p == pytest.approx(2 * 2 * 211 / 2**20)


def test_limits_of_evaluations_hold_for_own_examples_too(settings, alice, model, examples) -> None:
    settings.EVALUATIONS_PER_DAY = 1
    with pytest.raises(QuotaExceeded):
        trying.begin(by=alice, title="", task=TASK, text=LINES, models=[model])
