"""What the web process must know of each kind of task that the engine evaluates. A test holds both equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """One number of a score."""

    name: str
    rankable: bool = field(default=True, kw_only=True)  # it has an interval
    lower_is_better: bool = field(default=False, kw_only=True)
    plain: bool = field(default=False, kw_only=True)  # written as it is, not in per cent

    @property
    def best(self) -> float:
        """What a perfect model reaches."""
        return 0.0 if self.lower_is_better else 1.0


@dataclass(frozen=True)
class Role:
    """A column that a benchmark names, and the name that is taken where it names none."""

    default: str | None = None
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of task: what eval.yaml says of it, which models fit, and how answers are measured."""

    name: str
    roles: Mapping[str, Role]
    settings: Sequence[str]
    files: Mapping[str, bool] = field(default_factory=dict)  # extra data files, and whether one must be named
    heads: Sequence[str]  # endings of `architectures` in config.json
    problem_types: Sequence[str]  # of config.json, where it names one
    outputs: int | None = None  # how many numbers the head must give, None for one a label
    most_outputs: int | None = None  # how many numbers the head may give at most
    model_types: Sequence[str] = ()  # of config.json; all where none are named
    reads_images: bool = False
    least_labels: int = 2
    are_tags: bool = False  # the labels are tags of IOB2: O, and B- and I- with the name of a type
    metrics: Sequence[Metric]
    default_primary: str
    shown: Sequence[str] = ()  # the metrics that pages show first; all where none are named

    @property
    def metric_names(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    @property
    def rankable(self) -> list[str]:
        return [metric.name for metric in self.metrics if metric.rankable]

    @property
    def default_metrics(self) -> list[str]:
        return list(self.shown or self.metric_names)

    @property
    def default_fields(self) -> dict[str, str]:
        return {role: what.default for role, what in self.roles.items() if what.default is not None}


CHOICE_METRICS = (
    Metric("accuracy"),
    Metric("precision_macro"),
    Metric("recall_macro"),
    Metric("f1_macro"),
    Metric("precision_weighted"),
    Metric("recall_weighted"),
    Metric("f1_weighted"),
    Metric("mcc", plain=True),
    Metric("ece", rankable=False, lower_is_better=True, plain=True),
    Metric("log_loss", lower_is_better=True, plain=True),
)
SHOWN_OF_CHOICES = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "mcc")
SEQUENCE_HEADS = ("ForSequenceClassification",)
CAUSAL_HEADS = ("ForCausalLM", "LMHeadModel")
# Encoders have classes of these names too, but they read both sides and say nothing of running text.
CAUSAL_TYPES = (
    "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "olmo2", "opt", "phi", "phi3", "qwen2",
    "qwen3", "smollm3",
)  # fmt: skip
BODIES = ("Model",)  # without a head: their hidden states become vectors
# Models that write: decoders, and those whose encoder reads the text first.
WRITING_HEADS = (*CAUSAL_HEADS, "ForConditionalGeneration", "MTModel")
WRITING_TYPES = (*CAUSAL_TYPES, "bart", "marian", "mbart", "mt5", "pegasus", "t5")
WRITING_SETTINGS = ("prompt", "few_shot", "before_answer", "until", "max_new_tokens")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="text-classification",
            roles={"input": Role("text"), "input2": Role(required=False), "target": Role("label")},
            settings=("labels", "label_map"),
            heads=SEQUENCE_HEADS,
            problem_types=("single_label_classification",),
            metrics=CHOICE_METRICS,
            default_primary="f1_macro",
            shown=SHOWN_OF_CHOICES,
        ),
        Kind(
            name="text-pair-classification",
            roles={"input": Role("sentence1"), "input2": Role("sentence2"), "target": Role("label")},
            settings=("labels", "label_map"),
            heads=SEQUENCE_HEADS,
            problem_types=("single_label_classification",),
            metrics=CHOICE_METRICS,
            default_primary="accuracy",
            shown=SHOWN_OF_CHOICES,
        ),
        Kind(
            name="multi-label-classification",
            roles={"input": Role("text"), "input2": Role(required=False), "target": Role("labels")},
            settings=("labels", "label_map", "threshold"),
            heads=SEQUENCE_HEADS,
            problem_types=("multi_label_classification",),
            metrics=(
                Metric("f1_micro"),
                Metric("f1_macro"),
                Metric("f1_samples"),
                Metric("subset_accuracy"),
                Metric("hamming_loss", lower_is_better=True, plain=True),
            ),
            default_primary="f1_micro",
        ),
        Kind(
            name="text-regression",
            roles={"input": Role("text"), "input2": Role(required=False), "target": Role("score")},
            settings=(),
            heads=SEQUENCE_HEADS,
            problem_types=("regression",),
            outputs=1,
            metrics=(
                Metric("spearman", plain=True),
                Metric("pearson", plain=True),
                Metric("mse", lower_is_better=True, plain=True),
                Metric("mae", lower_is_better=True, plain=True),
            ),
            default_primary="spearman",
        ),
        Kind(
            name="token-classification",
            roles={"input": Role("tokens"), "target": Role("tags")},
            settings=("labels", "label_map"),
            heads=("ForTokenClassification",),
            problem_types=(),
            are_tags=True,
            metrics=(
                Metric("f1_entities"),
                Metric("precision_entities"),
                Metric("recall_entities"),
                Metric("f1_types"),
                Metric("sentence_accuracy"),
            ),
            default_primary="f1_entities",
        ),
        Kind(
            name="question-answering",
            roles={"input": Role("question"), "context": Role("context"), "target": Role("answers")},
            settings=("rules", "no_answer", "max_answer_length"),
            heads=("ForQuestionAnswering",),
            problem_types=(),
            outputs=2,
            metrics=(Metric("f1"), Metric("exact_match")),
            default_primary="f1",
        ),
        Kind(
            name="sentence-similarity",
            roles={"input": Role("sentence1"), "input2": Role("sentence2"), "target": Role("score")},
            settings=(),
            heads=BODIES,
            problem_types=(),
            metrics=(Metric("spearman", plain=True), Metric("pearson", plain=True)),
            default_primary="spearman",
        ),
        Kind(
            name="text-retrieval",
            roles={
                "input": Role("query"),
                "target": Role("relevant"),
                "document": Role("text", required=False),
                "title": Role("title", required=False),
            },
            files={"corpus": True},
            settings=(),
            heads=BODIES,
            problem_types=(),
            metrics=(
                Metric("ndcg_at_10"),
                Metric("mrr_at_10"),
                Metric("recall_at_1"),
                Metric("recall_at_5"),
                Metric("recall_at_10"),
                Metric("recall_at_100"),
                Metric("map"),
            ),
            default_primary="ndcg_at_10",
        ),
        Kind(
            name="text-ranking",
            roles={"input": Role("query"), "candidates": Role("candidates"), "target": Role("relevance")},
            settings=("relevant_label",),
            heads=(*SEQUENCE_HEADS, *BODIES),
            problem_types=(),
            most_outputs=2,
            metrics=(Metric("map"), Metric("mrr_at_10"), Metric("ndcg_at_10")),
            default_primary="map",
        ),
        Kind(
            name="fill-mask",
            roles={"input": Role("text"), "target": Role("answer")},
            settings=("mask", "max_tokens"),
            heads=("ForMaskedLM",),
            problem_types=(),
            metrics=(Metric("acc_at_1"), Metric("acc_at_5"), Metric("mrr")),
            default_primary="acc_at_1",
        ),
        Kind(
            name="language-modeling",
            roles={"input": Role("text"), "context": Role(required=False), "group": Role(required=False)},
            settings=("before_text",),
            heads=CAUSAL_HEADS,
            model_types=CAUSAL_TYPES,
            problem_types=(),
            metrics=(
                Metric("bits_per_byte", lower_is_better=True, plain=True),
                Metric("byte_perplexity", lower_is_better=True, plain=True),
                Metric("word_perplexity", lower_is_better=True, plain=True),
                Metric("greedy_match"),
            ),
            default_primary="bits_per_byte",
            shown=("bits_per_byte", "byte_perplexity"),
        ),
        Kind(
            name="multiple-choice",
            roles={
                "input": Role("question"),
                "choices": Role("choices", required=False),
                "target": Role("answer"),
                "group": Role("subject", required=False),
            },
            files={"train": False},
            settings=("prompt", "before_answer", "answers", "choices", "few_shot"),
            heads=CAUSAL_HEADS,
            model_types=CAUSAL_TYPES,
            problem_types=(),
            metrics=(Metric("acc"), Metric("acc_norm"), Metric("acc_bytes")),
            default_primary="acc",
        ),
        Kind(
            name="minimal-pairs",
            roles={"good": Role("good"), "bad": Role("bad"), "group": Role("phenomenon", required=False)},
            settings=("before_text",),
            heads=CAUSAL_HEADS,
            model_types=CAUSAL_TYPES,
            problem_types=(),
            metrics=(Metric("accuracy"),),
            default_primary="accuracy",
        ),
        Kind(
            name="text-generation",
            roles={"input": Role("question"), "target": Role("answer")},
            files={"train": False},
            settings=(*WRITING_SETTINGS, "ignore_case", "ignore_punctuation"),
            heads=WRITING_HEADS,
            model_types=WRITING_TYPES,
            problem_types=(),
            metrics=(Metric("exact_match"), Metric("number_match"), Metric("chrf")),
            default_primary="exact_match",
            shown=("exact_match",),
        ),
        Kind(
            name="translation",
            roles={"input": Role("source"), "target": Role("target")},
            files={"train": False},
            settings=(*WRITING_SETTINGS, "source_prompt", "bleu_tokenization", "target_language"),
            heads=WRITING_HEADS,
            model_types=WRITING_TYPES,
            problem_types=(),
            metrics=(Metric("bleu"), Metric("chrf")),
            default_primary="bleu",
        ),
        Kind(
            name="summarization",
            roles={"input": Role("text"), "target": Role("summary")},
            files={"train": False},
            settings=(*WRITING_SETTINGS, "source_prompt", "rouge_tokenization"),
            heads=WRITING_HEADS,
            model_types=WRITING_TYPES,
            problem_types=(),
            metrics=(Metric("rouge1"), Metric("rouge2"), Metric("rougeL"), Metric("chrf")),
            default_primary="rougeL",
        ),
        Kind(
            name="image-classification",
            roles={"input": Role("image"), "target": Role("label")},
            settings=("labels", "label_map"),
            heads=("ForImageClassification",),
            problem_types=("single_label_classification",),
            reads_images=True,
            metrics=(*CHOICE_METRICS, Metric("accuracy_top5")),
            default_primary="accuracy",
            shown=("accuracy", "accuracy_top5", "f1_macro", "mcc"),
        ),
        Kind(
            name="object-detection",
            roles={"input": Role("image"), "target": Role("objects")},
            settings=("labels", "label_map", "box_format"),
            heads=("ForObjectDetection",),
            problem_types=(),
            least_labels=1,
            reads_images=True,
            metrics=(Metric("box_ap"), Metric("box_ap50")),
            default_primary="box_ap",
        ),
    )
}
METRICS: dict[str, Metric] = {metric.name: metric for kind in KINDS.values() for metric in kind.metrics}


def best_of(metric: str) -> float:
    """Return what a perfect model reaches."""
    return METRICS[metric].best if metric in METRICS else 1.0


def lower_is_better(metric: str) -> bool:
    """Say whether a smaller number is the better one."""
    return metric in METRICS and METRICS[metric].lower_is_better
