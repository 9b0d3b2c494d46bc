"""Why a model gave an answer: a job weighs the words of one question, its owner sees them coloured."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import adapters, browsing
from models_hub.adapters import Base
from models_hub.adapting import allowance, bases, registry
from models_hub.git.objects import TreeItem
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.permissions import require_download
from portal.errors import InvalidInput, SignInRequired
from portal.models import Asker, Job, User

JOB = "explain"
METHODS = ("gradients", "occlusion")
MAX_TEXT = 4000
# Heads whose answers can be explained, and the fields of a question for each.
FIELDS = {
    "ForSequenceClassification": ("text", "text2"),
    "ForQuestionAnswering": ("question", "context"),
    "ForTokenClassification": ("tokens",),
}
# The same heads as adapters name them: by the task that ours were trained for, or as `peft` calls its kind.
HEADS = {
    **dict.fromkeys(
        ("text-classification", "text-pair-classification", "multi-label-classification", "text-regression", "SEQ_CLS"),
        "ForSequenceClassification",
    ),
    **dict.fromkeys(("question-answering", "QUESTION_ANS"), "ForQuestionAnswering"),
    **dict.fromkeys(("token-classification", "TOKEN_CLS"), "ForTokenClassification"),
}
MAX_WORDS = 200
# Where no space stands between words, each character is one, as in the sets that models of tags learn from.
_CHARACTER = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_LETTER = rf"(?:(?!{_CHARACTER})\w)"
_WORD = re.compile(rf"{_CHARACTER}|{_LETTER}+(?:['’-]{_LETTER}+)*|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A part of a text: a word with its weight from -1 to 1, or what lies between two words."""

    text: str
    weight: float | None = None
    share: float = 0.0  # of the strongest word, 0 to 1


@dataclass(frozen=True, kw_only=True)
class Explainable:
    """A model whose answers can be explained: the fields of a question, and what an adapter is put on."""

    commit: Commit
    fields: tuple[str, ...]
    base: Base | None = None


def explainable(repo: Repo, reader: Asker) -> Explainable:
    """Return what is asked of a model; raises InvalidInput for one whose answers cannot be explained."""
    commit = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    items = browsing.items_below(repo, commit)
    if not adapters.is_adapter(items):
        bases.require_weights(repo, commit, needs_tokenizer=True)
        return Explainable(commit=commit, fields=_fields(bases.config_of(repo, commit)))
    found = {entry.path: entry for entry in browsing.entries(repo, _told(items))}
    config = adapters.read(repo, found[adapters.CONFIG])
    purpose = adapters.read(repo, found[adapters.PURPOSE]) if adapters.PURPOSE in found else {}
    base = adapters.base_of(repo, config, reader)
    bases.require_weights(base.repo, base.commit, needs_tokenizer=not bases.TOKENIZERS & set(items))
    whole = bases.config_of(base.repo, base.commit)
    if named := purpose.get("task") or config.get("task_type"):
        whole = whole | {"architectures": [HEADS.get(str(named), "")]}
    return Explainable(commit=commit, fields=_fields(whole), base=base)


def _told(items: dict[str, TreeItem]) -> dict[str, TreeItem]:
    """Return the files that say what an adapter is."""
    return {path: items[path] for path in (adapters.CONFIG, adapters.PURPOSE) if path in items}


def _fields(config: dict[str, Any]) -> tuple[str, ...]:
    names = bases.heads_of(config)
    for head, fields in FIELDS.items():
        if any(name.endswith(head) for name in names) and registry.family(str(config.get("model_type"))) == "encoder":
            return fields
    raise InvalidInput(
        _("Answers are explained of models that classify texts, tag words, or find answers in a passage."),
        code="unsupported_architecture",
    )


