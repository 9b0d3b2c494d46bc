"""What goes into the verbs that make models, and what they write. Imports no torch.

The options of `Recipe`, the methods and what each architecture takes stand in `registry.toml`, from which forms are
drawn as well; a test holds both equal.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from worker.engine.contracts import Device, require

# In the folder of a run.
LOG_FILE = "log.jsonl"  # one line a record, see `worker.engine.tuning.log`
SUMMARY_FILE = "summary.json"
MODEL_DIR = "model"  # what is published
CHECKPOINT_DIR = "checkpoint"  # what the next attempt goes on from; replaced as a whole, never changed in place
DATA_REPORT_FILE = "data.json"
REWRITTEN_FILE = "rewritten.jsonl"
# Of a checkpoint: raise it whenever a change of the engine makes a step another one. A run that went on from an older
# one would end on a curve that neither the engine nor its script comes to again. Those without a number count as 1.
ARITHMETIC = 2
MAX_THREADS = 256

Optimizer = Literal["adamw", "adam", "sgd"]
Schedule = Literal["linear", "cosine", "constant", "inverse_sqrt"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Contrast = Literal["auto", "cosent", "mse", "contrastive"]
Harden = Literal["none", "fgm", "pgd", "freelb", "worst_of_k", "rdrop"]


@dataclass(frozen=True, kw_only=True)
class ArrangeSpec:
    """Read training data as people have it, check it, and write it as the engine wants it.

    `files` has the rows under "train", and "dev" and "test" where the author split them; what is missing is cut off
    `train` by `dev_share` and `test_share`, stratified by label and by groups of equal texts, so that no text is on
    both sides. `fields` names the column of each role of the task. Labels that `settings` leaves out are found.

    Written to `out_dir`: train.jsonl and dev.jsonl (lines of {"id", "question", "gold"}), test_inputs.jsonl and
    test_gold.jsonl (what `evaluate` and `score` read, where there is a test part), and data.json, the report.
    """

    task: str
    files: dict[str, str]
    out_dir: str
    fields: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    dev_share: float = 0.1
    test_share: float = 0.1
    max_rows: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require("train" in self.files, "files must name the rows as train")
        require(set(self.files) <= {"train", "dev", "test"}, "files may be train, dev and test")
        require(0 <= self.dev_share <= 0.5 and 0 <= self.test_share <= 0.5, "shares must be 0 to 0.5")
        require(self.max_rows is None or self.max_rows >= 1, "max_rows must be positive")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A model that begins from random numbers, with a tokenizer that is trained on the texts at hand."""

    model_type: str = "bert"
    tokenizer: Literal["wordpiece", "bpe", "characters"] = "wordpiece"
    vocab_size: int = 8000
    hidden: int = 128
    layers: int = 2
    heads: int = 2
    intermediate: int = 512
    max_positions: int = 128

    def __post_init__(self) -> None:
        require(self.heads > 0 and self.hidden % self.heads == 0, "hidden must be a multiple of heads")
        require(1 <= self.hidden <= 4096 and 1 <= self.layers <= 48, "hidden or layers out of range")
        require(1 <= self.intermediate <= 16384, "intermediate must be 1 to 16384")
        require(50 <= self.vocab_size <= 200_000, "vocab_size must be 50 to 200000")
        require(8 <= self.max_positions <= 8192, "max_positions must be 8 to 8192")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model learns. Everything that may move a number is here, in the spec's seed or in the data."""

    # What changes: "full", "head", "lora" … of registry.toml, with options of its own.
    method: str = "full"
    method_options: dict[str, Any] = field(default_factory=dict)
    epochs: float = 3.0
    max_steps: int | None = None
    # Rows of a step. Batches hold rows of like length; with a budget of tokens they are cut by that instead.
    batch_size: int = 16
    token_budget: int | None = None
    accumulation: int = 1
    max_length: int | None = None
    optimizer: Optimizer = "adamw"
    lr: float = 5e-5
    momentum: float = 0.9  # of sgd
    weight_decay: float = 0.01
    schedule: Schedule = "linear"
    warmup: float = 0.1  # share of the steps
    clip_norm: float = 1.0  # 0 for none
    dropout: float | None = None  # None leaves what the model has
    label_smoothing: float = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    token_dropout: float = 0.0  # share of tokens that are masked while training
    mixup: float = 0.0  # alpha of embedding mixup; 0 for none
    harden: Harden = "none"
    harden_options: dict[str, Any] = field(default_factory=dict)
    # Training rows that are written in other ways, anew each epoch: by kind, the rate of words or characters.
    augment_synonyms: float = 0.0  # of the lexicon
    augment_swap: float = 0.0
    augment_delete: float = 0.0
    augment_insert: float = 0.0
    augment_characters: float = 0.0
    augment_fill: float = 0.0  # of words for which a model that fills gaps proposed others
    augment_back: bool = False  # translated into another language and back
    augment_share: float = 0.5  # of the rows, or of their copies, that are changed
    augment_copies: int = 0  # of each row beside it; without any the rows themselves are changed
    # Of causal models.
    packing: bool = False
    completion_only: bool = True
    # Of models that make vectors; auto is contrastive where all pairs are equally alike, and cosent where they differ.
    contrast: Contrast = "auto"
    # Of classifiers with few rows: pairs teach the body which texts belong together, then the head is fitted.
    few_rows: bool = False
    # Of classifiers with rows that nobody labelled: how often what is trained labels them and learning begins anew.
    pseudo_rounds: int = 0
    pseudo_confidence: float = 0.9  # how sure the model must be of a row that it is to learn from
    eval_every: int | None = None  # steps; None for the end of each epoch
    patience: int = 0  # evaluations without gain before it stops; 0 for never
    keep: Literal["best", "last"] = "best"
    metric: str | None = None  # of the task, by which the best is chosen; None for its main one
    gradient_checkpointing: bool = False
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        require(0 < self.epochs <= 1000, "epochs must be above 0 and at most 1000")
        require(self.max_steps is None or 1 <= self.max_steps <= 10_000_000, "max_steps must be 1 to 10000000")
        require(1 <= self.batch_size <= 4096, "batch_size must be 1 to 4096")
        require(self.token_budget is None or 8 <= self.token_budget <= 1_000_000, "token_budget must be 8 to 1000000")
        require(1 <= self.accumulation <= 1024, "accumulation must be 1 to 1024")
        require(self.max_length is None or 8 <= self.max_length <= 8192, "max_length must be 8 to 8192")
        require(0 < self.lr <= 1, "lr must be above 0 and at most 1")
        require(0 <= self.momentum < 1, "momentum must be 0 to below 1")
        require(0 <= self.weight_decay <= 1, "weight_decay must be 0 to 1")
        require(0 <= self.warmup <= 0.9, "warmup must be 0 to 0.9")
        require(0 <= self.clip_norm <= 1000, "clip_norm must be 0 to 1000")
        require(self.dropout is None or 0 <= self.dropout < 1, "dropout must be 0 to below 1")
        require(0 <= self.label_smoothing < 1, "label_smoothing must be 0 to below 1")
        require(0 <= self.token_dropout < 1, "token_dropout must be 0 to below 1")
        require(0 <= self.mixup <= 10, "mixup must be 0 to 10")
        for kind in ("synonyms", "swap", "delete", "insert", "characters", "fill"):
            require(0 <= getattr(self, f"augment_{kind}") <= 0.9, f"augment_{kind} must be 0 to 0.9")
        require(0 <= self.augment_share <= 1, "augment_share must be 0 to 1")
        require(0 <= self.augment_copies <= 8, "augment_copies must be 0 to 8")
        require(0 <= self.pseudo_rounds <= 5, "pseudo_rounds must be 0 to 5")
        require(0.5 <= self.pseudo_confidence <= 1, "pseudo_confidence must be 0.5 to 1")
        require(self.eval_every is None or self.eval_every >= 1, "eval_every must be positive")
        require(0 <= self.patience <= 1000, "patience must be 0 to 1000")


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A model of the same task and tokenizer whose answers are learned beside the labels.

    Its logits are divided by `temperature`, and `alpha` is the share of the loss that they have. With `keep_layers`
    the student is the teacher with so many of its layers, evenly chosen; with an architecture one of the teacher's
    type in those sizes, that begins from random numbers.
    """

    model_dir: str
    temperature: float = 2.0
    alpha: float = 0.5
    keep_layers: int | None = None

    def __post_init__(self) -> None:
        require(1 <= self.temperature <= 20, "temperature must be 1 to 20")
        require(0 < self.alpha <= 1, "alpha must be above 0 and at most 1")
        require(self.keep_layers is None or 1 <= self.keep_layers <= 512, "keep_layers must be 1 to 512")


@dataclass(frozen=True, kw_only=True)
class RewriteSpec:
    """Ask other models how arranged training rows can be written otherwise; which of it is taken, each epoch decides.

    `words_dir` is a model that fills gaps, `there_dir` and `back_dir` translate into another language and back. Written
    to `out_dir`: rewritten.jsonl.
    """

    task: str
    train: str
    out_dir: str
    words_dir: str | None = None
    there_dir: str | None = None
    back_dir: str | None = None
    max_rows: int = 5000
    seed: int = 0
    threads: int = 1
    device: Device = "auto"

    def __post_init__(self) -> None:
        require((self.there_dir is None) == (self.back_dir is None), "give both there_dir and back_dir, or neither")
        require(self.words_dir is not None or self.there_dir is not None, "give words_dir, or there_dir and back_dir")
        require(1 <= self.max_rows <= 100_000, "max_rows must be 1 to 100000")
        require(1 <= self.threads <= MAX_THREADS, f"threads must be 1 to {MAX_THREADS}")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")


@dataclass(frozen=True, kw_only=True)
class FinetuneSpec:
    """Train a model on arranged data.

    Begins from the folder `model_dir`, or from `architecture` where there is none. Goes on from the checkpoint of an
    earlier attempt where one lies in `out_dir`, and then ends on the same curve.
    """

    task: str
    train: str
    out_dir: str
    dev: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    model_dir: str | None = None
    architecture: Architecture | None = None
    teacher: Teacher | None = None
    recipe: Recipe = field(default_factory=Recipe)
    lexicon: str | None = None  # words and their synonyms, see `worker.engine.tuning.augmenting.lexicon`
    rewritten: str | None = None  # what other models made of the rows, as `rewrite` writes it
    unlabelled: str | None = None  # lines of {"id", …} as `pool` writes them, for pseudo_rounds
    checkpoint_seconds: float = 30.0
    seed: int = 0
    threads: int = 1
    device: Device = "auto"

    def __post_init__(self) -> None:
        wants_rows = self.recipe.pseudo_rounds > 0
        require(
            wants_rows == (self.unlabelled is not None), "pseudo_rounds need unlabelled rows, and these need rounds"
        )
        require((self.model_dir is None) != (self.architecture is None), "give either model_dir or architecture")
        keeps = self.teacher is not None and self.teacher.keep_layers is not None
        from_it = self.teacher is not None and self.model_dir == self.teacher.model_dir
        require(not keeps or from_it, "with keep_layers the run begins from the teacher: model_dir must be its folder")
        require(1 <= self.threads <= MAX_THREADS, f"threads must be 1 to {MAX_THREADS}")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")
        require(self.checkpoint_seconds >= 0, "checkpoint_seconds must not be negative")
