"""A model folder to GGUF files for llama.cpp, each one read again and compared."""

import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from worker.engine.answering import greedy
from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.folder import ModelFolder, read_bounded
from worker.engine.load import LoadedModel
from worker.engine.progress import Progress
from worker.engine.provenance import versions
from worker.engine.tokenizing import SETTINGS_LIMIT
from worker.engine.tuning.contracts import MODEL_DIR
from worker.engine.tuning.exporting import gguf_writing
from worker.engine.tuning.exporting.checking import PROMPTS, WRITTEN
from worker.engine.tuning.exporting.contracts import ExportSpec
from worker.engine.tuning.exporting.gguf_tokens import vocabulary_of
from worker.engine.tuning.exporting.gguf_writing import Layout
from worker.engine.tuning.exporting.kinds import load_subject
from worker.engine.tuning.exporting.published import facts_of, write_json

MANIFEST = "gguf.json"
ROWS, TOKENS = 4, 32


def export_gguf(spec: ExportSpec, progress: Progress) -> dict[str, Any]:
    """Write model/model-F16.gguf and the like, and return the manifest."""
    progress.report(0.0, "loading the model", always=True)
    kind, model = load_subject(spec.model_dir)
    if kind.name != "text-generation":
        raise EngineError(
            "unsupported_architecture", "GGUF files are written of models that predict the next token; use onnx."
        )
    layout = Layout(model)
    vocabulary = vocabulary_of(model) if layout.architecture else None
    assert vocabulary is not None
    gguf_writing.check_config(layout)
    tensors = layout.tensors()
    out = Path(spec.out_dir, MODEL_DIR)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    template = _template(ModelFolder(spec.model_dir))
    check = Check(model, spec.seed)
    files: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for place, precision in enumerate(spec.wanted):
        progress.report(0.1 + 0.9 * place / len(spec.wanted), f"writing {precision}", always=True)
        path = out / f"model-{precision.upper()}.gguf"
        try:
            gguf_writing.write(layout, vocabulary, tensors, path, precision, template)
            found = check.compare(gguf_writing.read_back(layout, tensors, path))
        except EngineError as error:
            path.unlink(missing_ok=True)
            refused[precision] = error.message
            continue
        if precision == "f32" and not found["same_tokens"]:
            raise EngineError("export_failed", "The file answers differently from the model.")
        files[path.name] = {"precision": precision, **facts_of(path), "check": found}
    if not files:
        raise EngineError("export_failed", "; ".join(refused.values()))
    manifest = {
        "format": "gguf",
        "task": kind.name,
        "model_type": model.config.config.model_type,
        "architecture": model.config.model_class.__name__,
        "pre_tokenizer": vocabulary.pre,
        "versions": versions() | {"gguf": metadata.version("gguf")},
        "seed": spec.seed,
        "files": files,
        "refused": refused,
        "notes": [],
    }
    write_json(out / MANIFEST, manifest)
    progress.report(1.0, "done", always=True)
    return manifest


class Check:
    """What a model says, to compare with what it says once its numbers went through a file."""

    def __init__(self, model: LoadedModel, seed: int) -> None:
        self._model = model
        draw = torch.Generator().manual_seed(seed)
        tokens = min(TOKENS, model.config.position_limit)
        self._ids = torch.randint(0, model.vocab_size, (ROWS, tokens), generator=draw)
        self._logits, self._written = self._said()

    def compare(self, tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Put these tensors into the model, ask it the same, and put its own back."""
        own = {name: tensor.clone() for name, tensor in self._model.model.state_dict().items()}
        # Tied weights are in the model twice and in the file once; strict would ask for both.
        self._model.model.load_state_dict(tensors, strict=False)
        try:
            logits, written = self._said()
        finally:
            self._model.model.load_state_dict(own)
        difference = float((logits - self._logits).abs().max())
        return {
            "max_abs_difference": difference,
            "max_relative_difference": difference / max(float(self._logits.abs().max()), 1e-12),
            "same_winner": float((logits.argmax(-1) == self._logits.argmax(-1)).float().mean()),
            "same_tokens": written == self._written,
        }

    def _said(self) -> tuple[torch.Tensor, Any]:
        model = self._model
        prompts = [[token % model.vocab_size for token in prompt] for prompt in PROMPTS]
        with torch.inference_mode():
            logits = model.model(input_ids=self._ids).logits
            decoder = greedy.Decoder(model.model, prompts, filler=model.pad_id or 0)
            written = greedy.write(decoder, len(prompts), most=WRITTEN, ends=frozenset(), stops=lambda ids: False)
        return logits, written


def _template(folder: ModelFolder) -> str | None:
    """Return the author's chat template, which llama.cpp reads from the file."""
    if path := folder.find("chat_template.jinja", code="tokenizer_unreadable"):
        return read_bounded(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable")
    path = folder.find("tokenizer_config.json", code="tokenizer_unreadable")
    stated = (
        read_json_object(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable").get("chat_template") if path else None
    )
    return stated if isinstance(stated, str) else None
