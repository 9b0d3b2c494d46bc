"""Repositories to look for: Chinese and English cards of words that are frequent and seldom as in languages."""

import random
from datetime import timedelta
from functools import cache
from itertools import accumulate

BATCH = 2000
TASKS = ("text-classification", "token-classification", "text-generation", "fill-mask", "sentence-similarity",
         "question-answering", "summarization", "translation")  # fmt: skip
LIBRARIES = ("transformers", "sentence-transformers", "peft", "llama.cpp", "onnxruntime")
LICENCES = (
    ("mit", "permissive"),
    ("apache-2.0", "permissive"),
    ("gpl-3.0", "copyleft"),
    ("cc-by-nc-4.0", "restricted"),
)
ARCHITECTURES = ("BertModel", "LlamaForCausalLM", "Qwen2ForCausalLM", "T5Model", "GPT2LMHeadModel")
ENGLISH = (
    "small fast robust distilled quantized legal medical financial news tweets reviews sentiment intent entities "
    "toxic question answer retrieval embedding instruction code mathematics dialogue summaries translation"
).split()
CHINESE = (
    "轻量 稳健 蒸馏 量化 法律 医疗 金融 新闻 微博 评论 情感 意图 实体 毒性 问答 检索 向量 指令 代码 数学 对话 摘要 译文"
).split()
# What cards say besides: some words very often, most seldom.
FILLING, USUAL = 20_000, 80
SYLLABLES = [first + second for first in "bdfgklmnprstv" for second in "aeiou"]
CHARACTERS = [chr(0x4E00 + 7 * place) for place in range(2500)]


@cache
def filling() -> tuple[list[str], list[str], list[float]]:
    """Return English and Chinese words that mean nothing, and how often each stands beside those before it."""
    chance = random.Random(0)
    english = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _word in range(FILLING)]
    chinese = ["".join(chance.choices(CHARACTERS, k=2)) for _word in range(FILLING)]
    return english, chinese, list(accumulate(1 / (place + 10) for place in range(FILLING)))


def load(first: int, last: int) -> None:
    """Make repositories number `first` to `last`: the same ones for the same numbers."""
    from django.db import transaction

    for start in range(first, last, BATCH):
        with transaction.atomic():
            _make(range(start, min(start + BATCH, last)))


def _make(numbers: range) -> None:
    from django.utils import timezone

    from models_hub.models import Label, Repo, SearchDocument
    from models_hub.searching import indexing, words
    from portal.models import Namespace, User

    owners = list(Namespace.objects.filter(user__isnull=False)[:50])
    while len(owners) < 50:
        owners.append(User.objects.create_user(f"maker{len(owners)}", f"m{len(owners)}@example.org").namespace)
    now, made, texts = timezone.now(), [], []
    english, chinese, often = filling()
    for number in numbers:
        chance = random.Random(number)
        is_chinese = chance.random() < 0.5
        vocabulary = CHINESE if is_chinese else ENGLISH
        topic = chance.sample(ENGLISH, 2)
        licence, license_class = chance.choice(LICENCES)
        parameters = int(10 ** chance.uniform(5, 10))
        made.append(
            Repo(
                kind="model", namespace=owners[number % 50], name=f"{'-'.join(topic)}-{number}",
                lower=f"{'-'.join(topic)}-{number}", task=chance.choice(TASKS), library=chance.choice(LIBRARIES),
                license=licence, license_class=license_class, languages=["zh" if is_chinese else "en"],
                tags=topic, architecture=chance.choice(ARCHITECTURES), formats=["safetensors"], parameters=parameters,
                size=parameters * 4, memory_bytes=parameters * 4, has_card=True, private=chance.random() < 0.02,
                downloads=int(10 ** chance.uniform(0, 5)), likes=int(10 ** chance.uniform(0, 3)),
                trend=chance.random() * 100, best_score=chance.random() * 100 if chance.random() < 0.1 else None,
                updated_at=now - timedelta(hours=chance.randrange(20_000)), described_with=99,
            )
        )  # fmt: skip
        blank, usual = ("", "这是一个小语言模型，用于") if is_chinese else (" ", "A small language model for ")
        sentences = [usual + blank.join(chance.sample(vocabulary, 3)) for _sentence in range(3)]
        sentences.append(blank.join(chance.choices(chinese if is_chinese else english, cum_weights=often, k=USUAL)))
        texts.append(("。" if is_chinese else ". ").join(sentences))
    rows = Repo.objects.bulk_create(made)
    Label.objects.bulk_create(Label(repo=row, text=text) for row in rows for text in {*row.languages, row.task})
    SearchDocument.objects.bulk_create(
        SearchDocument(
            repo=row, name=(name := indexing.name_words(row)), text=text, rules=words.RULES,
            words=indexing.joined(name, indexing.tag_words(row), words.of(text)),
        )
        for row, text in zip(rows, texts, strict=True)
    )  # fmt: skip
