"""Making a model smaller or writing it in another format: what may be asked, and the run that it becomes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.adapting import allowance, asking, bases, registry, targets, wishes
from models_hub.models import DEFAULT_BRANCH, Commit, Repo, Run
from portal.errors import InvalidInput, SignInRequired
from portal.models import Asker, User

EXPORT, COMPRESS = Run.Kind.EXPORT, Run.Kind.COMPRESS
# What the engine writes, see worker/engine/tuning/exporting/contracts.py and compressing/contracts.py; a test holds
# both equal.
PRECISIONS = {
    "onnx": ("fp32", "fp16", "int8", "int8_static", "int8_weights", "q4"),
    "gguf": ("f32", "f16", "q8_0", "q4_0"),
    "safetensors": (),
}
USUAL = {"onnx": ("fp32", "fp16", "int8"), "gguf": ("f16", "q8_0"), "safetensors": ()}
METHODS = ("quantize", "layers", "heads", "vocabulary")
# Activations are measured on rows.
CALIBRATED = "int8_static"
QUANTIZED = ("int8", "int8_static", "int8_weights", "q4", "fp16")
MAX_LAYERS = 512
# What config.json calls them.
LAYERS, HEADS = ("num_hidden_layers", "n_layers", "n_layer"), ("num_attention_heads", "n_heads", "n_head")
MAX_COUNT = 1_000_000
PICKLE = "pytorch_model.bin"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One export or compression as it is asked for."""

    base: str
    target: str
    base_revision: str = DEFAULT_BRANCH
    # Of exports.
    format: str = ""
    precisions: list[str] = field(default_factory=list)
    # Of compressions.
    method: str = ""
    keep_layers: int | None = None
    keep_heads: int | None = None
    least_count: int = 1
    # What answers are compared on; exports may do without.
    task: str = ""
    data: str = ""
    data_revision: str = DEFAULT_BRANCH
    files: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    seed: int = 0
    title: str = ""

    @property
    def kind(self) -> str:
        return EXPORT if self.format else COMPRESS


