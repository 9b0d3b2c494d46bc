"""The finder's answer in words: why this model, what stands beside it, and what was left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from leaderboard.finding.answering import Answer, Candidate, Excluded
from leaderboard.finding.asked import DEVICES, MB
from leaderboard.models import Benchmark, Contamination
from models_hub import licences

NAMES: dict[str, str | Promise] = {
    "memory": gettext_lazy("Memory"),
    "latency": gettext_lazy("Time for an answer"),
    "disk": gettext_lazy("Size on disk"),
    "licence": gettext_lazy("Licence"),
    "device": gettext_lazy("Device"),
}
WARNINGS: dict[str, str | Promise] = {
    Contamination.DECLARED: gettext_lazy("It was trained on the training part of a data set that it is measured on."),
    Contamination.INHERITED: gettext_lazy(
        "A model that it comes from was trained on a data set that it is measured on."
    ),
}


def reasons(answer: Answer) -> list[str]:
    """Say why the chosen model was chosen, the strongest reason first."""
    return list(_reasons(answer, answer.chosen)) if answer.chosen else []


def warnings(one: Candidate) -> list[str]:
    """Say what speaks against the scores of a model."""
    levels = {score.contamination for score in one.scores.values()}
    return [str(text) for level, text in WARNINGS.items() if level in levels]


def _reasons(answer: Answer, one: Candidate) -> Iterator[str]:
    yield standing(answer)
    yield verified(one, answer.counted)
    yield from fits(answer, one)
    if one.difference is not None and not one.is_leader:
        yield behind(one)


def standing(answer: Answer) -> str:
    """Say how the chosen model stands among those that fit."""
    others = len(answer.tied) - 1
    if others:
        tied = ngettext(
            "Tied with %(n)d other: their scores cannot be told apart, and this is the smaller one.",
            "Tied with %(n)d others: their scores cannot be told apart, and this is the smallest of them.",
            others,
        )
        return tied % {"n": others}
    if answer.behind:
        ahead = ngettext(
            "Ahead of the %(n)d other that fits, by more than chance.",
            "Ahead of the %(n)d others that fit, by more than chance.",
            len(answer.behind),
        )
        return ahead % {"n": len(answer.behind)}
    return _("The only one that fits and was measured on enough of the benchmarks.")


def verified(one: Candidate, counted: Sequence[Benchmark]) -> str:
    """Say on how many of the benchmarks a model has a verified score."""
    count = sum(benchmark.pk in one.scores for benchmark in counted)
    if count == len(counted):
        return ngettext("Verified on %(n)d benchmark.", "Verified on all %(n)d benchmarks.", count) % {"n": count}
    return _("Verified on %(n)d of %(all)d benchmarks; the others are allowed for.") % {"n": count, "all": len(counted)}


def fits(answer: Answer, one: Candidate) -> Iterator[str]:
    """Say what a model takes, beside the limit where one was set."""
    asked, model = answer.asked, one.model
    if model.memory_bytes is not None:
        memory = _size(model.memory_bytes / MB)
        if asked.memory_mb is not None:
            yield _("Needs %(size)s of memory, within %(limit)s.") % {"size": memory, "limit": _size(asked.memory_mb)}
        else:
            yield _("Needs %(size)s of memory for its weights.") % {"size": memory}
    if one.speed:
        yield _("Answers in %(time)s on %(machine)s.") % {
            "time": milliseconds(one.speed.milliseconds),
            "machine": one.speed.machine,
        }
    if asked.disk_mb is not None:
        yield _("Takes %(size)s on disk, within %(limit)s.") % {
            "size": _size(model.size / MB),
            "limit": _size(asked.disk_mb),
        }
    if asked.device:
        formats = sorted(DEVICES[asked.device].formats & set(model.formats))
        yield _("Has its weights as %(formats)s.") % {"formats": ", ".join(formats)}
    if asked.licences:
        yield _("Licence: %(licence)s.") % {"licence": model.license or licences.CLASSES[model.license_class]}


def behind(one: Candidate) -> str:
    """Say how far a model is from the one with the best score."""
    assert one.difference is not None
    found, above = one.difference, one.difference.value < 0
    text = (
        _("%(value)s points above the one with the best mean; the difference lies between %(low)s and %(high)s.")
        if above
        else _("%(value)s points below the best score; the difference lies between %(low)s and %(high)s.")
    )
    numbers = (-found.value, -found.high, -found.low) if above else (found.value, found.low, found.high)
    return text % dict(zip(("value", "low", "high"), map(_points, numbers), strict=True))


def _points(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


@dataclass(frozen=True)
class LeftOut:
    """What a filter shut out, in words, and the question without it."""

    name: str
    text: str
    query: str


def left_out(answer: Answer) -> list[LeftOut]:
    """Say of each filter what it shut out, and how it could be loosened."""
    return [
        LeftOut(str(NAMES[one.name]), _left_out(answer, one), answer.asked.without(one.name).query)
        for one in answer.excluded
    ]


def closest(answer: Answer) -> str:
    """Say which limits the closest model misses, "" where one fits."""
    if answer.closest is None:
        return ""
    return _("%(model)s comes closest; it misses: %(limits)s.") % {
        "model": answer.closest.model.full_name,
        "limits": ", ".join(str(NAMES[name]).lower() for name in answer.missed),
    }


def _left_out(answer: Answer, one: Excluded) -> str:
    count = ngettext("%(n)d measured model is shut out", "%(n)d measured models are shut out", one.count)
    what = {"what": count % {"n": one.count}, "alone": one.alone, "near": _near(one), "machine": answer.machine}
    if not one.alone:
        text = ngettext("%(what)s, by another limit too.", "%(what)s, each of them by another limit too.", one.count)
    elif one.alone == one.count:
        text = _("%(what)s by this alone.")
    else:
        text = _("%(what)s, %(alone)d by this alone.")
    more = ""
    if one.nearest is not None:
        more = _("The nearest needs %(near)s.")
    elif one.name == "latency":
        more = _("Their speed on %(machine)s is not known.") if answer.machine else _unknown_speed()
    return f"{text % what} {more % what}".strip()


def _unknown_speed() -> str:
    return _("No speed is known: only scores that were measured on a quiet machine say how fast a model is.")


def _near(one: Excluded) -> str:
    if one.nearest is None:
        return ""
    return milliseconds(one.nearest) if one.name == "latency" else _size(one.nearest)


def milliseconds(value: float) -> str:
    """Write a time as one reads it."""
    return f"{value:.3g}\u00a0ms" if value < 1000 else f"{value / 1000:.3g}\u00a0s"


def _size(megabytes: float) -> str:
    if megabytes < 1:
        return f"{megabytes * 1000:.3g}\u00a0KB"
    return f"{megabytes:.3g}\u00a0MB" if megabytes < 1000 else f"{megabytes / 1000:.3g}\u00a0GB"
