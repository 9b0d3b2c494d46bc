"""What readers call the metrics, and how their numbers are written."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.task_kinds import METRICS

NAMES: dict[str, str | Promise] = {
    "accuracy": _("Accuracy"),
    "precision_macro": _("Precision, macro"),
    "recall_macro": _("Recall, macro"),
    "f1_macro": _("F1, macro"),
    "precision_weighted": _("Precision, weighted"),
    "recall_weighted": _("Recall, weighted"),
    "f1_weighted": _("F1, weighted"),
    "mcc": _("Matthews correlation"),
    "ece": _("Calibration error"),
    "log_loss": _("Log loss"),
    "f1_micro": _("F1, micro"),
    "f1_samples": _("F1, mean over examples"),
    "subset_accuracy": _("All labels right"),
    "hamming_loss": _("Hamming loss"),
    "spearman": _("Spearman correlation"),
    "pearson": _("Pearson correlation"),
    "mse": _("Mean squared error"),
    "mae": _("Mean absolute error"),
    "ndcg_at_10": _("nDCG of the first 10"),
    "mrr_at_10": _("Mean reciprocal rank of the first 10"),
    "recall_at_1": _("Recall at 1"),
    "recall_at_5": _("Recall at 5"),
    "recall_at_10": _("Recall at 10"),
    "recall_at_100": _("Recall at 100"),
    "map": _("Mean average precision"),
    "f1_entities": _("F1 of entities"),
    "precision_entities": _("Precision of entities"),
    "recall_entities": _("Recall of entities"),
    "f1_types": _("F1, mean over types"),
    "sentence_accuracy": _("Sentences without a mistake"),
    "f1": _("F1 of the answers"),
    "exact_match": _("Exact match"),
    "bits_per_byte": _("Bits per byte"),
    "byte_perplexity": _("Perplexity per byte"),
    "word_perplexity": _("Perplexity per word"),
    "greedy_match": _("Continuation met"),
    "acc": _("Accuracy"),
    "acc_norm": _("Accuracy, by length"),
    "acc_bytes": _("Accuracy, by bytes"),
    "accuracy_top5": _("Right label among the first five"),
    "box_ap": _("Average precision of boxes"),
    "box_ap50": _("Average precision of boxes at half overlap"),
    "acc_at_1": _("Right word first"),
    "acc_at_5": _("Right word among the first 5"),
    "mrr": _("Mean reciprocal rank"),
    "number_match": _("The same number"),
    "bleu": "BLEU",
    "chrf": "chrF++",
    "rouge": "ROUGE",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
}
# Metrics that are no share of something, so that a percentage would mislead.
PLAIN = frozenset(name for name, metric in METRICS.items() if metric.plain)
LOWER_IS_BETTER = frozenset(name for name, metric in METRICS.items() if metric.lower_is_better)
# From here on a number is written with a power of ten: a perplexity may be of any size.
MANY = 1e6
# Means over classes and overlaps, or worths of places: no share of the examples is right.
POOLED = frozenset({"box_ap", "box_ap50", "bleu", "chrf", "ndcg_at_10", "mrr_at_10", "map"})
# Where bars begin and end, if not at 0 and 1; None for what has no end.
SCALES: dict[str, tuple[float, float] | None] = {
    "mcc": (-1, 1),
    "spearman": (-1, 1),
    "pearson": (-1, 1),
    "log_loss": None,
    "mse": None,
    "mae": None,
    "bits_per_byte": (0, 8),
    "byte_perplexity": None,
    "word_perplexity": None,
}


SETTINGS: dict[str, str | Promise] = {
    "box_format": _("Form of the boxes"),
    "threshold": _("Threshold"),
    "rules": _("Rules"),
    "no_answer": _("Unanswerable questions"),
    "max_answer_length": _("Longest answer, tokens"),
    "relevant_label": _("Label of what fits"),
    "prompt": _("Prompt"),
    "before_answer": _("Before an answer"),
    "before_text": _("Before a text"),
    "answers": _("Answered with"),
    "choices": _("Choices"),
    "few_shot": _("Examples before a question"),
    "mask": _("Sign of the gap"),
    "max_tokens": _("Most tokens of a word"),
    "until": _("Ends at"),
    "max_new_tokens": _("Most tokens of an answer"),
    "ignore_case": _("Ignores case"),
    "ignore_punctuation": _("Ignores punctuation"),
    "source_prompt": _("Prompt of models with an encoder"),
    "bleu_tokenization": _("Words of BLEU"),
    "target_language": _("Target language"),
    "rouge_tokenization": _("Words of ROUGE"),
}


def setting_label(name: str) -> str:
    return str(SETTINGS.get(name, name))


def setting_text(value: object) -> str:
    """Return a setting as a reader can see it, spaces at its ends too."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return " · ".join(map(str, value))
    return f"“{value}”" if isinstance(value, str) and value != value.strip() else str(value)


def metric_label(name: str) -> str:
    return str(NAMES.get(name, name))


def metric_text(value: object, name: str) -> str:
    """Return 83.1 for a share of 0.831, 0.662 for a metric that is no share, and a dash for what is no number."""
    if not isinstance(value, int | float):
        return "–"
    if name in PLAIN and abs(value) >= MANY:
        return f"{value:.0e}"
    return f"{value:.3f}" if name in PLAIN else f"{100 * value:.1f}"


def signed_metric(value: object, name: str) -> str:
    """Return the difference of two numbers of a metric, with its sign."""
    text = metric_text(value, name)
    if not isinstance(value, int | float) or float(text) == 0:
        return text.removeprefix("-")
    return f"+{text}" if value > 0 else text.replace("-", "−", 1)
