"""Snippets in Python: the libraries that load models and data sets."""

import json

from models_hub.models import Repo
from models_hub.snippets.contracts import Snippet, Subject
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


def loading(about: Subject) -> list[Snippet]:
    """Return how each library that fits loads the repository, and how all of it is had in Python."""
    repo, found = about.repo, list[Snippet]()
    if repo.kind == Repo.Kind.DATASET:
        found = [_datasets(about)]
    elif repo.library == "sentence-transformers":
        found = [_sentence_transformers(about)]
    elif repo.is_model and repo.library in {"", "transformers"} and repo.config:
        found = [_pipeline(about), _from_pretrained(about)]
    if repo.is_model and (path := about.with_ending(".onnx")):
        found.append(_onnxruntime(about, path))
    return [*found, _snapshot(about)]


def _endpoint(site: str) -> str:
    return f'import os\n\n# before the next import\nos.environ["HF_ENDPOINT"] = "{site}"\n\n'


def _pipeline(about: Subject) -> Snippet:
    repo = about.repo
    task = repo.task if repo.task in PIPELINE_TASKS else ""
    text = json.dumps(TASKS[task].example if task else "Hello!", ensure_ascii=False)
    argument = f'    "{task}",\n' if task else ""
    code = (
        "from transformers import pipeline\n\n"
        f'model = pipeline(\n{argument}    model="{repo.full_name}",\n)\nprint(model({text}))'
    )
    return Snippet("pipeline", "pipeline", _endpoint(about.site) + code, "pip install transformers torch")


def _from_pretrained(about: Subject) -> Snippet:
    repo = about.repo
    architecture = next(iter(repo.config.get("architectures", [])), "")
    head = next((name for ending, name in AUTO_CLASSES.items() if architecture.endswith(ending)), "AutoModel")
    code = (
        f"from transformers import (\n    {head},\n    AutoTokenizer,\n)\n\n"
        f'name = "{repo.full_name}"\n'
        f"tokenizer = AutoTokenizer.from_pretrained(name)\nmodel = {head}.from_pretrained(name)"
    )
    return Snippet("from-pretrained", "transformers", _endpoint(about.site) + code, "pip install transformers torch")


def _sentence_transformers(about: Subject) -> Snippet:
    code = (
        "from sentence_transformers import SentenceTransformer\n\n"
        f'model = SentenceTransformer("{about.repo.full_name}")\n'
        'print(model.encode(["A sentence to embed."]).shape)'
    )
    name = "sentence-transformers"
    return Snippet(name, name, _endpoint(about.site) + code, "pip install sentence-transformers")


def _datasets(about: Subject) -> Snippet:
    code = f'from datasets import load_dataset\n\ndata = load_dataset("{about.repo.full_name}")\nprint(data)'
    return Snippet("datasets", "datasets", _endpoint(about.site) + code, "pip install datasets")


def _onnxruntime(about: Subject, path: str) -> Snippet:
    code = (
        "import onnxruntime\nfrom huggingface_hub import hf_hub_download\n\n"
        f'path = hf_hub_download("{about.repo.full_name}", {json.dumps(path, ensure_ascii=False)})\n'
        "session = onnxruntime.InferenceSession(path)\n"
        "for value in session.get_inputs():\n    print(value.name, value.shape, value.type)"
    )
    needs = "pip install onnxruntime huggingface_hub"
    return Snippet("onnxruntime", "onnxruntime", _endpoint(about.site) + code, needs)


def _snapshot(about: Subject) -> Snippet:
    repo = about.repo
    kind = "" if repo.is_model else f', repo_type="{repo.kind}"'
    code = (
        "from huggingface_hub import snapshot_download\n\n"
        f'folder = snapshot_download("{repo.full_name}"{kind})\nprint(folder)'
    )
    return Snippet("python", "Python", _endpoint(about.site) + code, "pip install huggingface_hub")
