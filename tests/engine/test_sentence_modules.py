"""Vectors of texts are those that the author's files describe; what the files ask for beyond that is refused."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.builders import edit_json
from tests.engine.embedding import TEXTS, hidden_states, save_body, save_modules, write_json
from worker.engine.contracts import EngineError, EvaluateSpec

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def body(bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_body(bert_folder, tmp_path_factory.mktemp("bodies") / "body")


@pytest.fixture
def model(body: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(body, tmp_path / "model"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the files of sentence-transformers alone."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def read(folder: Path) -> Any:
    from worker.engine.folder import ModelFolder
    from worker.engine.sentence_modules import read_modules

    return read_modules(ModelFolder(str(folder)), 32)


def pooled(folder: Path, rows: list[np.ndarray]) -> np.ndarray:
    """Pool hidden states (tokens, size) in one batch, with padding that would spoil every number."""
    import torch

    width = max(map(len, rows))
    hidden, mask = torch.full((len(rows), width, 32), 1e6), torch.zeros(len(rows), width, dtype=torch.long)
    for place, row in enumerate(rows):
        hidden[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    vectors: np.ndarray = read(folder).vectors(hidden, mask).numpy()
    return vectors


def random_states() -> list[np.ndarray]:
    random = np.random.RandomState(3)
    return [random.randn(tokens, 32).astype(np.float32) for tokens in (7, 1, 4)]


def embed(model: Path, texts: list[str] = TEXTS, names: tuple[str, ...] = (), **options: Any) -> np.ndarray:
    from worker.engine.answering.embedder import load_embedder

    spec = EvaluateSpec(
        task="sentence-similarity", model_dir=str(model), inputs="", out_dir="", device="cpu", **options
    )
    embedder = load_embedder(spec)
    return embedder.embed(texts, prompt=embedder.modules.prompt(names)).vectors


def test_a_model_without_such_files_is_pooled_by_the_mean(model):
    expected = [states.mean(axis=0) for states in hidden_states(model, TEXTS)]
    assert embed(model) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, lambda states: states[0]),
        ({"pooling_mode_mean_tokens": True}, lambda states: states.mean(axis=0)),
        ({"pooling_mode_max_tokens": True}, lambda states: states.max(axis=0)),
        ({"pooling_mode_lasttoken": True}, lambda states: states[-1]),
        ({"pooling_mode": "mean", "embedding_dimension": 32}, lambda states: states.mean(axis=0)),
        ({"pooling_mode": ["mean", "cls"]}, lambda states: np.concatenate([states[0], states.mean(axis=0)])),
    ],
    ids=["cls", "mean", "max", "last", "newer file", "two"],
)
def test_the_pooling_is_the_one_of_the_file(files, said, expected):
    save_modules(files, said)
    rows = random_states()
    assert pooled(files, rows) == pytest.approx(np.array([expected(row) for row in rows]), abs=1e-6)


def test_what_follows_the_pooling_is_applied_in_its_order(files):
    import torch

    save_modules(files, {"pooling_mode_mean_tokens": True}, "Dense", "Normalize")
    torch.manual_seed(5)
    weight, bias = torch.randn(5, 32).double().numpy(), torch.randn(5).double().numpy()
    means = np.array([row.mean(axis=0) for row in random_states()])
    expected = np.tanh(means @ weight.T + bias)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert pooled(files, random_states()) == pytest.approx(expected, abs=1e-6)


def test_queries_and_documents_get_the_prompts_of_the_author(files, model):
    prompts = {"query": "good ", "passage": "bad ", "other": "sad "}
    save_modules(files, {"pooling_mode_mean_tokens": True}, prompts=prompts, default_prompt_name="other")
    modules = read(files)
    for names, before in ((("query",), "good "), (("document", "passage"), "bad "), ((), "sad "), (("x",), "sad ")):
        assert modules.prompt(names) == before
    save_modules(model, {"pooling_mode_cls_token": True}, prompts=prompts)
    expected = [states[0] for states in hidden_states(model, ["good " + text for text in TEXTS], max_length=16)]
    assert embed(model, names=("query",)) == pytest.approx(np.array(expected), abs=1e-5)


def test_the_batch_size_does_not_matter_and_equal_texts_have_equal_vectors(model):
    one, many = embed(model, token_budget=1), embed(model, [*TEXTS, TEXTS[0]], token_budget=100_000)
    assert many[:-1] == pytest.approx(one, abs=1e-5)
    assert (many[-1] == many[0]).all()


def test_a_body_is_taken_without_its_pooler(model, tmp_path):
    from safetensors.torch import load_file, save_file

    bare = Path(shutil.copytree(model, tmp_path / "bare"))
    kept = {name: tensor for name, tensor in load_file(model / "model.safetensors").items() if "pooler" not in name}
    save_file(kept, bare / "model.safetensors", {"format": "pt"})
    assert embed(bare) == pytest.approx(embed(model), abs=1e-5)


def test_the_head_that_a_body_was_pretrained_with_is_left_behind_where_the_author_says_so(bert_folder, tmp_path):
    from transformers import BertConfig, BertForMaskedLM

    folder = Path(shutil.copytree(bert_folder, tmp_path / "masked"))
    BertForMaskedLM(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    with pytest.raises(EngineError, match="body alone with AutoModel") as caught:
        embed(folder)
    assert caught.value.code == "unsupported_architecture"
    save_modules(folder, {"pooling_mode_cls_token": True})
    expected = [states[0] for states in hidden_states(folder, TEXTS, max_length=16)]
    assert embed(folder) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("model_type", ["albert", "deberta-v2", "gpt2", "mobilebert", "mpnet", "qwen3", "squeezebert"])
def test_bodies_of_many_kinds_make_vectors(model_type, tmp_path):
    import torch

    from tests.engine.test_architectures import save_random
    from worker.engine.model_config import DECODERS, ENCODERS

    body = save_random(model_type, tmp_path, f"{(ENCODERS | DECODERS)[model_type]}Model")
    numbers = [[3, 4], [5, 9, 12, 40, 41], [7]]
    with torch.inference_mode():
        states = [body(input_ids=torch.tensor([row])).last_hidden_state[0].double().numpy() for row in numbers]
    found = embed(tmp_path, [" ".join(f"w{number}" for number in row) for row in numbers])
    assert found == pytest.approx(np.array([row.mean(axis=0) for row in states]), abs=1e-4)


def spoil_pooling(folder: Path, **said: Any) -> None:
    edit_json(folder / "1_Pooling" / "config.json", **said)


def spoil_modules(folder: Path, *modules: Any) -> None:
    write_json(folder / "modules.json", list(modules))


def module(kind: str, path: str) -> dict[str, Any]:
    return {"idx": 0, "name": "0", "path": path, "type": kind}


ENCODER = module("sentence_transformers.models.Transformer", "")
POOLING = module("sentence_transformers.models.Pooling", "1_Pooling")
SPOILS: list[tuple[Any, str]] = [
    (lambda folder: (folder / "modules.json").write_text("[1"), "cannot be read as JSON"),
    (lambda folder: (folder / "modules.json").write_text("{}"), "must hold a list"),
    (lambda folder: spoil_modules(folder, ENCODER), "must begin with Transformer and Pooling"),
    (lambda folder: spoil_modules(folder, ENCODER, "x"), "must have a type and a path"),
    (lambda folder: spoil_modules(folder, ENCODER, module("os.system", "")), "asks for 'os.system'"),
    (lambda folder: spoil_modules(folder, ENCODER, module("evil.Pooling", "1_Pooling")), "asks for 'evil.Pooling'"),
    (lambda folder: spoil_modules(folder, ENCODER, POOLING | {"path": "../x"}), "names the folder"),
    (lambda folder: spoil_modules(folder, ENCODER, POOLING | {"path": "7_Pooling"}), "'7_Pooling' is missing"),
    (lambda folder: spoil_modules(folder, ENCODER | {"path": "0_T"}, POOLING), "in the folder '0_T'"),
    (lambda folder: spoil_pooling(folder, word_embedding_dimension=64), "vectors of 64 numbers, the encoder gives 32"),
    (lambda folder: spoil_pooling(folder, pooling_mode_mean_tokens=False), "The pooling"),
    (lambda folder: spoil_pooling(folder, pooling_mode="weightedmean"), "known are cls, max, mean, lasttoken"),
    (lambda folder: spoil_pooling(folder, include_prompt=False), "leaves out the prompt"),
    (lambda folder: edit_json(folder / "2_Dense" / "config.json", activation_function="os.system"), "activation"),
    (lambda folder: (folder / "2_Dense" / "model.safetensors").unlink(), "model.safetensors is missing"),
    (lambda folder: edit_json(folder / "config_sentence_transformers.json", prompts={"query": 1}), "must be texts"),
    (lambda folder: edit_json(folder / "config_sentence_transformers.json", similarity_fn_name="x"), "similarity"),
    (lambda folder: edit_json(folder / "sentence_bert_config.json", max_seq_length="long"), "max_seq_length"),
]


@pytest.mark.parametrize(("spoil", "says"), SPOILS, ids=[says for _spoil, says in SPOILS])
def test_files_that_ask_for_what_is_not_known_are_refused_with_a_reason(files, spoil, says):
    save_modules(files, {"pooling_mode_mean_tokens": True}, "Dense")
    spoil(files)
    with pytest.raises(EngineError) as caught:
        read(files)
    assert says in caught.value.message


def test_a_folder_of_a_module_that_leads_outside_is_refused(files, tmp_path):
    save_modules(files, {"pooling_mode_mean_tokens": True})
    shutil.move(files / "1_Pooling", tmp_path / "outside")
    (files / "1_Pooling").symlink_to(tmp_path / "outside")
    with pytest.raises(EngineError, match="is missing"):
        read(files)
