"""`python -m benchmarks.browse`: lists and search over many repositories, on SQLite or on the database of DATABASE_URL.

Prints for each number of repositories the queries, and the wall time and the CPU time of this process as p50 and p95.
Each repetition asks for other words. “First” is a question of which this process knew no word. A database that holds
repositories of an earlier run is filled up, not begun anew.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.test")
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
QUESTIONS = {
    "no filter": {},
    "three facets": {"task": "text-classification", "language": "zh", "license_class": "permissive"},
    "three facets, likes": {"task": "text-generation", "library": "peft", "memory": "1GB", "sort": "likes"},
    "English, three words": {"search": "{english} {english} {english}"},
    "English, everywhere": {"search": "small model {english}"},
    "English, beginning": {"search": "{begun}"},
    "English, facets": {"search": "{english} {english}", "task": "summarization", "license_class": "permissive"},
    "English, facets, likes": {"search": "small model", "language": "en", "memory": "1GB", "sort": "likes"},
    "English, no answer": {"search": "{english} {english} model qzx{english}"},
    "Chinese, three words": {"search": "{chinese}{chinese}{chinese}"},
    "Chinese, everywhere": {"search": "{chinese}模型"},
    "Chinese, facets": {"search": "{chinese}{chinese}", "task": "summarization", "license_class": "permissive"},
    "Chinese, facets, likes": {"search": "{chinese}语言模型", "language": "zh", "memory": "1GB", "sort": "likes"},
}


def question(name: str, number: int) -> dict[str, str]:
    """Return a question with other words for each number."""
    chance = random.Random(number)
    english, chinese = iter(chance.sample(ENGLISH, 4)), iter(chance.sample(CHINESE, 4))
    text = QUESTIONS[name].get("search", "").replace("{begun}", chance.choice(ENGLISH)[: chance.randint(2, 4)])
    while "{english}" in text or "{chinese}" in text:
        text = text.replace("{english}", next(english), 1) if "{english}" in text else text
        text = text.replace("{chinese}", next(chinese), 1) if "{chinese}" in text else text
    return QUESTIONS[name] | ({"search": text} if text else {})


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
    Label.objects.bulk_create(
        Label(repo=row, text=text) for row in rows for text in {*row.languages, "safetensors", *row.tags, row.task}
    )
    SearchDocument.objects.bulk_create(
        SearchDocument(
            repo=row, name=(name := indexing.name_words(row)), text=text, rules=words.RULES,
            words=indexing.joined(name, indexing.tag_words(row), words.of(text)),
        )
        for row, text in zip(rows, texts, strict=True)
    )  # fmt: skip


def measure(repeats: int) -> Iterator[dict[str, Any]]:
    """Ask every question in turn, as a page in a browser does, and give what each took."""
    from django.contrib.auth.models import AnonymousUser
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from models_hub import listing
    from models_hub.searching.postings import postings

    client = Client()
    client.get("/models")
    for name in QUESTIONS:
        postings.forget()
        start = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/models", question(name, 0)).status_code == 200
        first, asked = (time.perf_counter() - start) * 1000, len(queries)
        wall, cpu = [], []
        for repeat in range(repeats):
            start, used = time.perf_counter(), time.process_time()
            client.get("/models", question(name, repeat))
            wall.append((time.perf_counter() - start) * 1000)
            cpu.append((time.process_time() - used) * 1000)
        page = listing.page_of(listing.Query.read("model", question(name, 0)), user=AnonymousUser())
        yield {"name": name, "queries": asked, "count": page.count, "wall": sorted(wall), "cpu": sorted(cpu),
               "first": first}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--repeats", type=int, default=60, help="0 only makes the repositories")
    options = parser.parse_args()
    sizes, repeats = [int(size) for size in options.sizes.split(",")], options.repeats
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(folder) / 'browse.sqlite3'}")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        connection.settings_dict["NAME"] = connection.settings_dict["NAME"] or str(Path(folder) / "browse.sqlite3")
        call_command("migrate", verbosity=0)
        from models_hub.models import Repo

        for size in sizes:
            start = time.perf_counter()
            load(Repo.objects.count(), size)
            if connection.vendor == "postgresql":
                connection.cursor().execute("ANALYZE")
            print(f"\n{connection.vendor}, {size} repositories (loaded in {time.perf_counter() - start:.0f} s), "
                  f"load of the machine {os.getloadavg()[0]:.1f}")  # fmt: skip
            print(f"{'question':22} {'found':>7} {'queries':>7} {'first':>7} {'p50':>7} {'p95':>7} {'cpu p50':>8} "
                  f"{'cpu p95':>8}  ms")  # fmt: skip
            for row in measure(repeats) if repeats else ():
                p50, p95 = repeats // 2, int(repeats * 0.95) - 1
                print(f"{row['name']:22} {row['count']:7} {row['queries']:7} {row['first']:7.1f} "
                      f"{row['wall'][p50]:7.1f} {row['wall'][p95]:7.1f} {row['cpu'][p50]:8.1f} "
                      f"{row['cpu'][p95]:8.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
