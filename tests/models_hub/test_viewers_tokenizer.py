"""Text to tokens with a model's own tokenizer, which is hostile until it has shown otherwise."""

import json
import subprocess

import pytest

from models_hub import tokenizing

WORDS = ["[UNK]", "[CLS]", "[SEP]", "small", "小", "语", "言", "##s", "model"]
TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [
        {"id": n, "content": WORDS[n], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True} for n in (1, 2)
    ],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                   "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {word: number for number, word in enumerate(WORDS)}},
}  # fmt: skip


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, files={"tokenizer.json": json.dumps(TOKENIZER)})


def test_a_text_is_split_with_places_by_characters(client, model):
    page = client.get("/alice/bert/tokenizer?text=Small+小语models&special=1").text
    for piece in (">Small</span>", ">小</span>", "[1, 3, 4, 5, 8, 7, 2]", '<td class="num">6–7</td>', "[CLS]"):
        assert piece in page


def test_a_form_without_scripts_may_send_a_long_text(client, model):
    page = client.post("/alice/bert/tokenizer", {"text": "small " * 1000}).text
    assert '<dd class="num">1000</dd>' in page
    assert "[CLS]" not in page


def test_a_text_is_cut_where_it_is_too_long(client, model):
    page = client.post("/alice/bert/tokenizer", {"text": "小" * 20_000}).text
    assert '<dd class="num">10000</dd>' in page
    assert "The first 5000 tokens are shown" in page


def test_ids_become_text(client, model):
    assert "small models" in client.get("/alice/bert/tokenizer?ids=[3, 8, 7]").text
    assert "whole numbers" in client.get("/alice/bert/tokenizer?ids=a;b").text
    assert client.get("/alice/bert/tokenizer?ids=999999 5").status_code == 200


def test_what_is_split_is_escaped(client, model):
    assert (
        "<script>alert"
        not in client.get("/alice/bert/tokenizer?text=<script>alert(1)</script>&other=<script>alert").text
    )


def test_two_tokenizers_stand_side_by_side_where_both_may_be_seen(as_user, client, model, alice, charlie, make_repo):
    make_repo(alice, "secret", private=True, files={"tokenizer.json": json.dumps(TOKENIZER)})
    make_repo(alice, "bare", files={"a.txt": "x"})
    both = as_user(alice).get("/alice/bert/tokenizer?text=小&other=alice/secret").text
    assert both.count('<dl class="token-facts">') == 2
    for name in ("alice/secret", "alice/bare", "alice/none", "nobody/none", "x"):
        page = as_user(charlie).get(f"/alice/bert/tokenizer?text=小&other={name}").text
        assert "is open to you" in page
        assert page.count('<dl class="token-facts">') == 1


def test_there_is_no_playground_without_a_tokenizer_or_for_strangers(as_user, alice, charlie, make_repo):
    make_repo(alice, "bare", files={"a.txt": "x", "b/tokenizer.json/c": "x"})
    make_repo(alice, "secret", private=True, files={"tokenizer.json": json.dumps(TOKENIZER)})
    for address in (
        "bare/tokenizer",
        "bare/tokenizer/main/a.txt",
        "bare/tokenizer/main/b/tokenizer.json",
        "secret/tokenizer",
    ):
        assert as_user(charlie).get(f"/alice/{address}").status_code == 404


def test_the_pages_of_a_model_lead_to_it(client, model):
    assert "/alice/bert/tokenizer" in client.get("/alice/bert/blob/main/tokenizer.json").text
    assert "/alice/bert/tokenizer" in client.get("/alice/bert").text


HOSTILE = {
    "no json": "{",
    "a list": "[]",
    "growing": json.dumps({**TOKENIZER, "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "x" * 1_000_000}] * 60}}),
    "slow pattern": json.dumps({**TOKENIZER, "pre_tokenizer": {
        "type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}}),
    "padding": json.dumps({**TOKENIZER, "padding": {"strategy": {"Fixed": 10**10}, "direction": "Right",
        "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[UNK]"}}),
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_tokenizer_harms_nobody(client, alice, make_repo, monkeypatch, content):
    monkeypatch.setattr(tokenizing, "CPU_SECONDS", 2)
    make_repo(alice, files={"tokenizer.json": content})
    assert client.get(f"/alice/bert/tokenizer?text={'a' * 40}!").status_code == 200


def test_a_portal_without_the_library_says_so(client, model, monkeypatch):
    done = subprocess.CompletedProcess([], tokenizing.NO_LIBRARY, b"", b"")
    monkeypatch.setattr(tokenizing.subprocess, "run", lambda *_args, **_options: done)
    assert "without the tokenizers package" in client.get("/alice/bert/tokenizer?text=once").text


def test_the_child_has_nothing_of_our_environment(client, model, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "very secret")
    given: dict[str, object] = {}

    def run(command: list[str], **options: object) -> None:
        given.update(options, command=command)
        raise OSError

    monkeypatch.setattr(tokenizing.subprocess, "run", run)
    assert "took too long" in client.get("/alice/bert/tokenizer?text=twice").text
    assert "very secret" not in str(given)
    assert "-I" in str(given["command"])
