"""What the page of a repository says of it: what was counted beside what its card declares, and where they differ."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models_hub import card_fields, cards, describing, licences, lineage
from models_hub.card_fields import Metric
from models_hub.lineage import Relative
from models_hub.models import Repo
from portal.models import Asker

# Bits of one parameter in the precisions that programs load weights in.
PRECISIONS = {"fp32": 32, "fp16": 16, "int8": 8, "4-bit": 4}
BITS_OF_A_BYTE = 8
MAX_METRICS = 10
NEAR = 1.5  # “7B” is said of 6.7 and of 7.6 billion
_UNITS = {"k": 10**3, "m": 10**6, "b": 10**9}
_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d{1,4}(?:\.\d{1,3})?)([kmb])(?![a-z0-9])", re.IGNORECASE)
_IN_TEXT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s?(k|m|b|million|billion)[ -](?:parameters?|params?)\b", re.IGNORECASE)
_IN_CARD = ("parameters", "num_parameters", "params", "model_size")


class Memory(NamedTuple):
    """What the weights take in one precision."""

    precision: str
    bits: int
    bytes: int


class Share(NamedTuple):
    """One dtype of the tensors, with its part of all elements in per cent."""

    dtype: str
    elements: int
    percent: float


class Claim(NamedTuple):
    """A number that somebody wrote, where, and whether the files bear it out."""

    value: int
    text: str
    place: str
    differs: bool


@dataclass(frozen=True)
class Facts:
    """Counted and declared facts of a repository, for its page."""

    shares: list[Share] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    parameters_claim: Claim | None = None
    context_claim: Claim | None = None
    adapter_base: str = ""
    parents: list[Relative] = field(default_factory=list)
    children: dict[str, int] = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)
    size_categories: list[str] = field(default_factory=list)
    training: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    license_name: str = ""
    license_link: str = ""


def facts_of(repo: Repo, user: Asker) -> Facts:
    """Return what the page lists beyond the repository's own columns; asks for its relatives."""
    card = repo.card
    values = card_fields.values_of(repo.kind, card)
    return Facts(
        shares=_shares(repo.dtypes),
        memory=_memory(repo),
        parameters_claim=_parameters_claim(repo),
        context_claim=_context_claim(repo),
        adapter_base=_adapter_base(repo),
        parents=lineage.parents(repo, user) if repo.is_model else [],
        children=lineage.count_children(repo, user) if repo.is_model else {},
        datasets=cards.texts(card.get("datasets") or [], 10, card_fields.MAX_NAME),
        size_categories=cards.texts(card.get("size_categories") or [], 10),
        training={name: values[name] for name in card_fields.TRAINING if values.get(name)},
        metrics=card_fields.metrics_of(card)[:MAX_METRICS] if repo.is_model else [],
        license_name=_license_name(repo, values),
        license_link=_link(repo, values.get("license_link", "")),
    )


def _shares(dtypes: dict[str, int]) -> list[Share]:
    whole = sum(dtypes.values())
    rows = sorted(dtypes.items(), key=lambda row: -row[1])
    return [Share(dtype, elements, 100 * elements / whole) for dtype, elements in rows if whole]


def _memory(repo: Repo) -> list[Memory]:
    if repo.parameters is None or repo.counted.get("adapter"):
        return []
    return [Memory(name, bits, repo.parameters * bits // BITS_OF_A_BYTE) for name, bits in PRECISIONS.items()]


def _parameters_claim(repo: Repo) -> Claim | None:
    """Return how many parameters the card or the name claims, where something can be held against it."""
    if repo.parameters is None or repo.counted.get("adapter"):
        return None
    for value, text, place in _claimed(repo):
        return Claim(value, text, place, not 1 / NEAR < value / max(repo.parameters, 1) < NEAR)
    return None


def _claimed(repo: Repo) -> list[tuple[int, str, str]]:
    """Return the numbers of parameters that are claimed, the plainest claim first."""
    found = []
    for name in _IN_CARD:
        told = cards.first_text(repo.card.get(name) or "")
        match = _IN_NAME.fullmatch(told.strip())
        value = _value(match) if match else int(told) if told.isdecimal() and len(told) < 16 else 0
        found += [(value, told, "card")] if value else []
    match = _IN_TEXT.search(repo.description)
    found += [(_value(match), f"{match[1]}{match[2][0].upper()}", "text")] if match else []
    match = _IN_NAME.search(repo.name.replace("_", "-"))
    found += [(_value(match), match[0].upper(), "name")] if match else []
    return [one for one in found if one[0]]


def _value(match: re.Match[str]) -> int:
    return round(float(match[1]) * _UNITS[match[2][0].lower()])


def _context_claim(repo: Repo) -> Claim | None:
    told = cards.first_text(repo.card.get("context_length") or "")
    if not (told.isdecimal() and len(told) < 13 and repo.context_length):
        return None
    return Claim(int(told), told, "card", int(told) != repo.context_length)


def _adapter_base(repo: Repo) -> str:
    """Return the base model of an adapter's config where the card names others and not this one."""
    base = repo.config.get("peft", {}).get("base_model_name_or_path", "")
    return base if base and base not in describing.base_models(repo.card, repo.config) else ""


def _license_name(repo: Repo, values: dict[str, Any]) -> str:
    known = licences.LICENCES.get(repo.license.lower())
    named = str(values.get("license_name", ""))
    return named or (known.name if known and known.kind != licences.OTHER else repo.license)


def _link(repo: Repo, address: str) -> str:
    """Return where the licence can be read: an address on the web, or a file of the repository."""
    if address.startswith(("https://", "http://")):
        return address
    is_path = address and not address.startswith("/") and ":" not in address and ".." not in address
    return f"{repo.path}/blob/main/{address}" if is_path else ""
