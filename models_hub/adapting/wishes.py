"""What somebody asks for, checked as far as it can be before a worker has it: the shape alone, no repositories."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from django.utils.translation import gettext as _

from models_hub.adapting import registry, rewriting, teaching, unlabelled
from models_hub.models import DEFAULT_BRANCH
from portal.errors import InvalidInput

MAX_NAME = 200
MAX_LABELS = 1000
MAX_SEED = 2**32 - 1
PARTS = ("train", "dev", "test")
# Words and their synonyms, a file beside the rows.
LEXICON = "lexicon"
SYNONYMS = "augment_synonyms"
# A kind of task whose rows may be conversations, and the column that usually holds them.
CONVERSING, MESSAGES = "text-generation", "messages"
METHOD, METHOD_OPTIONS = "method", "method_options"
HARDEN, HARDEN_OPTIONS = "harden", "harden_options"
# Of a model that begins from random numbers: name -> default, least, most.
SIZES = {
    "vocab_size": (8000, 50, 200_000),
    "hidden": (128, 8, 4096),
    "layers": (2, 1, 48),
    "heads": (2, 1, 64),
    "intermediate": (512, 8, 16_384),
    "max_positions": (128, 8, 8192),
}
SCRATCH_TYPES = ("bert", "roberta", "gpt2", "llama", "qwen2", "bart", "t5")
TOKENIZERS = ("wordpiece", "bpe", "characters")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One fine-tuning run as it is asked for, by a form, a program or a study."""

    task: str
    data: str  # owner/name of a data set
    target: str  # owner/name of the model that is to be, or of one that gets a pull request
    base: str = ""  # owner/name of a model; empty for one that begins from random numbers
    base_revision: str = DEFAULT_BRANCH
    data_revision: str = DEFAULT_BRANCH
    files: dict[str, str] = field(default_factory=dict)  # {"train": path, "dev"?, "test"?, "lexicon"?}
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)  # found in the data where none are named
    recipe: dict[str, Any] = field(default_factory=dict)
    architecture: dict[str, Any] = field(default_factory=dict)
    # A model whose answers are learned beside the labels: {"model", "revision"}, or {"run"}, and options.
    teacher: dict[str, Any] = field(default_factory=dict)
    # Models that write training rows otherwise: {"words" | "there" | "back": {"model", "revision"}}.
    helpers: dict[str, Any] = field(default_factory=dict)
    # Rows that the model labels itself: {"dataset", "revision", "file"}.
    unlabelled: dict[str, Any] = field(default_factory=dict)
    dev_share: float = 0.1
    test_share: float = 0.1
    seed: int = 0
    title: str = ""
    only_check: bool = False  # read and check the data, train nothing

    def as_json(self) -> dict[str, Any]:
        """Return what `read` takes."""
        return asdict(self)


