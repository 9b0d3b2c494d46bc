"""The card of a model that a run made, and the files beside it that say how: written from what the run's row holds."""

import json
from collections.abc import Iterator
from typing import Any

import yaml
from django.contrib.auth.models import AnonymousUser

from models_hub.adapting import aids, asking, converting, following, seeing
from models_hub.models import Repo, Run

FOLDER = "training"
MAX_ROWS = 40
# What else a run read, in both languages.
AIDS = {
    "teacher": "Teacher / 教师模型",
    "words": "Fills in words / 填词模型",
    "there": "Translates / 翻译模型",
    "back": "Translates back / 回译模型",
    "unlabelled": "Rows without labels / 未标注数据",
}


def card(run: Run) -> str:
    """Return README.md: metadata that programs read, and in both languages what was done and what came of it."""
    parts = [
        f"# {run.target.partition('/')[2]}",
        _introduction(run),
        _table(_made_from(run)),
        _scores(run),
        _costs(run),
        _recipe(run),
    ]
    if run.kind == Run.Kind.FINETUNE:
        parts.append(_repeating())
    return f"---\n{_metadata(run)}---\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def hidden(run: Run) -> set[int]:
    """Return which of base and data may not be named: the result goes to a model that everybody sees, they are not."""
    everybody, (owner, _slash, name) = AnonymousUser(), run.target.partition("/")
    seen = Repo.objects.visible_to(everybody)
    goal = seen.filter(pk=run.result_id) if run.result_id else seen.named(Repo.Kind.MODEL, owner, name)
    if not goal.exists():
        return set()
    named = {pk for pk in (run.base_id, run.data_id) if pk} | aids.ids_of([run])
    return named - seeing.seen([run], everybody)


def _repeating() -> str:
    return (
        "## Repeat it / 重现\n\n"
        f"`{FOLDER}/recipe.json` holds everything that was asked for, `{FOLDER}/log.jsonl` the curve. "
        f"`{FOLDER}/train.py`, where it is there, repeats the training without the portal.\n\n"
        f"`{FOLDER}/recipe.json` 记录了全部设置，`{FOLDER}/log.jsonl` 是训练曲线；"
        f"如有 `{FOLDER}/train.py`，可在本站之外重复训练。"
    )


def records(run: Run) -> dict[str, bytes]:
    """Return the files that say how the model was made, by name."""
    is_training = run.kind == Run.Kind.FINETUNE
    wish = asking.wish_of(run).as_json() if is_training else converting.as_json(converting.wish_of(run))
    report, unnamed = run.data_report, hidden(run)
    if unnamed:
        wish["title"] = ""  # it may name what is hidden
    if run.base_id in unnamed:
        wish["base"] = ""
    if run.data_id in unnamed:
        wish |= {"data": "", "files": {}, "fields": {}}
        report = {"rows": report.get("rows", {})}
    if any(aid.repo_id in unnamed for aid in aids.of(run).values()):
        wish["teacher"] = {name: value for name, value in wish["teacher"].items() if name not in aids.NAMES}
        wish |= {"helpers": {}, "unlabelled": {}}
    recipe: dict[str, Any] = {
        "wish": wish,
        "settings": run.settings,
        "summary": run.summary,
        "data": report,
        "scores": run.scores,
    }
    log = "".join(
        json.dumps(point, ensure_ascii=False) + "\n" for point in following.after(run, 0, following.MAX_POINTS)
    )
    found = {"recipe.json": (json.dumps(recipe, indent=1, ensure_ascii=False) + "\n").encode()}
    return found | ({"log.jsonl": log.encode()} if log else {})


def _metadata(run: Run) -> str:
    base, data, unnamed = run.base, run.data, hidden(run)
    task = run.task or (base.task if base else "")
    how = run.options.get("format") or run.options.get("method")
    values: dict[str, Any] = {
        "pipeline_tag": task.replace("text-pair-classification", "text-classification"),
        "library_name": how if how in ("gguf", "onnx") else "transformers",
        "tags": [how or ("fine-tuned" if base else "from-scratch")],
    }
    values = {name: value for name, value in values.items() if value}
    is_training = run.kind == Run.Kind.FINETUNE
    if base is not None:
        if base.pk not in unnamed:
            values |= {"base_model": [base.full_name]}
            values |= {"base_model_relation": "finetune" if is_training else "quantized"}
        values |= {"license": base.license} if base.license else {}
    teacher = aids.of(run).get(aids.Role.TEACHER)
    if teacher is not None and teacher.repo is not None:
        values["tags"] = [*values.get("tags", []), "distilled"]
        if teacher.repo_id not in unnamed and teacher.repo != base:
            values["base_model"] = [*values.get("base_model", []), teacher.repo.full_name]
            values.setdefault("base_model_relation", "finetune")
            values |= {} if "license" in values or not teacher.repo.license else {"license": teacher.repo.license}
    if data is not None and is_training:
        values |= {} if data.pk in unnamed else {"datasets": [data.full_name]}
        languages = data.languages or (base.languages if base else [])
        values |= {"language": list(languages)} if languages else {}
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False)


