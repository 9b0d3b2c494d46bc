"""What workers store is told in the reader's language: failures, progress, missing walls, kinds."""

import html
from datetime import timedelta
from types import SimpleNamespace
from typing import get_args

import pytest
from django.utils import translation

from portal.models import Job
from worker import progress_texts, sandbox_texts
from worker.engine.contracts import ErrorCode
from worker.engine_runs import KILLED, Answer
from worker.failure_texts import HEADLINES
from worker.jobs import KINDS
from worker.sandbox import detection
from worker.sandbox.contracts import Isolation

LEASE = timedelta(seconds=30)
BARE = Isolation(
    mode="rlimits", own_user=False, syscall_filter=False, cgroup=False, file_rules=False, warning=None
)  # fmt: skip
EVERY_WALL = Isolation(
    mode="full", own_user=True, syscall_filter=True, cgroup=True, file_rules=True, warning=None
)  # fmt: skip


@pytest.fixture
def job(alice) -> Job:
    job = Job.claim(Job.enqueue("evaluate", spec={}, owner=alice, title="").pk, worker="one", lease=LEASE)
    assert job is not None
    return job


def is_translated(text: str) -> bool:
    with translation.override("zh-hans"):
        return translation.gettext(text) != text


def chinese(client, job: Job) -> str:
    page: str = client.get(f"/jobs/{job.pk}", headers={"accept-language": "zh-hans"}).text
    return page


def test_every_error_of_the_engine_has_a_headline_that_is_translated() -> None:
    assert set(HEADLINES) == set(get_args(ErrorCode))
    for headline in HEADLINES.values():
        assert "%(detail)s" in headline
        assert is_translated(headline)


def test_every_failure_says_what_is_wrong_and_then_what_to_change(as_user, alice) -> None:
    reasons = {**HEADLINES, **dict(KILLED.values())}
    for code, reason in reasons.items():
        wrong, _stop, mend = reason.removesuffix(" Details: %(detail)s").partition(". ")
        if code not in {"inference_failed", "bad_spec"}:  # these two name it in one sentence
            assert wrong, code
            assert len(mend.split()) > 3, code
        job = Job.claim(Job.enqueue("evaluate", spec={}, owner=alice, title="").pk, worker="one", lease=LEASE)
        data = {"detail": "<b>", "memory_mb": 1, "seconds": 1, "disk_mb": 1, "processes": 1}
        job.fail(code=code, reason=reason, **data)
        page = as_user(alice).get(f"/jobs/{job.pk}").text
        assert html.escape(reason % data) in page
        assert "<b>" not in page


def test_a_failed_job_says_in_chinese_what_to_mend_and_keeps_the_detail(as_user, alice, job) -> None:
    job.fail(code="missing_weights", reason=HEADLINES["missing_weights"], detail="model.safetensors is 100 % missing")
    page = chinese(as_user(alice), job)
    assert "缺少权重" in page
    assert "model.safetensors is 100 % missing" in page
    assert "The weights are missing" not in page


def test_progress_is_told_in_chinese_with_its_numbers(as_user, alice, job) -> None:
    text, data = progress_texts.readable("12 of 80 texts")
    job.report(0.2, text, **data)
    page = chinese(as_user(alice), job)
    assert "12 / 80" in page
    assert "texts" not in page


def test_what_the_engine_never_says_is_shown_as_it_is() -> None:
    for said in ("100 % of %(done)s", "12 of 80 texts and more", ""):
        assert progress_texts.readable(said) == (said, {})


def test_every_phrase_wall_and_kind_is_translated() -> None:
    for text in (*progress_texts.PHRASES, progress_texts.COUNT, *sandbox_texts.WALLS, sandbox_texts.MEND, *KINDS):
        assert is_translated(text)
    assert set(EVERY_WALL.in_force) | set(BARE.in_force) <= sandbox_texts.WALLS


def test_every_missing_wall_is_told_in_words_of_the_catalogue(as_user, alice, job) -> None:
    lines = [
        *detection._missing(BARE),
        detection._why_not("full", "no permission"),
        detection._why_not("rlimits", "no permission"),
        f"bubblewrap is not installed. {detection.INSTALL}",
    ]
    told = sandbox_texts.readable("\n".join(lines)).splitlines()
    assert len(told) == len(lines) + 1
    assert all(is_translated(line) for line in told)
    job.warn("\n".join(told))
    page = chinese(as_user(alice), job)
    assert "bubblewrap" in page
    assert "worker's" not in page


def test_the_end_of_a_step_is_not_told_as_the_end_of_its_job():
    told: list[tuple[float, str]] = []
    attempt = SimpleNamespace(is_silent=False, report=lambda *said: told.append(said))
    answer = Answer(attempt, (0.0, 0.5))
    answer.read('{"progress": 0.5, "message": "tokenising"}')
    answer.read('{"progress": 1.0, "message": "done"}')
    assert told == [(0.25, "tokenising"), (0.5, "")]