def read(values: Mapping[str, Any]) -> Wish:
    """Return a checked wish; raises InvalidInput that names what to mend."""
    known = {one.name for one in fields(Wish)}
    if unknown := sorted(set(values) - known):
        raise InvalidInput(_("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    for name in ("task", "data", "target"):
        if not isinstance(values.get(name), str) or not values[name]:
            raise InvalidInput(_("“%(name)s” is missing.") % {"name": name}, data={"field": name})
    wish = Wish(**values)
    task = registry.find_task(wish.task)
    teacher = teaching.read(wish.teacher) if wish.teacher else {}
    wish = from_its_teacher(replace(wish, teacher=teacher))
    if bool(wish.base or teaching.KEEP_LAYERS in teacher) == bool(wish.architecture):
        raise InvalidInput(_("Name a model to begin from, or the sizes of a new one, but not both."))
    _check_texts(wish)
    _check_parts(wish)
    _check_fields(wish, task)
    _check_numbers(wish)
    recipe = read_recipe(wish.recipe, task.name, usual=task.scratch_recipe if wish.architecture else {})
    if recipe.get(SYNONYMS) and LEXICON not in wish.files:
        raise InvalidInput(
            _("Synonyms need a lexicon: name a file of the data set with words and their synonyms."),
            data={"field": LEXICON},
        )
    if teacher:
        teaching.check_fits(task, recipe)
    architecture = read_architecture(wish.architecture, task) if wish.architecture else {}
    helpers = rewriting.read(wish.helpers, recipe)
    more = unlabelled.read(wish.unlabelled, recipe)
    return replace(wish, recipe=recipe, architecture=architecture, helpers=helpers, unlabelled=more)


def from_its_teacher(wish: Wish) -> Wish:
    """Return a wish for some layers of a teacher with that one as its base; raises InvalidInput for another base."""
    teacher = wish.teacher
    if teaching.KEEP_LAYERS not in teacher:
        return wish
    base = teacher.get("model", "")
    if wish.architecture or (wish.base and wish.base != base):
        raise InvalidInput(
            _("With some layers of a teacher the run begins from the teacher: name no other model, and no sizes."),
            data={"field": teaching.TEACHER},
        )
    return replace(wish, base=base, base_revision=teacher["revision"]) if base else wish


def read_recipe(values: Mapping[str, Any], task: str, *, usual: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the options that differ from what the engine takes, each within its bounds.

    Those that are usual otherwise are always there, so that a recipe which is read again stays the same.
    """
    options, usual = registry.options(), usual or {}
    recipe: dict[str, Any] = {}
    for name, value in {**usual, **values}.items():
        if name in (METHOD, METHOD_OPTIONS, HARDEN_OPTIONS):
            continue
        if name not in options:
            raise InvalidInput(
                _("A recipe has no option “%(name)s”.") % {"name": str(name)[:60]}, data={"option": name}
            )
        option = options[name]
        if option.tasks and task not in option.tasks and value not in (None, option.default):
            raise InvalidInput(
                _("%(name)s: has no meaning for this kind of task.") % {"name": name}, data={"option": name}
            )
        checked = option.read(value)
        if name in usual or checked != option.default:
            recipe[name] = checked
    method = registry.find_method(str(values.get(METHOD, "full")))
    own = values.get(METHOD_OPTIONS) or {}
    if not isinstance(own, dict) or not set(own) <= set(method.options):
        known = ", ".join(method.options) or "–"
        raise InvalidInput(
            _("The method “%(name)s” has these options: %(known)s.") % {"name": method.name, "known": known}
        )
    recipe[METHOD] = method.name
    if chosen := {name: method.options[name].read(value) for name, value in own.items()}:
        recipe[METHOD_OPTIONS] = chosen
    if chosen := _read_harden_options(values.get(HARDEN_OPTIONS) or {}, recipe.get(HARDEN, "none"), task):
        recipe[HARDEN_OPTIONS] = chosen
    return recipe


def _read_harden_options(values: Any, kind: str, task: str) -> dict[str, Any]:
    options = registry.hardenings().get(kind, {})
    if not registry.is_possible(kind, task):
        raise InvalidInput(
            _("%(name)s: has no meaning for this kind of task.") % {"name": kind}, data={"option": HARDEN}
        )
    if not isinstance(values, dict) or not set(values) <= set(options):
        known = ", ".join(options) or "–"
        raise InvalidInput(
            _("The attack “%(name)s” has these options: %(known)s.") % {"name": kind, "known": known},
            data={"option": HARDEN_OPTIONS},
        )
    chosen = {name: options[name].read(value) for name, value in values.items()}
    return {name: value for name, value in chosen.items() if value != options[name].default}


def scratch_types(task: registry.Task) -> list[str]:
    """Return the types of models that can begin from random numbers for a task, those made for it first."""
    return [one for family in task.families for one in SCRATCH_TYPES if registry.family(one) == family]


def scratch_sizes(task: registry.Task) -> dict[str, int]:
    """Return the sizes of a new model for a task, where nobody says otherwise."""
    return {name: task.scratch_sizes.get(name, default) for name, (default, _least, _most) in SIZES.items()}


def read_architecture(values: Mapping[str, Any], task: registry.Task) -> dict[str, Any]:
    """Return the sizes of a model that begins from random numbers, complete."""
    if unknown := sorted(set(values) - set(SIZES) - {"model_type", "tokenizer"}):
        raise InvalidInput(_("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    chosen: dict[str, Any] = {
        "model_type": values.get("model_type", next(iter(scratch_types(task)), SCRATCH_TYPES[0])),
        "tokenizer": values.get("tokenizer", task.scratch_sizes.get("tokenizer", TOKENIZERS[0])),
    }
    usual = scratch_sizes(task)
    for name, choices in (("model_type", SCRATCH_TYPES), ("tokenizer", TOKENIZERS)):
        if chosen[name] not in choices:
            raise InvalidInput(
                _("%(name)s: must be one of: %(choices)s") % {"name": name, "choices": ", ".join(choices)}
            )
    for name, (_default, least, most) in SIZES.items():
        value = values.get(name, usual[name])
        if type(value) is not int or not least <= value <= most:
            raise InvalidInput(
                _("%(name)s: must be a whole number from %(least)d to %(most)d")
                % {"name": name, "least": least, "most": most}
            )
        chosen[name] = value
    if chosen["hidden"] % chosen["heads"]:
        raise InvalidInput(_("hidden: must be a multiple of heads"))
    return chosen


def _check_texts(wish: Wish) -> None:
    for name in ("data", "target", "base", "base_revision", "data_revision", "title"):
        value = getattr(wish, name)
        if not isinstance(value, str) or len(value) > MAX_NAME:
            raise InvalidInput(
                _("“%(name)s” must be a text of at most %(max)d characters.") % {"name": name, "max": MAX_NAME}
            )
    for name in ("data", "target", *(["base"] if wish.base else [])):
        owner, _slash, rest = getattr(wish, name).partition("/")
        if not owner or not rest or "/" in rest:
            raise InvalidInput(_("“%(name)s” must be the name of a repository, owner/name.") % {"name": name})


def _check_parts(wish: Wish) -> None:
    known = (*PARTS, LEXICON)
    if not isinstance(wish.files, dict) or not set(wish.files) <= set(known):
        raise InvalidInput(_("“files” may name: %(parts)s.") % {"parts": ", ".join(known)})
    if "train" not in wish.files:
        raise InvalidInput(_("Name the file with the rows to learn from."), data={"field": "train"})
    if not all(isinstance(path, str) and 0 < len(path) <= MAX_NAME for path in wish.files.values()):
        raise InvalidInput(_("Each of “files” must be the path of a file in the data set."))


def _check_fields(wish: Wish, task: registry.Task) -> None:
    if not isinstance(wish.fields, dict) or not set(wish.fields) <= set(task.columns):
        raise InvalidInput(
            _("For this kind of task “fields” may name columns of: %(roles)s.") % {"roles": ", ".join(task.columns)}
        )
    if not all(isinstance(column, str) and 0 < len(column) <= MAX_NAME for column in wish.fields.values()):
        raise InvalidInput(_("Each of “fields” must be the name of a column."))
    labels = wish.labels
    if (
        not isinstance(labels, list)
        or len(labels) > MAX_LABELS
        or not all(isinstance(one, str) and one for one in labels)
    ):
        raise InvalidInput(_("“labels” must be a list of at most %(max)d names.") % {"max": MAX_LABELS})
    if labels and not task.has_labels:
        raise InvalidInput(_("This kind of task has no labels."))


def _check_numbers(wish: Wish) -> None:
    for name in ("dev_share", "test_share"):
        value = getattr(wish, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.5:
            raise InvalidInput(_("“%(name)s” must be a number from 0 to 0.5.") % {"name": name})
    if type(wish.seed) is not int or not 0 <= wish.seed <= MAX_SEED:
        raise InvalidInput(_("“seed” must be a whole number from 0 to %(max)d.") % {"max": MAX_SEED})
    if type(wish.only_check) is not bool:
        raise InvalidInput(_("“only_check” must be true or false."))
    for name in ("recipe", "architecture"):
        if not isinstance(getattr(wish, name), dict):
            raise InvalidInput(_("“%(name)s” must be an object.") % {"name": name})