def ask(
    repo: Repo,
    values: dict[str, str],
    *,
    by: Asker,
    method: str = METHODS[0],
    target: str = "",
    word: int | None = None,
) -> Job:
    """Ask for an explanation; raises SignInRequired, NotAllowed, InvalidInput or QuotaExceeded.

    Of a model that tags words `word` is the number of the one whose tag is explained, from 0.
    """
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to go on."))
    require_download(by, repo)
    asked = explainable(repo, by)
    fields = asked.fields
    question: dict[str, Any] = {name: values[name].strip() for name in fields if values.get(name, "").strip()}
    needed = fields if "context" in fields else fields[:1]
    if not set(needed) <= set(question):
        raise InvalidInput(_("Write a text first."))
    if sum(map(len, question.values())) > MAX_TEXT:
        raise InvalidInput(_("At most %(max)d characters can be explained at once.") % {"max": MAX_TEXT})
    if "tokens" in question:
        question["tokens"] = words_of(question["tokens"], word)
    if method not in METHODS:
        raise InvalidInput(
            _("%(name)s: must be one of: %(choices)s") % {"name": "method", "choices": ", ".join(METHODS)}
        )
    with transaction.atomic():
        allowance.require(by, 0)
        return Job.enqueue(
            JOB,
            spec={
                "repo": repo.pk, "commit": asked.commit.oid, "question": question, "method": method,
                "target": target[:200], "word": word, "reads": [repo.pk, *([asked.base.repo.pk] if asked.base else [])],
                **({"base": asked.base.repo.pk, "base_commit": asked.base.commit.oid} if asked.base else {}),
            },
            owner=by,
            title=repo.full_name,
        )  # fmt: skip


def words_of(text: str, word: int | None = None) -> list[str]:
    """Return the words of a text as sets of tagged words have them; raises InvalidInput."""
    words = _WORD.findall(text)
    if not words or len(words) > MAX_WORDS:
        raise InvalidInput(_("A text of 1 to %(max)d words can be explained.") % {"max": MAX_WORDS})
    if word is not None and not 0 <= word < len(words):
        raise InvalidInput(_("The text has no word %(number)d.") % {"number": word + 1})
    return words


@dataclass(frozen=True)
class Tagged:
    """A word with the tag that the model gives it, and whether that tag is explained."""

    number: int
    word: str
    tag: str
    probability: float
    is_explained: bool


def tags_of(found: dict[str, Any], words: Any) -> list[Tagged]:
    """Return the words that the model read with their tags; what a child wrote is not believed."""
    listed = found.get("tags")
    if not isinstance(listed, list) or not isinstance(words, list):
        return []
    return [
        Tagged(
            one["number"],
            str(words[one["number"]]),
            one["label"],
            one["probability"],
            one["number"] == found.get("word"),
        )
        for one in listed
        if isinstance(one, dict)
        and type(one.get("number")) is int
        and 0 <= one["number"] < len(words)
        and isinstance(one.get("label"), str)
        and isinstance(one.get("probability"), int | float)
    ]


def pieces_of(found: dict[str, Any]) -> list[tuple[str, list[Piece]]]:
    """Return each text of the question in pieces, words with their weights; what a child wrote is not believed."""
    texts, listed = found.get("texts"), found.get("words")
    if not isinstance(texts, dict) or not isinstance(listed, list):
        return []
    words = [word for word in listed if _is_word(word)]
    strongest = max((abs(word["weight"]) for word in words), default=0.0) or 1.0
    shown = []
    for field, text in texts.items():
        if not isinstance(text, str):
            continue
        pieces, at = [], 0
        for word in sorted((one for one in words if one["field"] == field), key=lambda one: one["start"]):
            if not at <= word["start"] < word["end"] <= len(text):
                continue
            pieces.append(Piece(text[at : word["start"]]))
            share = abs(word["weight"]) / strongest
            pieces.append(Piece(text[word["start"] : word["end"]], word["weight"], round(share, 3)))
            at = word["end"]
        shown.append((str(field), [*pieces, Piece(text[at:])]))
    return shown


def _is_word(word: Any) -> bool:
    return (
        isinstance(word, dict)
        and isinstance(word.get("field"), str)
        and all(type(word.get(name)) is int for name in ("start", "end"))
        and isinstance(word.get("weight"), int | float)
    )
