"""ONNX files in the layout that other programs find, each run and compared with the model."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.engine.builders import LABELS, edit_json
from tests.engine.causal_models import build_gpt2, build_llama
from tests.engine.embedding import TEXTS as SENTENCES
from tests.engine.embedding import mean_vectors, save_body, save_modules
from tests.engine.tuning.exported import TEXTS, arranged, made, with_head
from worker.engine.contracts import EngineError
from worker.engine.tuning.compressing import measuring
from worker.engine.tuning.compressing.stand_ins import load_onnx
from worker.engine.tuning.exporting import onnx_writing
from worker.engine.tuning.exporting.contracts import ExportSpec

pytestmark = pytest.mark.engine
CLASSIFIED = ("ForSequenceClassification",)


@pytest.fixture(scope="module")
def exported(bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """All precisions of a classifier, which need no calibration."""
    place = tmp_path_factory.mktemp("onnx")
    return place / "model", made(bert_folder, place, format="onnx", precisions=["fp32", "fp16", "int8", "int8_weights"])


def test_files_lie_where_optimum_and_transformers_js_look(exported):
    folder, manifest = exported
    names = {path.name for path in (folder / "onnx").iterdir()}
    assert names == {"model.onnx", "model_fp16.onnx", "model_quantized.onnx", "model_q8.onnx", "manifest.json"}
    assert {"config.json", "tokenizer.json", "tokenizer_config.json"} <= {path.name for path in folder.iterdir()}
    assert json.loads((folder / "onnx" / "manifest.json").read_text("utf-8")) == manifest
    assert manifest["refused"] == {}


def test_full_precision_equals_the_model_on_padded_batches_of_many_shapes(exported):
    check = exported[1]["files"]["model.onnx"]["check"]
    assert len(check["shapes"]) == 5
    assert check["max_abs_difference"] < 1e-4
    assert check["same_winner"] == 1.0


def test_the_file_says_its_version_and_hides_where_it_was_made(exported):
    folder, manifest = exported
    model = onnx.load(str(folder / "onnx" / "model.onnx"))
    assert (model.ir_version, manifest["ir_version"]) == (9, 9)
    assert b"site-packages" not in (folder / "onnx" / "model.onnx").read_bytes()
    assert manifest["opset"] == 17


def test_fewer_bits_make_smaller_files_that_mostly_agree(exported):
    files = exported[1]["files"]
    full = files["model.onnx"]["bytes"]
    for name in ("model_fp16.onnx", "model_quantized.onnx", "model_q8.onnx"):
        assert files[name]["bytes"] < full
        assert 0 < files[name]["check"]["max_abs_difference"] < 1.5


def test_onnxruntime_alone_answers_from_the_published_files(exported, bert_folder):
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder, _manifest = exported
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    encoding = tokenizer.encode(TEXTS[0])
    session = onnxruntime.InferenceSession(str(folder / "onnx" / "model.onnx"), providers=["CPUExecutionProvider"])
    [logits] = session.run(
        None,
        {
            "input_ids": np.array([encoding.ids]),
            "attention_mask": np.array([encoding.attention_mask]),
            "token_type_ids": np.array([encoding.type_ids]),
        },
    )
    model = AutoModelForSequenceClassification.from_pretrained(bert_folder).eval()
    wanted = model(**AutoTokenizer.from_pretrained(bert_folder)(TEXTS[0], return_tensors="pt")).logits
    assert np.abs(logits - wanted.detach().numpy()).max() < 1e-4


def test_the_model_is_left_in_eval_mode(bert_folder):
    from worker.engine.folder import ModelFolder
    from worker.engine.tuning.exporting.graphs import graph_of
    from worker.engine.tuning.exporting.kinds import load_subject

    kind, model = load_subject(str(bert_folder))
    graph = graph_of(kind, model, ModelFolder(str(bert_folder)))
    assert not any(module.training for module in graph.module.modules())
    graph.module.train()
    with pytest.raises(EngineError, match="training mode"):
        onnx_writing._assert_in_eval_mode(graph)


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        ("ForTokenClassification", ["logits"]),
        ("ForQuestionAnswering", ["start_logits", "end_logits"]),
    ],
)
def test_heads_that_speak_of_each_token(bert_folder, tmp_path, head, outputs):
    model = with_head(bert_folder, tmp_path / "model", head)
    manifest = made(model, tmp_path / "out", format="onnx", precisions=["fp32"])
    assert manifest["outputs"] == outputs
    assert manifest["files"]["model.onnx"]["check"]["max_abs_difference"] < 1e-3


def test_vectors_of_sentences_come_pooled_as_the_author_says(bert_folder, tmp_path):
    model = save_body(bert_folder, tmp_path / "model")
    save_modules(model, {"pooling_mode_mean_tokens": True}, "Normalize")
    manifest = made(model, tmp_path / "out", format="onnx", precisions=["fp32"])
    assert manifest["outputs"] == ["last_hidden_state", "sentence_embedding"]
    folder = tmp_path / "out" / "model"
    assert (folder / "1_Pooling" / "config.json").exists()
    loaded = load_onnx(str(folder), "onnx/model.onnx", heads=("Model",), threads=1)
    tokens = loaded.tokenizer.tokenize(SENTENCES, max_length=64, vocab_size=loaded.vocab_size, filler=0)
    from worker.engine.inference import output

    vectors = output(loaded, tokens).sentence_embedding.numpy()
    assert np.abs(vectors - mean_vectors(model, SENTENCES)).max() < 1e-5


@pytest.mark.parametrize("build", [build_gpt2, build_llama])
def test_models_that_write_write_the_same_tokens_with_a_cache(tmp_path, build):
    model = tmp_path / "model"
    model.mkdir()
    build(model, TEXTS)
    manifest = made(model, tmp_path / "out", format="onnx", precisions=["fp32", "q4"])
    check = manifest["files"]["model.onnx"]["check"]
    assert check["same_tokens"] is True
    assert [3, 1, 11] in check["shapes"]
    assert manifest["inputs"][:4] == ["input_ids", "attention_mask", "position_ids", "past_key_values.0.key"]
    assert (tmp_path / "out" / "model" / "generation_config.json").exists()


def test_rows_give_each_file_a_score_beside_the_models_own(bert_folder, tmp_path, hurried, monkeypatch):
    from io import StringIO

    from worker.engine.progress import Progress

    monkeypatch.setattr(measuring, "measure_apart", lambda spec: measuring.measure(spec, Progress(StringIO())))
    rows = str(arranged(tmp_path / "rows.jsonl", 40))
    settings = {"task": "text-classification", "settings": {"labels": LABELS}, "rows": rows}
    manifest = made(
        bert_folder, tmp_path / "out", format="onnx", precisions=["fp32", "int8_static"], calibration=rows, **settings
    )
    assert manifest["before"]["rows"] == 40
    full, static = (manifest["files"][name]["rows"] for name in ("model.onnx", "model_int8.onnx"))
    assert (full["agreement"], full["lost"], full["passed"]) == (1.0, 0.0, True)
    assert static["agreement"] >= 0.7
    assert static["passed"] == (static["lost"] <= 0.01)


def test_a_measurement_runs_in_a_process_of_its_own(bert_folder, tmp_path):
    from worker.engine.tuning.compressing.contracts import MeasureSpec

    rows = arranged(tmp_path / "rows.jsonl", 8)
    measured = measuring.measure_apart(
        MeasureSpec(
            task="text-classification", settings={"labels": LABELS}, model_dir=str(bert_folder), rows=str(rows),
            out_dir=str(tmp_path / "out"),
        )
    )  # fmt: skip
    assert measured["memory_bytes"] > 0
    assert measured["latency"]["p90_ms"] >= measured["latency"]["p50_ms"] > 0


def test_the_newer_exporter_takes_over_where_the_older_fails(bert_folder, tmp_path, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(onnx_writing, "_trace", fail)
    manifest = made(bert_folder, tmp_path, format="onnx", precisions=["fp32"])
    assert (manifest["exporter"], manifest["opset"]) == ("dynamo", 18)
    assert manifest["files"]["model.onnx"]["check"]["max_abs_difference"] < 1e-4


def test_a_precision_that_fails_is_named_and_the_others_are_kept(bert_folder, tmp_path, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise ValueError("no halves")

    monkeypatch.setattr(onnx_writing, "half", fail)
    manifest = made(bert_folder, tmp_path, format="onnx", precisions=["fp32", "fp16"])
    assert "no halves" in manifest["refused"]["fp16"]
    assert list(manifest["files"]) == ["model.onnx"]


def test_adapters_that_are_inputs_are_refused(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "PREFIX_TUNING"}), encoding="utf-8")
    with pytest.raises(EngineError, match="cannot become part of the weights"):
        made(tmp_path, tmp_path / "out", format="onnx")


def test_a_decoder_that_classifies_needs_to_know_its_padding(tmp_path):
    from transformers import GPT2Config, GPT2ForSequenceClassification

    build_gpt2(tmp_path, TEXTS)
    GPT2ForSequenceClassification(GPT2Config.from_pretrained(tmp_path)).save_pretrained(tmp_path)
    edit_json(tmp_path / "config.json", pad_token_id=None)
    with pytest.raises(EngineError, match="pad_token_id"):
        made(tmp_path, tmp_path / "out", format="onnx")


def test_seq2seq_is_refused_with_the_reason(bert_folder, tmp_path):
    model = Path(shutil.copytree(bert_folder, tmp_path / "model"))
    edit_json(model / "config.json", model_type="t5")
    with pytest.raises(EngineError, match="encoder and a decoder"):
        made(model, tmp_path / "out", format="onnx")


def test_a_precision_of_another_format_is_refused():
    with pytest.raises(EngineError, match="precisions of gguf"):
        ExportSpec(model_dir="m", out_dir="o", format="gguf", precisions=["int8"])
