"""What a repository says of itself: its card, its config.json and its file names, as lists and clients show them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from models_hub import browsing, cards, counting, licences
from models_hub.browsing import Entry
from models_hub.counting import Counts
from models_hub.models import Label, Repo
from models_hub.searching import indexing

MAX_LABELS = 200
MAX_LABEL = 200
MAX_REPO_NAME = 193
RULES = 5  # raised when the same files would be described otherwise
# What `note` sets.
COLUMNS = (
    "size", "task", "library", "license", "license_class", "languages", "tags", "card", "config", "description",
    "citation", "has_card", "described_with", *(one.name for one in fields(Counts)),
)  # fmt: skip
QUESTIONS = "extra_gated_fields"
_REPO_NAME = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)
# The last part of an architecture's name tells its task; longest first, since one may end in another.
TASKS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForConditionalGeneration": "text2text-generation",
    "ForQuestionAnswering": "question-answering",
    "ForMultipleChoice": "multiple-choice",
    "ForCausalLM": "text-generation",
    "ForMaskedLM": "fill-mask",
    "LMHeadModel": "text-generation",
    "Model": "feature-extraction",
}
# Fields of a data set's card whose values are labels with the field's name in front.
DATASET_FIELDS = (
    "task_categories", "task_ids", "annotations_creators", "language_creators", "multilinguality",
    "source_datasets", "language", "license", "size_categories",
)  # fmt: skip
OWN_LABELS = ("precision:",)
RELATIONS = ("finetune", "adapter", "quantized", "merge")
SPACE_LINKS = ("models", "datasets")


@dataclass(frozen=True)
class Description:
    """What lists, search and clients show of one revision."""

    card: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    task: str = ""
    library: str = ""
    license: str = ""
    languages: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    size: int = 0
    description: str = ""
    citation: str = ""
    has_card: bool = False
    text: str = ""  # of the card, without its metadata; only where it was read

    @property
    def hub_labels(self) -> list[str]:
        """The labels that the Hub has too: clients are given no others."""
        return [label for label in self.labels if not label.startswith(OWN_LABELS)]

    @property
    def dtypes(self) -> dict[str, int]:
        return self.counts.dtypes


def describe(repo: Repo, listed: Iterable[Entry]) -> Description:
    """Describe the revision whose files are `listed`: reads README.md and the two config files, nothing else."""
    files = {entry.path: entry for entry in listed if not entry.is_folder}
    card, text = _read_card(repo, files.get("README.md"))
    config = _read_configs(repo, files) if repo.is_model else {}
    counts = counting.count(repo, files) if repo.is_model else Counts()
    task = cards.first_text(card.get("pipeline_tag") or card.get("task_categories") or "") or _task(config, files)
    library = _library(cards.first_text(card.get("library_name") or ""), config, files)
    return Description(
        card=card,
        config=config,
        task=task,
        library=library,
        license=cards.first_text(card.get("license") or ""),
        languages=cards.texts(card.get("language") or []),
        tags=cards.texts(card.get("tags") or []),
        labels=_labels(repo, card, config, counts, task, library, cards.papers(text)),
        counts=counts,
        size=sum(entry.size for entry in files.values()),
        description=cards.first_paragraph(text),
        citation=cards.first_citation(text),
        has_card=bool(text.strip()),
        text=text,
    )


def describe_head(repo: Repo) -> Description:
    """Return what was noted of the head of the default branch when it was published; reads no file."""
    return Description(
        card=shown_card(repo.card),
        config=repo.config,
        task=repo.task,
        library=repo.library,
        license=repo.license,
        languages=repo.languages,
        tags=repo.tags,
        labels=[label.text for label in repo.labels.all()],
        counts=Counts(**{one.name: getattr(repo, one.name) for one in fields(Counts)}),
        size=repo.size,
        description=repo.description,
        citation=repo.citation,
        has_card=repo.has_card,
    )


def kept_card(card: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a card as its column keeps it: a database may sort keys, and questions have an order."""
    questions = card.get(QUESTIONS)
    return card | {QUESTIONS: [list(pair) for pair in questions.items()]} if isinstance(questions, dict) else card


