"""A model whose process was taken over: its job fails with a reason of its own, nothing gets out, the next job runs.

Weights are data and tokenizers are parsed, so code of a model never runs. These tests assume the worst all the same:
in the place of the engine that reads the model, a program of the attacker runs inside the job's own sandbox.
"""

import json
import socket
import struct
import sys
from collections.abc import Callable
from math import prod
from pathlib import Path

import pytest

from leaderboard import submitting
from leaderboard.models import Benchmark, Evaluation
from leaderboard.not_evaluable import NotEvaluable
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import make_benchmark, make_evaluation, model_files
from tests.worker.performing import perform
from worker import sandbox
from worker.jobs import limits

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]
TakeOver = Callable[[str], Callable[[], None]]

PRELUDE = """
import json, os, sys
spec = json.load(open(sys.argv[1]))
root = os.path.dirname(os.path.dirname(sys.argv[1]))
questions = [json.loads(line) for line in open(spec["inputs"])]
def answer(rows):
    for name in ("predictions.jsonl", "perturbed_predictions.jsonl"):
        with open(spec["out_dir"] + "/" + name, "w") as file:
            file.writelines(json.dumps(row) + "\\n" for row in rows)
    with open(spec["out_dir"] + "/report.json", "w") as file:
        json.dump({"engine_version": VERSION}, file)
    print(json.dumps({"result": {}}))
"""
BOMBS = {
    "memory": ("held = []\nwhile True: held.append(bytearray(b'x') * 2**20)", "out_of_memory"),
    "disk": (
        "with open(spec['out_dir'] + '/flood', 'wb') as file:\n    while True: file.write(bytes(2**20))",
        "disk_limit",
    ),
    "fork": ("import time\nwhile True:\n    if os.fork() == 0: time.sleep(60)", "process_limit"),
    "endless": ("while True: pass", "time_limit"),
    "silent": ("sys.exit(3)", "engine_crashed"),
    "answers of nobody": ("answer([{'id': 'x', 'label': 'positive'}])", "bad_predictions"),
    "not a number": ("answer([{'id': q['id'], 'label': float('nan')} for q in questions])", "bad_predictions"),
    "a link": (
        "answer([]); name = spec['out_dir'] + '/predictions.jsonl'; os.remove(name); os.symlink('/etc/hostname', name)",
        "bad_output",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_limits(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")
    settings.JOB_MAX_SECONDS, settings.JOB_MEMORY_MB, settings.JOB_DISK_MB = 60, 256, 16
    monkeypatch.setattr(limits, "PROCESSES", 24)


@pytest.fixture
def benchmark(make_repo: MakeRepo, alice: User) -> Benchmark:
    return make_benchmark(make_repo, alice)


@pytest.fixture
def take_over(monkeypatch: pytest.MonkeyPatch) -> TakeOver:
    """Let a program of the attacker run where the model is read; the other two steps stay the engine's."""
    honest = sandbox.engine_command

    def begin(code: str) -> Callable[[], None]:
        program = PRELUDE.replace("VERSION", repr(submitting.engine_version())) + code

        def command(verb: str, *rest: str) -> list[str]:
            return [sys.executable, "-I", "-S", "-c", program, *rest] if verb == "evaluate" else honest(verb, *rest)

        monkeypatch.setattr(sandbox, "engine_command", command)
        return lambda: monkeypatch.setattr(sandbox, "engine_command", honest)

    return begin


def run(evaluation: Evaluation) -> Evaluation:
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    return Evaluation.objects.select_related("job").get(pk=evaluation.pk)


def said(evaluation: Evaluation) -> dict[str, object]:
    """What the attacker's program printed as its last line before it ended."""
    lines = [line.text for line in evaluation.job.lines.order_by("pk") if line.text.startswith("found ")]
    found: dict[str, object] = json.loads(lines[-1].removeprefix("found "))
    return found


@pytest.mark.parametrize(("code", "reason"), BOMBS.values(), ids=BOMBS.keys())
def test_it_fails_with_a_reason_of_its_own_and_the_next_job_runs(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, take_over: TakeOver, code: str, reason: str,
    settings,
) -> None:  # fmt: skip
    settings.JOB_MAX_SECONDS = 3 if reason == "time_limit" else 60
    give_back = take_over(code)
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    assert evaluation.job.reason_code == reason, evaluation.job.reason_text
    assert evaluation.job.state == ("queued" if reason == "engine_crashed" else "failed")
    assert not evaluation.is_finished
    assert evaluation.job.reason_text
    give_back()
    settings.JOB_MAX_SECONDS = 60
    assert run(make_evaluation(make_repo, alice, benchmark, name="honest")).is_finished


def test_it_reaches_no_network_and_finds_no_secret(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, take_over: TakeOver, settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", "postgres://portal:a-secret@db/portal")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        take_over(f"""
import socket
reached = []
for family, address in (
    (socket.AF_INET, ("127.0.0.1", {listener.getsockname()[1]})), (socket.AF_INET, ("1.1.1.1", 53)),
    (socket.AF_INET6, ("::1", 80)), (socket.AF_UNIX, "/var/run/docker.sock"),
):
    try:
        with socket.socket(family) as connection:
            connection.settimeout(1)
            connection.connect(address)
            reached.append(str(address))
    except OSError:
        pass
files = []
for name in ("/etc/shadow", {str(settings.BASE_DIR / "manage.py")!r}, {str(settings.DATA_DIR)!r}):
    try:
        files.append(os.listdir(name) if os.path.isdir(name) else open(name).read())
    except OSError:
        pass
print("found", json.dumps({{"reached": reached, "files": files, "environment": dict(os.environ)}}))
""")
        evaluation = run(make_evaluation(make_repo, alice, benchmark))
        with pytest.raises(TimeoutError):
            listener.accept()
    found = said(evaluation)
    assert found["reached"] == found["files"] == []
    assert "secret" not in json.dumps(found["environment"])
    assert settings.SECRET_KEY not in json.dumps(found["environment"])
    assert evaluation.job.reason_code == "engine_crashed"


def test_it_sees_the_questions_and_nowhere_an_answer(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, take_over: TakeOver
) -> None:
    hidden = Path(sandbox.__file__).parents[2] / "tests"
    take_over(f"""
seen, guessed = [], []
for folder, names, files in os.walk(root):
    seen += [os.path.relpath(os.path.join(folder, name), root) for name in files]
for name in ("answers/gold.jsonl", "prepared/gold.jsonl", "data/test/test.jsonl", "judged/predictions.jsonl",
             "../lock", "spec/prepare.json"):
    try:
        guessed.append(open(os.path.join(root, name)).read())
    except OSError:
        pass
for place in ("/proc/1/root/tmp", "/proc/1/cwd", "/tmp", {str(hidden)!r}):
    try:
        guessed += [name for name in os.listdir(place) if "gold" in name or name.endswith((".jsonl", ".yaml"))]
    except OSError:
        pass
columns = sorted({{key for question in questions for key in question}})
print("found", json.dumps({{"seen": sorted(seen), "guessed": guessed, "columns": columns}}))
""")
    found = said(run(make_evaluation(make_repo, alice, benchmark)))
    seen = {name for name in found["seen"] if not name.startswith("model/")}  # type: ignore[attr-defined]
    assert seen <= {"questions/inputs.jsonl", "questions/perturbed.jsonl", "spec/evaluate.json"}
    assert found["guessed"] == []
    assert "label" not in found["columns"]  # type: ignore[operator]


def test_code_of_a_model_is_refused_before_it_is_fetched_and_its_template_never_is(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark
) -> None:
    files = model_files()
    config = json.loads(str(files["config.json"])) | {"auto_map": {"AutoModel": "evil.Model"}}
    model = make_repo(alice, "code", files=files | {"config.json": json.dumps(config), "evil.py": "raise SystemExit"})
    with pytest.raises(NotEvaluable) as refused:
        submitting.submit(model, benchmark, by=alice)
    assert refused.value.code == "custom_code"
    endless = "{% for a in range(10**9) %}{% for b in range(10**9) %}x{% endfor %}{% endfor %}"
    template = {"chat_template.jinja": endless, "tokenizer_config.json": json.dumps({"chat_template": endless})}
    evaluation = run(submitting.submit(make_repo(alice, "endless", files=files | template), benchmark, by=alice)[0])
    assert evaluation.is_finished
    assert "chat_template.jinja" not in evaluation.provenance["model"]["files"]


def tiny_bert() -> bytes:
    """All weights of a BERT with one layer, each of them zero."""
    shapes = {"embeddings.word_embeddings": (4, 8), "embeddings.position_embeddings": (16, 8)}
    shapes |= {"embeddings.token_type_embeddings": (2, 8), "embeddings.LayerNorm": (8,), "pooler.dense": (8, 8)}
    layer = "encoder.layer.0."
    shapes |= {f"{layer}attention.self.{name}": (8, 8) for name in ("query", "key", "value")}
    shapes |= {f"{layer}attention.output.dense": (8, 8), f"{layer}intermediate.dense": (8, 8)}
    shapes |= {f"{layer}output.dense": (8, 8)}
    shapes |= {f"{layer}{name}.LayerNorm": (8,) for name in ("attention.output", "output")}
    named = {f"bert.{name}": shape for name, shape in shapes.items()} | {"classifier": (2, 8)}
    tensors = {f"{name}.weight": shape for name, shape in named.items()}
    tensors |= {f"{name}.bias": shape[:1] for name, shape in named.items() if "_embeddings" not in name}
    header, size = {}, 0
    for name, shape in tensors.items():
        end = size + 4 * prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [size, end]}
        size = end
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


@pytest.mark.engine
def test_a_tokenizer_that_grows_without_an_end_is_stopped_in_the_real_engine(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, settings
) -> None:
    settings.FAKE_ENGINE, settings.JOB_MEMORY_MB = False, 1024
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    sizes |= {"max_position_embeddings": 16, "vocab_size": 4, "type_vocab_size": 2}
    files = model_files()
    config = json.loads(str(files["config.json"])) | sizes
    grow = [{"type": "Replace", "pattern": {"String": letter}, "content": letter * 10} for letter in "o" * 9]
    vocab = {"[UNK]": 0, "a": 1, "b": 2, "c": 3}
    tokenizer = {
        "version": "1.0", "added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": grow},
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
    }  # fmt: skip
    files |= {"config.json": json.dumps(config), "tokenizer.json": json.dumps(tokenizer)}
    model = make_repo(alice, "growing", files=files | {"model.safetensors": tiny_bert()})
    evaluation = run(submitting.submit(model, benchmark, by=alice)[0])
    assert (evaluation.job.state, evaluation.job.reason_code) == ("failed", "out_of_memory"), evaluation.job.reason_text
