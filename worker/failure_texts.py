"""What the engine's errors mean to a reader: what is wrong and what to mend, before the engine's own words.

The engine speaks English and knows no catalogue. Its words, which name tensors, files and rows, follow as the detail.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from worker.engine.contracts import ErrorCode

HEADLINES: Mapping[ErrorCode, str] = {
    "bad_spec": gettext_noop(
        "The engine does not take these settings; correct them and ask again. Details: %(detail)s"
    ),
    "bad_data": gettext_noop(
        "A row of the benchmark's data cannot be used. Correct the data file and register the benchmark again. "
        "Details: %(detail)s"
    ),
    "bad_gold": gettext_noop(
        "The right answers of the benchmark cannot be used. Correct the data file and register the benchmark again. "
        "Details: %(detail)s"
    ),
    "bad_predictions": gettext_noop(
        "The model did not give one proper answer to each question. Try again; if that does not help, save and publish "
        "its files anew. Details: %(detail)s"
    ),
    "bad_config": gettext_noop(
        "The model's config.json cannot be used. Save the model again with save_pretrained() and publish it. "
        "Details: %(detail)s"
    ),
    "custom_code": gettext_noop(
        "The model asks for code of its own, which is never run here. Publish it with an architecture that is built "
        "into transformers. Details: %(detail)s"
    ),
    "unsupported_architecture": gettext_noop(
        "This architecture cannot be evaluated on this task here. Publish a model of a supported architecture whose "
        "head fits the task. Details: %(detail)s"
    ),
    "missing_tokenizer": gettext_noop(
        "The tokenizer is missing. Publish tokenizer.json beside the weights. Details: %(detail)s"
    ),
    "tokenizer_unreadable": gettext_noop(
        "The tokenizer cannot be read. Save it again with save_pretrained() and publish it. Details: %(detail)s"
    ),
    "tokenizer_mismatch": gettext_noop(
        "The tokenizer does not fit the model. Publish the one that the model was trained with. Details: %(detail)s"
    ),
    "missing_preprocessor": gettext_noop(
        "What makes images ready for the model is missing. Publish preprocessor_config.json, which save_pretrained() "
        "of the image processor writes. Details: %(detail)s"
    ),
    "bad_preprocessor": gettext_noop(
        "The model's preprocessor_config.json cannot be used. Save the image processor again with save_pretrained() "
        "and publish it. Details: %(detail)s"
    ),
    "missing_weights": gettext_noop(
        "The weights are missing. Publish model.safetensors, which save_pretrained() writes. Details: %(detail)s"
    ),
    "unsafe_weights": gettext_noop(
        "The weights are only there in a format that can run code, so they are not loaded. Publish them as "
        "model.safetensors. Details: %(detail)s"
    ),
    "weights_unreadable": gettext_noop(
        "The weights cannot be read. Save them again with save_pretrained() and publish them. Details: %(detail)s"
    ),
    "weights_incomplete": gettext_noop(
        "Some weights are missing. Publish the whole fine-tuned model, its head included. Details: %(detail)s"
    ),
    "label_mismatch": gettext_noop(
        "The labels of the model and of the benchmark do not correspond. Name the benchmark's labels in id2label of "
        "config.json, or map them in eval.yaml. Details: %(detail)s"
    ),
    "inference_failed": gettext_noop(
        "The model failed while it answered. Check that the published files run on your own machine. "
        "Details: %(detail)s"
    ),
    "non_finite_scores": gettext_noop(
        "The model answers with something that is not a number. Its weights are damaged or its training went wrong: "
        "publish sound ones. Details: %(detail)s"
    ),
    "out_of_memory": gettext_noop(
        "The model needs more memory than a job may have. Publish a smaller one. Details: %(detail)s"
    ),
    "device_unavailable": gettext_noop(
        "The worker lacks the device that the job asks for. Start a worker that has it, or ask for another device. "
        "Details: %(detail)s"
    ),
    "training_failed": gettext_noop(
        "The training failed. Check the data or lower the learning rate, then start again. Details: %(detail)s"
    ),
    "export_failed": gettext_noop(
        "The model cannot be written in this format, or answers differently there. Choose another format or precision. "
        "Details: %(detail)s"
    ),
    "bad_card": gettext_noop(
        "The card cannot be used. Correct the YAML block on top of README.md. Details: %(detail)s"
    ),
    "download_failed": gettext_noop(
        "A file could not be downloaded. Check the address and the access token, then try again. Details: %(detail)s"
    ),
}

# The same of a run that makes a model: its data are no benchmark, and its base need not be evaluated.
RUN_HEADLINES: Mapping[ErrorCode, str] = {
    "bad_data": gettext_noop(
        "The data cannot be used as it is. Correct the file, or choose other columns. Details: %(detail)s"
    ),
    "bad_gold": gettext_noop("The answers in the data cannot be used. Correct the file. Details: %(detail)s"),
    "unsupported_architecture": gettext_noop(
        "A model of this architecture cannot learn this task here. Begin from another one. Details: %(detail)s"
    ),
    "label_mismatch": gettext_noop(
        "The labels of the model and of the data do not correspond. Name the labels in the form. Details: %(detail)s"
    ),
    "out_of_memory": gettext_noop(
        "Training needs more memory than a job may have. Take a smaller model or batch, or let it compute activations "
        "twice. Details: %(detail)s"
    ),
}
RUN_KINDS = frozenset({"finetune", "compress", "explain", "export", "publish_run", "search"})


def headline(code: ErrorCode, kind: str) -> str:
    """Return what an error of the engine means to the reader of a job of this kind."""
    return RUN_HEADLINES.get(code, HEADLINES[code]) if kind in RUN_KINDS else HEADLINES[code]