def shown_card(card: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata as the card has it."""
    return card | {QUESTIONS: dict(questions_of(card))} if isinstance(card.get(QUESTIONS), list) else card


def questions_of(card: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what a card asks of who wants access, in its order; older rows keep it as an object."""
    kept = card.get(QUESTIONS)
    if isinstance(kept, dict):
        return [(str(name), value) for name, value in kept.items()]
    pairs = kept if isinstance(kept, list) else []
    return [(str(pair[0]), pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2]


def note(repo: Repo, description: Description) -> None:
    """Set the repository's columns and labels; the caller saves the row."""
    repo.card, repo.config = kept_card(description.card), description.config
    repo.task, repo.library, repo.license = description.task, description.library, description.license
    repo.languages, repo.tags = description.languages, description.tags
    repo.size, repo.has_card = description.size, description.has_card
    repo.description, repo.citation = description.description, description.citation
    repo.license_class = licences.class_of(description.license)
    repo.described_with = RULES
    for one in fields(Counts):
        setattr(repo, one.name, getattr(description.counts, one.name))
    if description.labels != list(repo.labels.values_list("text", flat=True)):
        repo.labels.all().delete()
        Label.objects.bulk_create(Label(repo=repo, text=text) for text in description.labels)
    indexing.note(repo, description.text)


def _read_card(repo: Repo, entry: Entry | None) -> tuple[dict[str, Any], str]:
    """Return the metadata of a card and the text below it."""
    if entry is None or entry.blob is not None:
        return {}, ""
    content = browsing.read(repo, entry, entry.size).decode("utf-8", "replace")
    try:
        return cards.read_metadata(content), cards.split_card(content)[1]
    except cards.CardRefused:  # the check of an older day let it in
        return {}, ""


def _read_configs(repo: Repo, files: dict[str, Entry]) -> dict[str, Any]:
    """Return `architectures` and `model_type` of config.json and the base model of adapter_config.json."""
    config, found = _read_json(repo, files.get("config.json")), dict[str, Any]()
    if isinstance(config.get("architectures"), list):
        found["architectures"] = _plain(cards.texts(config["architectures"], 5))
    if isinstance(config.get("model_type"), str):
        found["model_type"] = next(iter(_plain([config["model_type"][:80]])), "")
    base = _read_json(repo, files.get("adapter_config.json")).get("base_model_name_or_path")
    # Trained on a folder of somebody's disk, it names a path; that is no repository.
    if isinstance(base, str) and _REPO_NAME.fullmatch(base):
        found["peft"] = {"base_model_name_or_path": base}
    return {key: value for key, value in found.items() if value}


def _read_json(repo: Repo, entry: Entry | None) -> dict[str, Any]:
    """Return the object in a JSON file, {} when it holds none."""
    content = counting.read_json(repo, entry)
    return content if isinstance(content, dict) else {}


def _plain(texts: list[str]) -> list[str]:
    """Leave out what a database or a page could not hold."""
    return [text for text in texts if text.isprintable()]


def _task(config: dict[str, Any], files: dict[str, Entry]) -> str:
    if "modules.json" in files:
        return "sentence-similarity"
    architecture = next(iter(config.get("architectures", [])), "")
    return next((task for ending, task in TASKS.items() if architecture.endswith(ending)), "")


def _library(told: str, config: dict[str, Any], files: dict[str, Entry]) -> str:
    # The card that push_to_hub writes for an adapter says “transformers”, which cannot load it without peft.
    if "adapter_config.json" in files and "config.json" not in files and told in {"", "transformers"}:
        return "peft"
    if told or "modules.json" in files:
        return told or "sentence-transformers"
    return "transformers" if config else ""


def base_models(card: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Return the models that this one was made from: by its card, else by the config of its adapter."""
    told = card.get("base_model") or config.get("peft", {}).get("base_model_name_or_path") or []
    return list(dict.fromkeys(cards.texts(told, length=MAX_REPO_NAME)))


def relation(card: dict[str, Any], counts: Counts, bases: list[str]) -> str:
    """Return what was done to the base models: what the card says, else what the files show, as the Hub does it."""
    told = cards.first_text(card.get("base_model_relation") or "")
    if told in RELATIONS:
        return told
    if counts.counted.get("adapter"):
        return "adapter"
    if len(bases) > 1:
        return "merge"
    return "quantized" if counts.formats == ["gguf"] or counts.counted.get("quantization") else "finetune"


def _labels(
    repo: Repo,
    card: dict[str, Any],
    config: dict[str, Any],
    counts: Counts,
    task: str,
    library: str,
    papers: list[str],
) -> list[str]:
    """Return the words that the Hub calls tags, in its order, without repetition."""
    if repo.is_model:
        found = [library, *counts.formats, str(config.get("model_type", "")), task]
        found += cards.texts(card.get("tags") or [])
        found += cards.texts(card.get("language") or [])
        found += [f"dataset:{name}" for name in cards.texts(card.get("datasets") or [])]
        bases = base_models(card, config)
        found += [f"base_model:{name}" for name in bases]
        kind = relation(card, counts, bases)
        found += [f"base_model:{kind}:{name}" for name in bases]
        found += [f"license:{name}" for name in cards.texts(card.get("license") or [])]
        found += [f"precision:{name}" for name in counts.precisions]
    elif repo.is_space:
        found = [cards.first_text(card.get("sdk") or ""), *cards.texts(card.get("tags") or [])]
        found += [f"{name}:{value}" for name in SPACE_LINKS for value in cards.texts(card.get(name) or [])]
    else:
        found = [f"{name}:{value}" for name in DATASET_FIELDS for value in cards.texts(card.get(name) or [])]
        found += cards.texts(card.get("tags") or [])
    found += [f"arxiv:{paper}" for paper in papers]
    return [label for label in dict.fromkeys(found) if label and len(label) <= MAX_LABEL][:MAX_LABELS]
