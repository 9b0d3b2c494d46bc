"""Write the dictionary of models_hub/searching/cutting.py from jieba's dict.txt."""

import gzip
from argparse import ArgumentParser
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from models_hub.searching import cutting, words


class Command(BaseCommand):
    help = "Write the dictionary by which questions are cut into words, from the dict.txt of jieba."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, help="dict.txt, a word, its count and its kind in each line")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [line.split(" ") for line in options["source"].read_text("utf-8").splitlines()]
        total = sum(int(count) for _word, count, *_kind in rows)
        # Only runs of such characters are cut, and only after they were made simplified ones.
        kept = sorted(
            (word[:1], word[1:].encode(), count)
            for word, count, *_kind in rows
            if words.is_run(word) and words.normalized(word) == word and len(word) <= cutting.LONGEST
        )
        blocks = [str(total).encode()]
        for head, lines in groupby(kept, key=lambda row: row[0]):
            blocks.append(b"\n".join([head.encode(), *(rest + b" " + count.encode() for _head, rest, count in lines)]))
        cutting.WORDS.write_bytes(gzip.compress(b"\n\n".join(blocks), mtime=0))
        self.stdout.write(f"Wrote {len(kept)} words to {cutting.WORDS.name}")
