"""What a repository is noted to be: counted from its files, whatever its card says."""

import json

import pytest
from django.core.management import call_command

from models_hub import counting, describing, publishing, redescribing
from models_hub.browsing import Entry
from models_hub.checking import FileRefused
from models_hub.models import Blob, Repo
from models_hub.publishing import PutFile
from models_hub.weight_sets import weight_sets, whole_models
from tests.models_hub.headers import F32, LLAMA, TENSORS, gguf, message, onnx, onnx_weight, safetensors

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 2048}
SIZES = {"vocab_size": 100, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4}
EMBEDDING = {"model.embed_tokens.weight": ("F32", (100, 8))}
HEAD = {"lm_head.weight": ("F32", (100, 8))}


def config(**more: object) -> str:
    return json.dumps(CONFIG | SIZES | more)


@pytest.fixture
def described(alice, make_repo):
    def make(files):
        return make_repo(alice, "tiny", files=files)

    return make


def test_the_config_and_the_weights_tell_what_a_model_is(described):
    repo = described({"config.json": config(), "model.safetensors": safetensors(EMBEDDING)})
    assert (repo.architecture, repo.model_type) == ("LlamaForCausalLM", "llama")
    assert (repo.context_length, repo.vocabulary, repo.parameters) == (2048, 100, 800)
    assert (repo.memory_bytes, repo.precisions, repo.formats) == (3200, ["fp32"], ["safetensors"])
    assert repo.counted["layers"] == 2
    assert repo.described_with == describing.RULES


def test_tied_tables_are_counted_once_where_the_config_says_so(described):
    both = safetensors(EMBEDDING | HEAD)
    assert described({"config.json": config(tie_word_embeddings=True), "model.safetensors": both}).parameters == 800


def test_tables_that_are_not_tied_are_counted_both(described):
    both = safetensors(EMBEDDING | HEAD)
    assert described({"config.json": config(), "model.safetensors": both}).parameters == 1600


def test_the_same_model_in_another_precision_is_not_counted_again(described):
    half = safetensors({"model.embed_tokens.weight": ("F16", (100, 8))})
    repo = described({"model.safetensors": safetensors(EMBEDDING), "model.fp16.safetensors": half})
    assert (repo.parameters, repo.memory_bytes, repo.precisions) == (800, 1600, ["fp32", "fp16"])


def test_shards_are_one_model(described):
    files = {
        "model-00001-of-00002.safetensors": safetensors(EMBEDDING),
        "model-00002-of-00002.safetensors": safetensors(HEAD),
    }
    assert described(files).parameters == 1600


def test_a_model_that_lacks_a_shard_is_not_counted(described):
    repo = described({"model-00001-of-00002.safetensors": safetensors(EMBEDDING)})
    assert (repo.parameters, repo.memory_bytes) == (None, None)


def test_quantized_words_are_counted_by_the_parameters_in_them(described):
    tensors = {"q.qweight": ("I32", (1, 16)), "q.scales": ("F16", (1, 16)), "norm.weight": ("F16", (4,))}
    quantized = config(quantization_config={"quant_method": "gptq", "bits": 4})
    repo = described({"config.json": quantized, "model.safetensors": safetensors(tensors)})
    assert (repo.parameters, repo.precisions) == (16 * 8 + 4, ["4-bit"])


def test_gguf_tells_all_by_itself(described):
    repo = described({"tiny-q4.gguf": gguf(LLAMA, TENSORS)})
    assert (repo.architecture, repo.context_length, repo.vocabulary) == ("llama", 2048, 300)
    assert (repo.parameters, repo.precisions, repo.formats) == (77056, ["4-bit"], ["gguf"])


def test_the_smallest_file_of_several_tells_the_memory(described):
    small, large = gguf(LLAMA, TENSORS), gguf(LLAMA, {"token_embd.weight": ((256, 300), F32)})
    assert described({"a.gguf": large, "b.gguf": small}).memory_bytes == 300 * 144 + 1024


def test_a_gguf_that_lies_is_kept_and_not_counted(described):
    repo = described({"tiny.gguf": gguf(LLAMA, TENSORS)[:-2000]})
    assert (repo.parameters, repo.counted["unread"]) == (None, ["tiny.gguf"])


def test_an_onnx_file_is_counted_by_its_graph_where_nothing_else_is_read(described):
    tables = [onnx_weight("embed_tokens.weight", 1, (100, 8)), onnx_weight("onnx::MatMul_1", 1, (8, 100))]
    repo = described({"config.json": config(tie_word_embeddings=True), "onnx/model.onnx": onnx(tables)})
    assert (repo.parameters, repo.memory_bytes, repo.precisions) == (800, 6400, ["fp32"])


