"""The card of a trained model: every number in it comes out of its training."""

from pathlib import Path
from string import Template

from demo.dataset import DATASET, OWNER
from demo.measuring import Measure
from demo.models import TrainedModel

TEMPLATE = Path(__file__).parent / "templates" / "model_card.md"
_CHINESE = {
    "all": "全部",
    "en": "英文",
    "zh": "中文",
    "plain": "直白",
    "negation": "否定",
    "mixed": "褒贬混合",
    "irony": "反讽",
    "comparison": "比较",
    "understatement": "轻描淡写",
}
_ENGLISH = {name: name for name in _CHINESE} | {"en": "English", "zh": "Chinese"}


def model_card(model: TrainedModel) -> str:
    """Return the README.md of a model."""
    spec, summary = model.recipe.spec, model.summary
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=model.recipe.title,
        repo=f"{OWNER}/{model.recipe.name}",
        dataset=DATASET,
        parameters=f"{summary['parameters']:,}",
        vocab_size=f"{summary['vocab_size']:,}",
        layers=spec.layers,
        hidden=spec.hidden,
        heads=spec.heads,
        intermediate=spec.intermediate,
        max_length=spec.max_length,
        train_rows=summary["train_rows"],
        dev_rows=summary["dev_rows"],
        epochs=summary["epochs"],
        best_epoch=summary["best_epoch"],
        steps=summary["steps"],
        lr=f"{spec.lr:g}",
        token_budget=spec.token_budget,
        dropout=f"{spec.dropout:g}",
        token_dropout=f"{spec.token_dropout:g}",
        weight_decay=f"{spec.weight_decay:g}",
        seed=summary["seed"],
        threads=summary["threads"],
        seconds=f"{summary['seconds']:.0f}",
        engine_version=summary["engine_version"],
        measures=_table(model.dev, _ENGLISH),
        measures_zh=_table(model.dev, _CHINESE),
    )


def _table(measures: list[Measure], names: dict[str, str]) -> str:
    rows = (
        f"| {names[row.group]} | {row.n} | {100 * row.accuracy:.1f} | {100 * row.f1_macro:.1f} |" for row in measures
    )
    return "\n".join(rows)
