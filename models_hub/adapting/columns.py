"""Which column is which: guessed for a form, and checked before a run is asked for."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.adapting import registry, samples, texts
from models_hub.adapting.samples import Sample
from models_hub.adapting.wishes import CONVERSING, MESSAGES, PARTS, Wish
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput

# Names that columns often have in data sets, the likeliest first; none is meant for two roles of one task.
USUAL = {
    "input": (
        "text", "sentence", "sentence1", "text1", "premise", "question", "source", "input", "prompt", "content",
        "review", "comment", "document", "article", "tokens", "image",
        "文本", "句子", "内容", "评论", "问题", "原文", "正文",
    ),
    "input2": ("sentence2", "text2", "hypothesis", "passage", "句子2", "文本2"),
    "target": (
        "label", "labels", "class", "category", "sentiment", "answer", "answers", "score", "target", "output",
        "response", "completion", "translation", "summary", "tags", "ner_tags", "rating",
        "标签", "类别", "分类", "情感", "答案", "评分", "译文", "摘要",
    ),
    "context": ("context", "passage", "paragraph", "上下文", "段落", "文章"),
}  # fmt: skip
MANY = 20  # labels of as many rows: it is not the column with the labels
# Kinds of tasks in which each row has one of several labels.
CLOSED = ("text-classification", "text-pair-classification", "image-classification")


def guess(task: registry.Task, names: Sequence[str]) -> dict[str, str]:
    """Return the column of each role as far as names tell, and the last one where only one role and column are left."""
    folded = {name.strip().lower(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for role, default in task.columns.items():
        usual = (default, *(USUAL[role] if role not in task.optional else ()))
        name = next((folded[one] for one in usual if one in folded and folded[one] not in found.values()), "")
        if name:
            found[role] = name
    missing = [role for role in task.columns if role not in found and role not in task.optional]
    left = [name for name in names if name not in found.values()]
    return found | ({missing[0]: left[0]} if len(missing) == len(left) == 1 else {})


def require(data: Repo, commit: Commit, wish: Wish) -> None:
    """Refuse files from which nothing can be learned, as far as their beginnings tell; raises InvalidInput."""
    task = registry.find_task(wish.task)
    _require_different(wish)
    for part in PARTS:
        if path := wish.files.get(part):
            sample = samples.read(data, browsing.find(data, commit, path))
            if sample.problem:
                raise InvalidInput(sample.problem, code="bad_table", data={"field": part})
            _require_columns(sample, path, wish, task)
            if part == "train" and sample.is_whole:
                _require_labels(sample, path, wish, task)


def _require_different(wish: Wish) -> None:
    roles: dict[str, str] = {}
    for role, column in wish.fields.items():
        if column in roles:
            values = {"column": column[:80], "one": texts.ROLES[roles[column]], "other": texts.ROLES[role]}
            raise InvalidInput(
                _("The column “%(column)s” is chosen for “%(one)s” and for “%(other)s”. Choose two columns.") % values,
                code="same_column",
                data={"field": f"fields.{role}"},
            )
        roles[column] = role


def _require_columns(sample: Sample, path: str, wish: Wish, task: registry.Task) -> None:
    for role, column in _wanted(sample, wish, task).items():
        if sample.columns and len(sample.columns) < samples.MAX_COLUMNS and column not in sample.columns:
            known = ", ".join(sample.columns)[:500]
            values = {"path": path, "column": column[:80], "role": texts.ROLES[role], "known": known}
            raise InvalidInput(
                _("%(path)s has no column “%(column)s” for “%(role)s”. Choose one of its columns: %(known)s.") % values,
                code="missing_column",
                data={"field": f"fields.{role}"},
            )


def _wanted(sample: Sample, wish: Wish, task: registry.Task) -> Mapping[str, str]:
    """Return the columns without which no row can be read."""
    if wish.task == CONVERSING and MESSAGES in (wish.fields.get("input"), *sample.columns):
        return {}  # conversations hold their answers
    needed = {role: column for role, column in task.columns.items() if role not in task.optional}
    return {**needed, **wish.fields}


def _require_labels(sample: Sample, path: str, wish: Wish, task: registry.Task) -> None:
    if wish.task not in CLOSED:
        return
    column = wish.fields.get("target", task.columns["target"])
    labels = {str(row[column]) for row in sample.rows if row.get(column) not in (None, "")}
    if len(labels) > 1 and (len(labels) < MANY or len(labels) < len(sample.rows)):
        return
    if len(labels) > 1:
        reason = _(
            "Each row of %(path)s has an answer of its own in “%(column)s”, so nothing can be learned. Choose the"
            " column with the labels."
        )
    elif labels:
        reason = _(
            "Each row of %(path)s has the same answer in “%(column)s”, so there is nothing to tell apart. Add rows with"
            " other answers."
        )
    else:
        reason = _("No row of %(path)s has an answer in “%(column)s”. Fill that column in, or choose another one.")
    raise InvalidInput(
        reason % {"path": path, "column": column[:80]}, code="bad_labels", data={"field": "fields.target"}
    )
