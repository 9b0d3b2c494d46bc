"""One verb of the engine in a sandbox: the spec in, progress on the way, a result or a reason out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.utils.translation import gettext_noop

from worker import gpus, node, progress_texts, sandbox
from worker.attempts import Attempt, JobFailed, TryAgain
from worker.engine.contracts import EngineError, ErrorCode
from worker.engine.decoding import parse_json
from worker.sandbox.contracts import LAUNCH_FAILED, Limits, Outcome, SandboxUnavailable

MAX_MESSAGE = 500
MAX_TAIL_LINES = 40
KILLED = {
    "memory": (
        "out_of_memory",
        gettext_noop(
            "It needed more memory than the %(memory_mb)d MB a job may have. Publish a smaller model, or check that "
            "its tokenizer does not make endless texts."
        ),
    ),
    "wall_time": (
        "time_limit",
        gettext_noop(
            "It took longer than the %(seconds)d s a job may take. Publish a smaller model, or check that its "
            "tokenizer and its answers come to an end."
        ),
    ),
    "cpu_time": (
        "time_limit",
        gettext_noop(
            "It used more processor time than a job may use. Publish a smaller model, or check that its tokenizer and "
            "its answers come to an end."
        ),
    ),
    "processes": (
        "process_limit",
        gettext_noop(
            "It started more than the %(processes)d processes a job may have. A model that is loaded from plain files "
            "starts none: save it with save_pretrained() and publish it."
        ),
    ),
    "disk": (
        "disk_limit",
        gettext_noop(
            "It wrote more than the %(disk_mb)d MB a job may write. A model that is loaded from plain files writes its "
            "answers alone: save it with save_pretrained() and publish it."
        ),
    ),
}
NO_SANDBOX = gettext_noop("The worker could not put up the sandbox: %(cause)s")
CRASHED = gettext_noop("The engine ended unexpectedly with status %(status)d. The log holds its last words.")


@dataclass(frozen=True)
class Run:
    """One verb with its spec, and what of the disk it may see and change."""

    verb: str
    spec: Any
    readonly: Sequence[Path]
    writable: Path
    share: tuple[float, float]  # the part of the job's progress bar that it moves
    may_use_gpu: bool = False


class EndedEarly(Exception):
    """What watched the run wanted no more of it; what it wrote until then is there."""


def run_verb(
    attempt: Attempt, run: Run, *, spec_folder: Path, limits: Limits, meanwhile: Callable[[], str | None] | None = None
) -> dict[str, Any]:
    """Run the verb and return its result; raises EngineError, JobFailed, TryAgain or Stopped.

    `meanwhile` is called a few times a second while it runs; with a reason it ends the run, which raises EndedEarly.
    """
    attempt.check()
    spec_path = spec_folder / f"{run.verb}.json"
    spec_path.write_text(json.dumps(asdict(run.spec), ensure_ascii=False), encoding="utf-8")
    answer = Answer(attempt, run.share)
    ended: list[str] = []

    def should_stop() -> str | None:
        if meanwhile is not None and not ended and (why := meanwhile()):
            ended.append(why)
        return attempt.should_stop() or next(iter(ended), None)

    count = node.gpu_count() if run.may_use_gpu else 0
    try:
        with gpus.one_of(count) as which:
            outcome = sandbox.run(
                sandbox.engine_command(run.verb, str(spec_path)),
                readonly=[*run.readonly, spec_path],
                writable=run.writable,
                limits=limits,
                on_line=answer.read,
                should_stop=should_stop,
                on_cpu=attempt.used,
                environment={**which, **({"PORTAL_FAKE_ENGINE": "1"} if settings.FAKE_ENGINE else {})},
                devices=sandbox.gpu_files() if count else (),
                policy=node.policy(),
            )
    except SandboxUnavailable as error:
        raise TryAgain(NO_SANDBOX, code="no_sandbox", data={"cause": str(error)[:MAX_MESSAGE]}) from error
    attempt.log(*(f"{run.verb}: {line}" for line in outcome.stderr_tail.splitlines()[-MAX_TAIL_LINES:]))
    attempt.show()
    attempt.check()
    if ended:
        raise EndedEarly(ended[0])
    _raise_if_killed(outcome, limits)
    return answer.result(outcome.returncode)


class Answer:
    """What the child says on its standard output. It may be hostile: nothing is believed beyond its shape."""

    def __init__(self, attempt: Attempt, share: tuple[float, float]) -> None:
        self._attempt = attempt
        self._start, self._end = share
        self._last: dict[str, Any] = {}

    def read(self, line: str) -> None:
        """Take one line: progress is shown, a result or an error is kept, anything else goes to the log."""
        try:
            said = parse_json(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self._attempt.log(printable(line))
        elif "progress" in said:
            self._show(said)
        else:
            self._last = said

    def _show(self, said: dict[str, Any]) -> None:
        fraction = said["progress"]
        if type(fraction) in (int, float) and 0 <= fraction <= 1:
            # A step that is done is not the job: other steps follow it, or its result is stored.
            message = "" if fraction == 1 else printable(str(said.get("message", "")))
            text, data = progress_texts.readable(message)
            if self._attempt.is_silent and not data and text not in progress_texts.PHRASES:
                text = ""
            self._attempt.report(self._start + (self._end - self._start) * fraction, text, **data)

    def result(self, status: int) -> dict[str, Any]:
        """Return the result of a run that has ended well, else raise what went wrong."""
        error, result = self._last.get("error"), self._last.get("result")
        if isinstance(error, dict) and error.get("code") in get_args(ErrorCode):
            raise EngineError(error["code"], printable(str(error.get("message", ""))))
        if status == 0 and isinstance(result, dict):
            return result
        raise TryAgain(CRASHED, code="engine_crashed", data={"status": status})


def printable(text: str) -> str:
    """Return one bounded line of printable characters."""
    line = " ".join(text[: 4 * MAX_MESSAGE].split())
    return "".join(char for char in line if char.isprintable())[:MAX_MESSAGE]


def _raise_if_killed(outcome: Outcome, limits: Limits) -> None:
    if outcome.returncode == LAUNCH_FAILED and outcome.killed_because is None:
        raise TryAgain(NO_SANDBOX, code="no_sandbox", data={"cause": printable(outcome.stderr_tail[-MAX_MESSAGE:])})
    if outcome.killed_because in KILLED:
        code, reason = KILLED[outcome.killed_because]
        data = {
            "memory_mb": limits.memory_mb,
            "seconds": round(limits.wall_seconds),
            "disk_mb": limits.disk_mb,
            "processes": limits.processes,
        }
        raise JobFailed(reason, code=code, data=data)
