"""What people read for the names in the engine's registry. A test asks a text for each of them."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy

from models_hub.task_names import task_label as known_label


class Text(NamedTuple):
    """A short name, and a sentence of what it does."""

    label: str | Promise
    help: str | Promise = ""


GROUPS: dict[str, str | Promise] = {
    "length": _("Length of the training"),
    "batches": _("Batches"),
    "optimizer": _("Optimizer"),
    "regularisation": _("Regularisation and adversarial training"),
    "augmentation": _("Data augmentation"),
    "texts": _("Texts"),
    "unlabelled": _("Pseudo-labelling"),
    "watching": _("Evaluation during training"),
    "machine": _("Memory and precision"),
}

OPTIONS: dict[str, Text] = {
    "epochs": Text(_("Epochs"), _("How often every row is seen. Fractions are allowed.")),
    "max_steps": Text(_("At most so many steps"), _("Ends earlier than the epochs would.")),
    "batch_size": Text(
        _("Batch size"), _("Rows of a step. Those of like length go together, so that little is spent on padding.")
    ),
    "token_budget": Text(
        _("Tokens of a batch"), _("Cuts batches by tokens instead of rows: short texts then come in larger batches.")
    ),
    "accumulation": Text(
        _("Gradient accumulation"), _("Adds up the gradients of so many batches, as if they were one larger batch.")
    ),
    "max_length": Text(
        _("Longest text in tokens"), _("Longer ones are cut. Empty stands for what the model can read.")
    ),
    "optimizer": Text(_("Optimizer")),
    "lr": Text(
        _("Learning rate"),
        _("For a whole pre-trained model 1e-5 to 1e-4, for adapters and new models 1e-4 to 2e-3 are usual."),
    ),
    "momentum": Text(_("Momentum"), _("Of SGD alone.")),
    "weight_decay": Text(_("Weight decay"), _("Pulls weights towards zero; biases and norms are left out.")),
    "schedule": Text(_("Learning rate schedule")),
    "warmup": Text(_("Warm-up"), _("Share of the steps in which the learning rate rises from zero.")),
    "clip_norm": Text(_("Gradient clipping"), _("Gradients of a greater norm are scaled down to it. 0 turns it off.")),
    "dropout": Text(_("Dropout"), _("Empty leaves what the model has. 0 is faster and overfits sooner.")),
    "label_smoothing": Text(_("Label smoothing"), _("Takes a share of certainty off the right label.")),
    "class_weights": Text(_("Class weights"), _("“balanced” lets rare labels count as much as common ones.")),
    "token_dropout": Text(_("Masked tokens"), _("Share of tokens that the model does not get to see while it learns.")),
    "mixup": Text(_("Mixup"), _("Mixes the embeddings of two rows and their labels; 0.2 is usual, 0 turns it off.")),
    "harden": Text(
        _("Adversarial training"),
        _("Learns from shifted embeddings, or from the worst slips, too. Steps take two to four times as long."),
    ),
    "augment_synonyms": Text(
        _("Synonyms"), _("Share of the words in a lexicon that are replaced, 0.1 is usual. Needs a lexicon file.")
    ),
    "augment_swap": Text(_("Swapped words"), _("Share of neighbouring words; of Chinese, of characters.")),
    "augment_delete": Text(_("Deleted words"), _("Share of the words; negations always stay.")),
    "augment_insert": Text(
        _("Inserted words"), _("Synonyms of words of the row, or without a lexicon words of the row itself.")
    ),
    "augment_characters": Text(
        _("Typing errors"), _("Share of the words, or of Chinese characters, that are mistyped.")
    ),
    "augment_fill": Text(
        _("Mask filling"),
        _("Share of the gaps that get another word, proposed by a model that reads what stands around them."),
    ),
    "augment_back": Text(
        _("Back-translation"), _("Texts go through two models that translate into another language and back.")
    ),
    "augment_share": Text(
        _("Share of changed rows"),
        _("Anew each epoch. Each changed row gets one of the kinds above; 0 stands for off."),
    ),
    "augment_copies": Text(
        _("Changed copies of each row"),
        _("Learned beside the row, so that epochs get so many times longer. 0 changes rows in place."),
    ),
    "packing": Text(_("Pack short texts together"), _("Saves padding on a GPU; on a CPU it is slower.")),
    "completion_only": Text(
        _("Completion-only loss"), _("Only the answers are learned; the prompt is read, but not learned.")
    ),
    "contrast": Text(
        _("How vectors are compared"),
        _("By order (CoSENT), by the number itself, or each pair against all others of its batch."),
    ),
    "few_rows": Text(
        _("Few-shot tuning"),
        _("Pairs of rows teach which texts belong together; the head is fitted to them. For up to some hundred rows."),
    ),
    "pseudo_rounds": Text(
        _("Rounds of pseudo-labelling"),
        _("The trained model labels rows that nobody did, and learning begins anew with them. 0 turns it off."),
    ),
    "pseudo_confidence": Text(_("Confidence"), _("How sure the model must be of a row that it is to learn from.")),
    "eval_every": Text(_("Evaluate after so many steps"), _("Empty stands for the end of each epoch.")),
    "patience": Text(_("Early stopping"), _("After so many evaluations without gain. 0 turns it off.")),
    "keep": Text(_("Keep"), _("The best model by the dev part, or the last one.")),
    "gradient_checkpointing": Text(
        _("Gradient checkpointing"),
        _("Less memory, more time: computes activations twice instead of keeping them."),
    ),
    "precision": Text(_("Precision"), _("“auto” takes float32 on a CPU and bfloat16 on a GPU that has it.")),
}

CHOICES: dict[str, str | Promise] = {
    "adamw": "AdamW",
    "adam": "Adam",
    "sgd": "SGD",
    "linear": pgettext_lazy("learning rate schedule", "linear"),
    "cosine": pgettext_lazy("learning rate schedule", "cosine"),
    "constant": pgettext_lazy("learning rate schedule", "constant"),
    "inverse_sqrt": pgettext_lazy("learning rate schedule", "inverse square root"),
    "none": _("none"),
    "balanced": _("balanced"),
    "fgm": "FGM",
    "pgd": "PGD",
    "freelb": "FreeLB",
    "worst_of_k": _("Worst of k slips"),
    "rdrop": "R-Drop",
    "best": _("the best"),
    "last": _("the last"),
    "auto": _("chosen by the machine"),
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "query-value": _("query and value"),
    "attention": _("all of attention"),
    "all": _("all layers"),
    "cosent": _("by order, CoSENT"),
    "mse": _("by the number itself"),
    "contrastive": _("against the others of the batch"),
    "gelu": "GELU",
    "relu": "ReLU",
    "silu": "SiLU",
}

METHODS: dict[str, Text] = {
    "full": Text(_("The whole model"), _("Best scores, most memory; the result is a model of its own.")),
    "head": Text(_("The head alone"), _("Fastest: the body stays as it is.")),
    "bitfit": Text("BitFit", _("Biases alone: a thousandth of the weights.")),
    "lora": Text("LoRA", _("Small matrices beside the attention; becomes part of the weights at the end.")),
    "dora": Text("DoRA", _("LoRA with length and direction of weights apart.")),
    "rslora": Text("rsLoRA", _("LoRA with a scale that suits large ranks.")),
    "adalora": Text("AdaLoRA", _("LoRA that gives its rank to the layers that need it.")),
    "ia3": Text("IA³", _("Scales keys, values and the inner layer: the fewest weights.")),
    "houlsby": Text(_("Adapters (Houlsby)"), _("Two small layers in each block.")),
    "pfeiffer": Text(_("Adapters (Pfeiffer)"), _("One small layer in each block.")),
    "prefix": Text(_("Prefix tuning"), _("Learned keys and values before each text.")),
    "prompt": Text(_("Prompt tuning"), _("Learned tokens before each text.")),
    "ptuning": Text("P-tuning", _("Learned tokens before each text, made by a small network.")),
}

METHOD_OPTIONS: dict[str, Text] = {
    "rank": Text(pgettext_lazy("of a matrix", "Rank")),
    "first_rank": Text(pgettext_lazy("of a matrix", "Rank at first")),
    "alpha": Text("Alpha"),
    "dropout": Text(_("Dropout")),
    "targets": Text(_("Layers")),
    "orthogonality": Text(_("Weight of orthogonality")),
    "reduction": Text(_("How many times narrower")),
    "activation": Text(_("Activation")),
    "length": Text(_("Tokens")),
    "projection": Text(_("Made by a small network")),
    "hidden": Text(_("Width of the network")),
}

# What a conversion makes: formats and ways to make a model smaller.
CONVERSIONS: dict[str, Text] = {
    "onnx": Text(
        "ONNX", _("For onnxruntime, transformers.js, browsers, Java, C++ and phones; int8 is smaller and faster.")
    ),
    "gguf": Text("GGUF", _("For llama.cpp and what is built on it: models that write, on laptops and phones.")),
    "safetensors": Text("safetensors", _("Weights that can run no code, made of a pickle inside the sandbox.")),
    "quantize": Text(_("Fewer bits"), _("Writes ONNX files of 8 or 4 bits and measures what each loses.")),
    "layers": Text(_("Fewer layers"), _("Drops the layers that are missed the least on rows of yours.")),
    "heads": Text(
        _("Fewer heads"), _("Drops the heads of attention that the loss on rows of yours depends on the least.")
    ),
    "vocabulary": Text(_("Fewer tokens"), _("Keeps the tokens that rows of yours hold: a large part of small models.")),
}

# Names of numbers that tell nothing to who does not know them.
PRECISIONS: dict[str, str | Promise] = {
    "int8": _("int8, dynamic"),
    "int8_static": _("int8, static"),
    "int8_weights": _("int8, weights alone"),
    "q4": _("4 bits, weights alone"),
    "q8_0": _("8 bits (q8_0)"),
    "q4_0": _("4 bits (q4_0)"),
}

TASKS: dict[str, str | Promise] = {
    "text-pair-classification": _("Classification of text pairs"),
    "multi-label-classification": _("Several labels a text"),
    "text-regression": _("A number for a text"),
    "language-modeling": _("Language modelling"),
    "image-classification": _("Image classification"),
    "token-classification": _("Entities and other tags of words"),
}

ROLES: dict[str, str | Promise] = {
    "input": pgettext_lazy("column of data", "Text"),
    "input2": _("Second text"),
    "target": pgettext_lazy("column of data", "Answer"),
    "context": _("Passage"),
}

SIZES: dict[str, str | Promise] = {
    "vocab_size": _("Tokens of the vocabulary"),
    "hidden": _("Width"),
    "layers": _("Layers"),
    "heads": _("Heads of attention"),
    "intermediate": _("Inner width"),
    "max_positions": _("Longest text in tokens"),
    "model_type": _("Architecture"),
    "tokenizer": _("Tokenizer"),
}

# Of learning from a teacher.
TEACHING: dict[str, Text] = {
    "temperature": Text(_("Temperature"), _("Above 1 the teacher’s doubts count more: which wrong label comes next.")),
    "alpha": Text(_("Share of the teacher"), _("The rest of the loss is that of the labels.")),
    "keep_layers": Text(
        _("Layers to keep"),
        _("The student begins as so many of the teacher’s layers, where the run begins from the teacher itself."),
    ),
}

# Of an attack while learning.
HARDENINGS: dict[str, Text] = {
    "epsilon": Text("Epsilon", _("The farthest shift, as a share of the length of a row’s embeddings.")),
    "alpha": Text(_("Step"), _("How far each step goes.")),
    "steps": Text(_("Steps"), _("Each costs a pass over the batch.")),
}
WORST_OF_K: dict[str, Text] = {
    "count": Text(_("Ways to mistype"), _("Of each row; each costs a pass over the batch. 1 leaves it to chance.")),
    "share": Text(_("Slips"), _("Share of the words that are mistyped; of Chinese, of the characters.")),
}
RDROP: dict[str, Text] = {
    "alpha": Text(_("Weight of agreement"), _("How much it counts that both passes say the same.")),
}

# What a run reads beside its model and its data.
AIDS: dict[str, str | Promise] = {
    "teacher": _("Teacher"),
    "words": _("Fills in words"),
    "there": _("Translates"),
    "back": _("Translates back"),
    "unlabelled": _("Rows without labels"),
}

# What helps a run is named by, where its form asks for it.
HELPERS: dict[str, Text] = {
    "words": Text(_("Model that fills gaps"), _("Like BERT before it learned a task.")),
    "there": Text(_("Model that translates"), _("From the language of the rows into another one, such as Marian.")),
    "back": Text(_("Model that translates back")),
}

# What else runs differ in.
ASKED: dict[str, str | Promise] = {
    "base": _("Begins from"),
    "data": _("Data set"),
    "seed": _("Seed"),
    "method": _("What changes"),
}

# Reasons of the registry, which are shown in the reader's language.
REASONS = (
    gettext_noop("Such a model has no head of its own: it writes with its embeddings. Choose another method."),
    gettext_noop("The layers of this architecture have no biases that could be trained. Choose another method."),
    gettext_noop(
        "The attention of this architecture has no layers that the method can add to. Choose the whole model or its "
        "head."
    ),
    gettext_noop(
        "The layers of this architecture have no place for these adapters. Choose the whole model or its head."
    ),
    gettext_noop("The layers of this architecture have no place for the method. Choose the whole model or its head."),
    gettext_noop(
        "The attention of this architecture takes no keys and values from outside, which prefixes are. Choose prompt "
        "or ptuning."
    ),
    gettext_noop("This architecture takes no invented tokens before its texts. Choose another method."),
)


def task_label(name: str) -> str:
    """Return what people read for a kind of task."""
    return str(TASKS[name]) if name in TASKS else known_label(name)


def option_text(name: str) -> Text:
    """Return label and help of an option of a recipe or of a method; a name that has none stays as it is."""
    return OPTIONS.get(name) or METHOD_OPTIONS.get(name) or Text(name)


def hardening_text(kind: str, name: str) -> Text:
    """Return label and help of an option of an attack."""
    return {"rdrop": RDROP, "worst_of_k": WORST_OF_K}.get(kind, HARDENINGS)[name]


def choice_label(value: str) -> str:
    """Return what people read for a value to choose."""
    return str(CHOICES.get(value, value))
