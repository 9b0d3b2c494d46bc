"""How to use a repository from one's own tools: commands and code that work when pasted."""

import json
import re
from dataclasses import dataclass
from urllib.parse import quote

from models_hub.models import Repo
from models_hub.task_names import TASKS

# Tasks that transformers' pipeline() takes with one text.
PIPELINE_TASKS = {
    "text-classification", "token-classification", "fill-mask", "text-generation", "feature-extraction",
}  # fmt: skip
AUTO_CLASSES = {
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ForMultipleChoice": "AutoModelForMultipleChoice",
    "ForConditionalGeneration": "AutoModelForSeq2SeqLM",
    "ForMaskedLM": "AutoModelForMaskedLM",
    "ForCausalLM": "AutoModelForCausalLM",
    "LMHeadModel": "AutoModelForCausalLM",
}
_PLAIN_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Snippet:
    """One way to use a repository. `key` is good for an element's id."""

    key: str
    label: str
    code: str


def snippets(repo: Repo, *, site: str, example_file: str) -> list[Snippet]:
    """Return what fits the repository, the most helpful first; `site` is this portal's address."""
    found = [_transformers(repo, site), _from_pretrained(repo, site)] if _loads_in_transformers(repo) else []
    if repo.library == "sentence-transformers":
        found = [_sentence_transformers(repo, site)]
    if repo.kind == Repo.Kind.DATASET:
        found = [_datasets(repo, site)]
    return [*found, _download(repo, site), _curl(repo, site, example_file)]


def _loads_in_transformers(repo: Repo) -> bool:
    return repo.is_model and repo.library in {"", "transformers"} and bool(repo.config)


def _endpoint(site: str) -> str:
    return f'import os\n\n# before the next import\nos.environ["HF_ENDPOINT"] = "{site}"\n\n'


def _transformers(repo: Repo, site: str) -> Snippet:
    task = repo.task if repo.task in PIPELINE_TASKS else ""
    text = json.dumps(TASKS[task].example if task else "Hello!", ensure_ascii=False)
    argument = f'    "{task}",\n' if task else ""
    code = (
        "from transformers import pipeline\n\n"
        f'model = pipeline(\n{argument}    model="{repo.full_name}",\n)\nprint(model({text}))'
    )
    return Snippet("pipeline", "pipeline", _endpoint(site) + code)


def _from_pretrained(repo: Repo, site: str) -> Snippet:
    architecture = next(iter(repo.config.get("architectures", [])), "")
    head = next((name for ending, name in AUTO_CLASSES.items() if architecture.endswith(ending)), "AutoModel")
    code = (
        f"from transformers import (\n    {head},\n    AutoTokenizer,\n)\n\n"
        f'name = "{repo.full_name}"\n'
        f"tokenizer = AutoTokenizer.from_pretrained(name)\nmodel = {head}.from_pretrained(name)"
    )
    return Snippet("from-pretrained", "from_pretrained", _endpoint(site) + code)


def _sentence_transformers(repo: Repo, site: str) -> Snippet:
    code = (
        "from sentence_transformers import SentenceTransformer\n\n"
        f'model = SentenceTransformer("{repo.full_name}")\n'
        'print(model.encode(["A sentence to embed."]).shape)'
    )
    return Snippet("sentence-transformers", "sentence-transformers", _endpoint(site) + code)


def _datasets(repo: Repo, site: str) -> Snippet:
    code = f'from datasets import load_dataset\n\ndata = load_dataset("{repo.full_name}")\nprint(data)'
    return Snippet("datasets", "datasets", _endpoint(site) + code)


def _download(repo: Repo, site: str) -> Snippet:
    kind = "" if repo.is_model else f" --repo-type {repo.kind}"
    login = "hf auth login\n" if repo.private or repo.gated else ""
    code = f"export HF_ENDPOINT={site}\n{login}hf download {repo.full_name}{kind} --local-dir {repo.name}"
    return Snippet("hf", "hf", code)


def _curl(repo: Repo, site: str, example_file: str) -> Snippet:
    header = ' -H "Authorization: Bearer $HF_TOKEN"' if repo.private or repo.gated else ""
    name = example_file.rsplit("/", 1)[-1]
    target = f"-o {name}" if _PLAIN_NAME.fullmatch(name) and not name.startswith("-") else "-O"
    code = f"curl -L{header} {target} \\\n  {site}{repo.path}/resolve/main/{quote(example_file)}"
    return Snippet("curl", "curl", code)