def test_an_onnx_file_whose_weights_are_elsewhere_counts_when_they_are_there(described):
    place = (13, message((1, "location"), (2, "model.onnx_data")))
    graph = onnx([onnx_weight("w", 1, (100, 8), place)])
    lacking = described({"onnx/model.onnx": graph, "onnx/model.onnx_data": bytes(3199)})
    assert (lacking.parameters, lacking.counted["unread"]) == (None, ["onnx/model.onnx"])
    publishing.commit(
        repo=lacking, by=lacking.created_by, changes=[PutFile("onnx/model.onnx_data", bytes(3200))], title="Mend"
    )
    lacking.refresh_from_db()
    assert (lacking.parameters, lacking.memory_bytes) == (800, 3200)


def test_an_adapter_has_no_memory_of_its_own(described):
    adapter = json.dumps({"peft_type": "LORA", "r": 8, "base_model_name_or_path": "bob/base"})
    weights = safetensors({"q.lora_A.weight": ("F32", (8, 8))})
    repo = described({"adapter_config.json": adapter, "adapter_model.safetensors": weights})
    assert (repo.parameters, repo.memory_bytes) == (64, None)
    assert "base_model:adapter:bob/base" in repo.labels.values_list("text", flat=True)


def test_modules_of_a_sentence_encoder_belong_to_it(described):
    dense = safetensors({"linear.weight": ("F32", (4, 8))})
    files = {
        "modules.json": json.dumps([{"path": ""}, {"path": "2_Dense"}]),
        "sentence_bert_config.json": '{"max_seq_length": 128}',
        "config.json": config(),
        "model.safetensors": safetensors(EMBEDDING),
        "2_Dense/model.safetensors": dense,
        "checkpoint-5/model.safetensors": safetensors(EMBEDDING),
    }
    repo = described(files)
    assert (repo.parameters, repo.context_length) == (832, 128)


def test_a_lie_cannot_enter_under_another_name(alice, make_repo):
    repo = make_repo(alice, "tiny", files={"x.gguf": b"\x00lies"})
    blob = Blob.objects.get(repo_blobs__repo=repo)
    assert blob.header == {"unreadable": True}
    with pytest.raises(FileRefused):
        publishing.commit(
            repo=repo, by=alice, title="x", changes=[publishing.PutLarge("x.safetensors", blob.sha256, blob.size)]
        )


@pytest.mark.parametrize(
    ("card", "label"),
    [
        ("base_model: bob/base", "base_model:finetune:bob/base"),
        ("base_model: [bob/a, bob/b]", "base_model:merge:bob/a"),
        ("base_model: bob/base\nbase_model_relation: quantized", "base_model:quantized:bob/base"),
        ("base_model: bob/base\nbase_model_relation: nonsense", "base_model:finetune:bob/base"),
    ],
)
def test_base_models_are_labelled_with_what_was_done_to_them(described, card, label):
    repo = described({"README.md": f"---\n{card}\n---\n# x\n"})
    assert label in repo.labels.values_list("text", flat=True)


@pytest.mark.parametrize(
    ("licence", "kind"),
    [("mit", "permissive"), ("gpl-3.0", "copyleft"), ("cc-by-nc-4.0", "restricted"), ("mine", "other")],
)
def test_a_licence_has_a_class(described, licence, kind):
    repo = described({"README.md": f"---\nlicense: {licence}\n---\n# x\n"})
    assert (repo.license_class, repo.has_card) == (kind, True)


def test_metadata_alone_is_no_card(described):
    repo = described({"README.md": "---\ntags: [a]\n---\n\n"})
    assert (repo.license_class, repo.has_card) == ("unknown", False)


def test_what_older_rules_described_is_described_again(described, capsys):
    repo = described({"config.json": config(), "model.safetensors": safetensors(EMBEDDING)})
    Blob.objects.update(header=None)
    Repo.objects.update(described_with=0, parameters=None, architecture="", has_card=True)
    before = repo.updated_at
    call_command("describe_repos")
    repo.refresh_from_db()
    assert (repo.parameters, repo.architecture, repo.has_card) == (800, "LlamaForCausalLM", False)
    assert (repo.updated_at, repo.described_with) == (before, describing.RULES)
    assert redescribing.describe_due() == 0


def test_what_is_still_with_another_hub_is_measured_and_not_read(alice, make_repo):
    repo = make_repo(alice, "copy")
    blob = Blob(sha256="0" * 64, size=1000, pointer_oid="0" * 40)
    blob.awaited_by = repo
    entry = Entry("model.safetensors", "0" * 40, is_folder=False, size=1000, blob=blob)
    counts = counting.count(repo, {entry.path: entry})
    assert (counts.parameters, counts.memory_bytes, counts.formats) == (None, 1000, ["safetensors"])
    assert counts.counted["unread"] == ["model.safetensors"]


def test_an_index_knows_better_than_names_do():
    index = {"model.safetensors.index.json": ["a.safetensors", "b.safetensors"]}
    sets = weight_sets(["a.safetensors", "b.safetensors"], index)
    assert [one.paths for one in whole_models(sets, [])[0]] == [["a.safetensors", "b.safetensors"]]


def test_an_index_that_names_a_missing_shard_makes_no_model():
    assert weight_sets(["a.safetensors"], {"model.safetensors.index.json": ["a.safetensors", "b.safetensors"]}) == []