def _introduction(run: Run) -> str:
    unnamed = hidden(run)
    begin, begin_zh = ("random numbers", "随机初始化")
    if run.base:
        begin, begin_zh = _named(run.base, unnamed, "a private model", "私有模型")
    data, data_zh = _named(run.data, unnamed, "private data", "私有数据") if run.data else ("–", "–")
    if run.kind != Run.Kind.FINETUNE:
        return f"Converted by a run of this portal from {begin}.\n\n由本站从 {begin_zh} 转换而成。"
    english = f"Made by a run of this portal from {begin} on {data}."
    return f"{english}\n\n由本站的一次训练从 {begin_zh} 出发、用 {data_zh} 训练而成。"


def _named(repo: Repo, unnamed: set[int], *instead: str) -> tuple[str, ...]:
    """Return the name in both languages."""
    return instead if repo.pk in unnamed else (f"`{repo.full_name}`",) * 2


def _made_from(run: Run) -> Iterator[tuple[str, str]]:
    unnamed = hidden(run)
    if run.base and run.base_id not in unnamed:
        yield "Base / 基础模型", f"`{run.base.full_name}` @ `{run.base_commit}`"
    yield from _aids(run, unnamed)
    for name, value in run.architecture.items():
        yield f"{name}", f"{value}"
    if run.data and run.data_id not in unnamed:
        yield "Data / 数据集", f"`{run.data.full_name}` @ `{run.data_commit}`"
    for part, path in () if run.data_id in unnamed else run.files.items():
        yield f"File / 文件 ({part})", f"`{path}`"
    for part, count in run.data_report.get("rows", {}).items():
        yield f"Rows / 行数 ({part})", f"{count}"
    yield "Task / 任务", run.task
    yield "Seed / 随机种子", f"{run.seed}"
    yield from _rounds(run)
    for name in ("device", "threads", "steps", "best_step", "seconds", "parameters", "trained_parameters"):
        if (value := run.summary.get(name)) is not None:
            yield name.replace("_", " "), f"{value}"


def _rounds(run: Run) -> Iterator[tuple[str, str]]:
    for one in run.summary.get("pseudo", {}).get("rounds", []):
        taken = f"{one['taken']} / {run.summary['pseudo']['rows']}"
        yield f"Labelled by itself / 自行标注 ({one['round']})", taken


def _aids(run: Run, unnamed: set[int]) -> Iterator[tuple[str, str]]:
    for role, aid in aids.of(run).items():
        if aid.repo is not None and aid.repo_id not in unnamed:
            yield AIDS[role], f"`{aid.repo.full_name}` @ `{aid.commit}`" + (f" `{aid.path}`" if aid.path else "")
    for name, value in run.options.get("teacher", {}).items():
        yield f"teacher: {name.replace('_', ' ')}", f"{value}"


def _scores(run: Run) -> str:
    after, before = run.scores.get("after"), run.scores.get("before")
    if not after:
        return ""
    head = ["Metric / 指标", "After / 训练后", *(["Before / 训练前"] if before else [])]
    lines = ["## Test score / 测试得分", "", _line(head), _line(["---"] * len(head))]
    for name, metric in after["metrics"].items():
        cells = [name, _value(metric), *([_value(before["metrics"].get(name, {}))] if before else [])]
        lines.append(_line(cells))
    lines += ["", f"{after['n']} rows; 95 % intervals / {after['n']} 行；95% 置信区间"]
    if paired := run.scores.get("paired"):
        difference = f"{paired['difference']:+.4f} [{paired['low']:+.4f}, {paired['high']:+.4f}]"
        lines += ["", f"{paired['name']}: {difference}, p = {paired['p']:.3g} ({paired['test']})"]
    return "\n".join(lines)


def _costs(run: Run) -> str:
    """Return what a smaller model cost and won, or the files of an export."""
    table, files = run.summary.get("table"), run.summary.get("files")
    if isinstance(table, list):
        head = ["", "Score / 得分", "p50 ms", "rows/s", "MB", "Lost / 损失"]
        rows = [_line(_cost(row)) for row in table]
        return "## Before and after / 前后对比\n\n" + "\n".join([_line(head), _line(["---"] * len(head)), *rows])
    if isinstance(files, dict):
        named = [(f"`{name}`", f"{one['bytes'] / 1e6:.1f} MB, sha256 `{one['sha256']}`") for name, one in files.items()]
        return "## Files / 文件\n\n" + _table(named)
    return ""


def _cost(row: dict[str, Any]) -> list[str]:
    lost = f"{row['lost']:.4f}" if row.get("lost") is not None else ""
    speed = [f"{row['p50_ms']:.2f}", f"{row['examples_per_second']:.0f}", f"{row['bytes'] / 1e6:.1f}"]
    return [str(row["name"]), _value(row["score"]), *speed, lost]


def _recipe(run: Run) -> str:
    rows = [(name, json.dumps(value, ensure_ascii=False)) for name, value in run.recipe.items()]
    return "## Recipe / 训练设置\n\n" + _table(rows[:MAX_ROWS]) if rows else ""


def _table(rows: Any) -> str:
    lines = [_line([name, value]) for name, value in rows]
    return "\n".join(["| | |", "| --- | --- |", *lines]) if lines else ""


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _value(metric: dict[str, Any]) -> str:
    if "value" not in metric:
        return "–"
    low, high = metric.get("low"), metric.get("high")
    interval = f" [{low:.4f}, {high:.4f}]" if low is not None and high is not None else ""
    return f"{metric['value']:.4f}{interval}"