def read(values: Mapping[str, Any]) -> Wish:
    """Return a checked wish; raises InvalidInput that names what to mend."""
    known = {one.name for one in fields(Wish)}
    if unknown := sorted(set(values) - known):
        raise InvalidInput(_("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    for name in ("base", "target"):
        if not isinstance(values.get(name), str) or not values[name]:
            raise InvalidInput(_("“%(name)s” is missing.") % {"name": name}, data={"field": name})
    wish = Wish(**values)
    if bool(wish.format) == bool(wish.method):
        raise InvalidInput(_("Name a format to write, or a method to make it smaller, but not both."))
    _check_how(wish)
    if wish.data or wish.method:
        _check_data(wish)
    return wish


def _check_how(wish: Wish) -> None:
    if wish.format:
        _one_of("format", wish.format, tuple(PRECISIONS))
        offered = PRECISIONS[wish.format]
    else:
        _one_of("method", wish.method, METHODS)
        offered = QUANTIZED if wish.method == "quantize" else ()
    if not isinstance(wish.precisions, list) or not set(wish.precisions) <= set(offered):
        choices = ", ".join(offered) or str(_("none"))
        raise InvalidInput(_("%(name)s: must be one of: %(choices)s") % {"name": "precisions", "choices": choices})
    if CALIBRATED in wish.precisions and not wish.data:
        raise InvalidInput(
            _("%(name)s measures activations on rows: name a data set and what the model does.") % {"name": CALIBRATED},
            data={"field": "precisions"},
        )
    bounds = (
        ("keep_layers", MAX_LAYERS, wish.method == "layers"),
        ("keep_heads", MAX_LAYERS, wish.method == "heads"),
        ("least_count", MAX_COUNT, True),
    )
    for name, most, is_wanted in bounds:
        value = getattr(wish, name)
        if is_wanted and (type(value) is not int or not 1 <= value <= most):
            raise InvalidInput(
                _("%(name)s: must be a whole number from %(least)d to %(most)d")
                % {"name": name, "least": 1, "most": most},
                data={"field": name},
            )


def _check_data(wish: Wish) -> None:
    """The rows are named as those of a training are."""
    wishes.read(
        {
            "task": wish.task, "data": wish.data, "target": wish.target, "base": wish.base, "files": wish.files,
            "fields": wish.fields, "labels": wish.labels, "seed": wish.seed, "data_revision": wish.data_revision,
        }
    )  # fmt: skip


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidInput(_("%(name)s: must be one of: %(choices)s") % {"name": name, "choices": ", ".join(choices)})


def ask(wish: Wish, *, by: Asker) -> Run:
    """Ask for an export or a compression; returns it with its job. Raises as `asking.ask` does."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to go on."))
    base = asking.readable(by, Repo.Kind.MODEL, wish.base)
    commit = browsing.resolve_revision(base, wish.base_revision)
    _check_base(base, commit, wish)
    data = data_commit = None
    if wish.data:
        data = asking.readable(by, Repo.Kind.DATASET, wish.data)
        data_commit = browsing.resolve_revision(data, wish.data_revision)
        asking.check_files(data, data_commit, wish.files)
    targets.check(wish.target, by=by)
    how: dict[str, Any] = {
        "format": wish.format,
        "precisions": wish.precisions or list(USUAL.get(wish.format, ("int8",))),
    }
    if wish.kind == COMPRESS:
        how = {
            "method": wish.method, "precisions": wish.precisions or ["int8"], "keep_layers": wish.keep_layers,
            "keep_heads": wish.keep_heads,
            "least_count": wish.least_count,
        }  # fmt: skip
    with transaction.atomic():
        allowance.require(by)
        run = Run.objects.create(
            kind=wish.kind,
            owner=by,
            title=wish.title or f"{wish.base} · {wish.format or wish.method}",
            base=base,
            base_commit=commit.oid,
            data=data,
            data_commit=data_commit.oid if data_commit else "",
            files=wish.files,
            task=wish.task,
            fields=wish.fields,
            settings={"labels": wish.labels} if wish.labels else {},
            options=how,
            seed=wish.seed,
            target=wish.target,
        )
        asking.start(run)
    return run


def _check_base(base: Repo, commit: Commit, wish: Wish) -> None:
    model_type = bases.model_type(base, commit)
    if wish.format == "safetensors":
        paths = set(browsing.items_below(base, commit))
        if not any(path.startswith("pytorch_model") for path in paths):
            raise InvalidInput(
                _("%(model)s has no %(file)s that could be converted.") % {"model": base.full_name, "file": PICKLE}
            )
        return
    family = registry.family(model_type)
    bases.require_weights(base, commit, needs_tokenizer=family != "vision")
    if not family:
        known = ", ".join(sorted(registry.architectures()))
        raise InvalidInput(
            _("Models of type “%(type)s” cannot be converted here; known are: %(known)s.")
            % {"type": model_type[:60], "known": known},
            code="unsupported_architecture",
        )
    if wish.format == "gguf" and family != "decoder":
        raise InvalidInput(
            _("GGUF is for models that write, such as Llama and Qwen; this one is of type “%(type)s”.")
            % {"type": model_type[:60]},
            code="unsupported_architecture",
        )
    _check_sizes(bases.config_of(base, commit), wish)


def _check_sizes(config: Mapping[str, Any], wish: Wish) -> None:
    """Refuse to keep as many layers or heads as there are, where config.json says how many."""
    for name, sizes in (("keep_layers", LAYERS), ("keep_heads", HEADS)):
        there = next((config[size] for size in sizes if type(config.get(size)) is int), None)
        kept = getattr(wish, name) if wish.method == name.removeprefix("keep_") else None
        if there is not None and kept is not None and kept >= there:
            raise InvalidInput(
                _("%(name)s: the model has %(there)d; fewer must be kept.") % {"name": name, "there": there},
                data={"field": name},
            )


def wish_of(run: Run) -> Wish:
    """Return the wish that asks for the same again."""
    how = run.options
    return Wish(
        base=run.base.full_name if run.base else "",
        base_revision=run.base_commit,
        target=run.target,
        format=how.get("format", ""),
        precisions=how.get("precisions", []),
        method=how.get("method", ""),
        keep_layers=how.get("keep_layers"),
        keep_heads=how.get("keep_heads"),
        least_count=how.get("least_count", 1),
        task=run.task,
        data=run.data.full_name if run.data else "",
        data_revision=run.data_commit or DEFAULT_BRANCH,
        files=run.files,
        fields=run.fields,
        labels=run.settings.get("labels", []),
        seed=run.seed,
        title=run.title,
    )


def as_json(wish: Wish) -> dict[str, Any]:
    """Return what `read` takes."""
    return asdict(wish)
