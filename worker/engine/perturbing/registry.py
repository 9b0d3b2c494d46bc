"""Every perturbation by its name, the tasks it leaves the answers of, and how a question is changed by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Literal

from worker.engine.contracts import Strength, require
from worker.engine.perturbing import chinese, forms, invariance, letters
from worker.engine.perturbing.draws import generator
from worker.engine.perturbing.scripts import Script, script_of

Kind = Literal["noise", "form", "invariance"]
Apply = Callable[[str, Random, float], str]

# The share of words or characters that are hit, at least one of each text.
SHARES: dict[Strength, float] = {"light": 0.05, "medium": 0.1, "strong": 0.2}
BOTH: frozenset[Script] = frozenset({"latin", "han"})
LATIN: frozenset[Script] = frozenset({"latin"})
CHINESE: frozenset[Script] = frozenset({"han"})

# What of a question is changed. The passage of a question stays, and with it every position of an answer; whatever a
# language model is asked to continue stays too, for its likelihood is what is measured.
FIELDS: dict[str, tuple[str, ...]] = {
    "text-classification": ("text", "text2"),
    "multi-label-classification": ("text", "text2"),
    "text-pair-classification": ("text", "text2"),
    "text-regression": ("text", "text2"),
    "sentence-similarity": ("text", "text2"),
    "token-classification": ("tokens",),
    "question-answering": ("question",),
    "text-retrieval": ("query",),
    "text-ranking": ("query",),
}
SINGLE_TEXTS = frozenset({"text-classification", "multi-label-classification"})
QUESTIONS = frozenset({"question-answering", "text-retrieval", "text-ranking"})
READ_AS_A_WHOLE = frozenset(FIELDS) - {"token-classification"}


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """One way to change a text, and where its answers stay right."""

    name: str
    kind: Kind
    simulates: str
    scripts: frozenset[Script]
    tasks: frozenset[str]
    apply: Apply
    # Whether it can be lighter or stronger; the others change all there is to change.
    has_levels: bool = True
    # Both texts of a pair get the same change: a person is renamed in both.
    alike: bool = False
    # A sentence put into one text of a pair may change what holds between the two.
    fits_pairs: bool = True


def _of(*perturbations: Perturbation) -> dict[str, Perturbation]:
    return {each.name: each for each in perturbations}


PERTURBATIONS = _of(
    Perturbation(
        name="keyboard",
        kind="noise",
        simulates="Fast typing: a letter is replaced by one beside it on the keyboard.",
        scripts=LATIN,
        tasks=frozenset(FIELDS),
        apply=letters.keyboard,
    ),
    Perturbation(
        name="swap",
        kind="noise",
        simulates="Two neighbouring letters of a word, or two Chinese characters, change places.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE,
        apply=letters.swap,
    ),
    Perturbation(
        name="drop",
        kind="noise",
        simulates="A letter of a word, or a Chinese character, is left out.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE,
        apply=letters.drop,
    ),
    Perturbation(
        name="insert",
        kind="noise",
        simulates="A key is hit twice or together with the one beside it; a Chinese character is typed twice.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE,
        apply=letters.insert,
    ),
    Perturbation(
        name="homophone",
        kind="noise",
        simulates="The input method offers another character of the same sound.",
        scripts=CHINESE,
        tasks=frozenset(FIELDS),
        apply=chinese.homophone,
    ),
    Perturbation(
        name="near_shape",
        kind="noise",
        simulates="A character is misread as one of a like shape, as by text recognition or from a stroke keyboard.",
        scripts=CHINESE,
        tasks=frozenset(FIELDS),
        apply=chinese.near_shape,
    ),
    Perturbation(
        name="lower_case",
        kind="form",
        simulates="Writing on a phone: no capitals.",
        scripts=LATIN,
        tasks=frozenset(FIELDS),
        apply=forms.lower_case,
        has_levels=False,
    ),
    Perturbation(
        name="upper_case",
        kind="form",
        simulates="Headlines and shouting: all in capitals.",
        scripts=LATIN,
        tasks=frozenset(FIELDS),
        apply=forms.upper_case,
        has_levels=False,
    ),
    Perturbation(
        name="punctuation",
        kind="form",
        simulates="Marks between sentences and their parts are left out.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE,
        apply=forms.drop_punctuation,
    ),
    Perturbation(
        name="punctuation_width",
        kind="form",
        simulates="Chinese marks are typed with a Latin keyboard, or the other way round.",
        scripts=CHINESE,
        tasks=frozenset(FIELDS),
        apply=forms.punctuation_width,
        has_levels=False,
    ),
    Perturbation(
        name="spacing",
        kind="form",
        simulates="A space is forgotten or typed twice; in Chinese, one stands between two characters.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE,
        apply=forms.spacing,
    ),
    Perturbation(
        name="digit_width",
        kind="form",
        simulates="Digits are as wide as Chinese characters, as in forms and old systems.",
        scripts=CHINESE,
        tasks=frozenset(FIELDS),
        apply=forms.digit_width,
        has_levels=False,
    ),
    Perturbation(
        name="other_script",
        kind="form",
        simulates="Simplified characters are written as traditional ones, or the other way round.",
        scripts=CHINESE,
        tasks=frozenset(FIELDS),
        apply=chinese.other_script,
        has_levels=False,
    ),
    Perturbation(
        name="suffix",
        kind="invariance",
        simulates="A sentence that has nothing to do with the text follows it.",
        scripts=BOTH,
        tasks=SINGLE_TEXTS,
        apply=invariance.suffix,
        has_levels=False,
        fits_pairs=False,
    ),
    Perturbation(
        name="prefix",
        kind="invariance",
        simulates="A sentence that has nothing to do with the text comes before it.",
        scripts=BOTH,
        tasks=SINGLE_TEXTS,
        apply=invariance.prefix,
        has_levels=False,
        fits_pairs=False,
    ),
    Perturbation(
        name="names",
        kind="invariance",
        simulates="The people in the text have other names.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE - QUESTIONS,
        apply=invariance.swap_names,
        has_levels=False,
        alike=True,
    ),
    Perturbation(
        name="places",
        kind="invariance",
        simulates="The text speaks of other cities.",
        scripts=BOTH,
        tasks=READ_AS_A_WHOLE - QUESTIONS,
        apply=invariance.swap_places,
        has_levels=False,
        alike=True,
    ),
)


def perturb(name: str, text: str, rng: Random, strength: Strength = "medium") -> str:
    """Return the text after one perturbation: itself where nothing applies, and never nothing."""
    require(name in PERTURBATIONS, f'there is no perturbation "{name[:60]}"')
    perturbation = PERTURBATIONS[name]
    if script_of(text) not in perturbation.scripts:
        return text
    changed = perturbation.apply(text, rng, SHARES[strength])
    return changed if changed.strip() else text


def perturb_question(
    name: str, task: str, question: Mapping[str, Any], *, seed: int, strength: Strength = "medium"
) -> dict[str, Any]:
    """Return a question with its texts changed; the same for the same seed and the question's `id`, anywhere."""
    require(name in PERTURBATIONS, f'there is no perturbation "{name[:60]}"')
    perturbation = PERTURBATIONS[name]
    require(task in perturbation.tasks, f'"{name}" may change the right answers of {task[:60]}')
    changed = dict(question)
    if not perturbation.fits_pairs and question.get("text2") is not None:
        return changed
    for field in FIELDS[task]:
        if (value := question.get(field)) is None:
            continue
        rng = generator(seed, name, str(question["id"]), "" if perturbation.alike else field)
        changed[field] = (
            perturbed_tokens(value, partial(perturb, name, rng=rng, strength=strength))
            if isinstance(value, list)
            else perturb(name, value, rng, strength)
        )
    return changed


def perturbed_tokens(tokens: list[str], change: Callable[[str], str]) -> list[str]:
    """Change a sentence and cut it again where its tokens were: what is used for tokens moves no position."""
    gap = "" if script_of("".join(tokens)) == "han" else " "
    text = gap.join(tokens)
    changed = change(text)
    if len(changed) != len(text):
        return tokens
    parts, start = [], 0
    for token in tokens:
        parts.append(changed[start : start + len(token)])
        start += len(token) + len(gap)
    return parts if all(part.strip() for part in parts) else tokens
