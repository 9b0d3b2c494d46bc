"""What sort of model lies in a folder, by the head that its config.json declares."""

from dataclasses import dataclass

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel, load_model
from worker.engine.model_config import CONFIG_LIMIT, DECODERS, ENCODERS, SEQ2SEQ
from worker.engine.tasks import TASKS
from worker.engine.tuning.methods.method import PURPOSE
from worker.engine.weights import INDEX, SINGLE

ADAPTER = "adapter_config.json"
# What is said there of the head, where nothing of ours says it.
HEADS_OF_PEFT = {
    "SEQ_CLS": ("ForSequenceClassification",),
    "TOKEN_CLS": ("ForTokenClassification",),
    "QUESTION_ANS": ("ForQuestionAnswering",),
}
# Adapters that are inputs of the model, not changes of its weights.
VIRTUAL = ("PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "MULTITASK_PROMPT_TUNING", "CPT")


@dataclass(frozen=True)
class Kind:
    """A sort of model under the name that `optimum` and `transformers.js` have for its task."""

    name: str
    heads: tuple[str, ...]
    per_token: bool = False  # its outputs say something of each token, padding included


KINDS = (
    Kind("text-classification", ("ForSequenceClassification",)),
    Kind("token-classification", ("ForTokenClassification",), per_token=True),
    Kind("question-answering", ("ForQuestionAnswering",), per_token=True),
    Kind("fill-mask", ("ForMaskedLM",), per_token=True),
    Kind("text-generation", ("ForCausalLM", "LMHeadModel"), per_token=True),
    Kind("feature-extraction", ("Model",), per_token=True),
)


def load_subject(model_dir: str) -> tuple[Kind, LoadedModel]:
    """Return what is exported, with its kind."""
    folder = ModelFolder(model_dir)
    refuse_adapters(folder)
    kind = kind_of(folder)
    return kind, load_model(model_dir, heads=kind.heads, device="cpu")


def kind_of(folder: ModelFolder) -> Kind:
    """Return the kind whose head config.json declares."""
    path = folder.need("config.json", code="bad_config", why="it says which architecture the weights are for")
    raw = read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")
    if raw.get("model_type") in SEQ2SEQ:
        raise EngineError(
            "unsupported_architecture",
            "Models with an encoder and a decoder are not exported: each needs two graphs that no check here covers.",
        )
    if folder.find("modules.json", code="bad_config") is not None:
        return KINDS[-1]
    declared = raw.get("architectures")
    name = str(declared[0]) if isinstance(declared, list) and declared else ""
    stem = str((ENCODERS | DECODERS).get(str(raw.get("model_type")), ""))
    for kind in KINDS:
        if any(name == stem + head for head in kind.heads) or (
            kind.name == "text-generation" and name == "Gemma3ForCausalLM"
        ):
            return kind
    known = ", ".join(head for kind in KINDS for head in kind.heads)
    raise EngineError(
        "unsupported_architecture",
        f"config.json declares {name[:60] or 'nothing'!r} as architecture; exported are models of texts whose class "
        f"ends in {known}.",
    )


def adapted_kind(folder: ModelFolder) -> Kind | None:
    """Return the kind that an adapter says it was trained for, None where it leaves that to its base."""
    told: dict[str, str] = {}
    for name, key in ((ADAPTER, "task_type"), (PURPOSE, "task")):
        path = folder.find(name, code="bad_config")
        if path is not None:
            told[key] = str(read_json_object(path, limit=CONFIG_LIMIT, code="bad_config").get(key))
    heads = TASKS[told["task"]].heads if told.get("task") in TASKS else HEADS_OF_PEFT.get(told.get("task_type", ""), ())
    return next((kind for kind in KINDS if set(kind.heads) & set(heads)), None)


def refuse_adapters(folder: ModelFolder) -> None:
    """Refuse a folder that holds an adapter alone, saying what to do about its kind."""
    path = folder.find(ADAPTER, code="bad_config")
    if path is None or any(folder.find(name, code="weights_unreadable") for name in (SINGLE, INDEX)):
        return
    kind = str(read_json_object(path, limit=CONFIG_LIMIT, code="bad_config").get("peft_type"))
    if kind in VIRTUAL:
        raise EngineError(
            "unsupported_architecture",
            f"This is an adapter of the kind {kind}: it puts vectors of its own before the text and cannot become part "
            "of the weights, so no other format can hold it. Train with lora or full to export the result.",
        )
    raise EngineError(
        "unsupported_architecture",
        "This folder holds an adapter without its base. Merge it into the base, then export the merged model.",
    )
