"""Mistakes and habits of writing Chinese: a character of the same sound, of a like shape, or of the other script."""

import json
import unicodedata
from collections import defaultdict
from functools import cache
from importlib.resources import files
from random import Random

from opencc import OpenCC

from worker.engine.perturbing.draws import chosen, pick
from worker.engine.perturbing.scripts import NEGATIONS, han_of, replaced

_TONES = {"\u0300", "\u0301", "\u0304", "\u030c"}


def homophone(text: str, rng: Random, share: float) -> str:
    """Take another common character of the same sound, as from the list of an input method."""
    same = _same_sound()
    return _exchanged(text, rng, share, same)


def near_shape(text: str, rng: Random, share: float) -> str:
    """Take a character that looks much like the right one."""
    return _exchanged(text, rng, share, _same_shape())


def other_script(text: str, rng: Random, share: float) -> str:
    """Write simplified characters as traditional ones, or traditional ones as simplified."""
    simplified = _converted(text, "t2s")
    return simplified if simplified != text else _converted(text, "s2t")


def _exchanged(text: str, rng: Random, share: float, others: dict[str, str]) -> str:
    free = [at for at in han_of(text) if text[at] in others]
    return replaced(text, [(at, at + 1, pick(rng, others[text[at]])) for at in chosen(rng, free, share)])


def _converted(text: str, direction: str) -> str:
    converted: str = _converter(direction).convert(text)
    # Positions must not move, and each character has one counterpart.
    return converted if len(converted) == len(text) else text


@cache
def _converter(direction: str) -> OpenCC:
    return OpenCC(direction)


@cache
def _same_sound() -> dict[str, str]:
    """Return for each common character the others of its sound: with its tone where there are any, else without."""
    readings = json.loads((files("pypinyin") / "pinyin_dict.json").read_text("utf-8"))
    toned: defaultdict[str, str] = defaultdict(str)
    toneless: defaultdict[str, str] = defaultdict(str)
    sound: dict[str, str] = {}
    for char in _common():
        sound[char] = readings[str(ord(char))].split(",")[0]
        toned[sound[char]] += char
        toneless[_without_tone(sound[char])] += char
    same = {}
    for char, reading in sound.items():
        others = toned[reading].replace(char, "") or toneless[_without_tone(reading)].replace(char, "")
        if others:
            same[char] = others
    return same


def _common() -> str:
    """Return the 3755 characters of the first level of GB 2312, the ones in daily use, without the negations."""
    rows = range(0xB0, 0xD8)
    raw = b"".join(bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF) if (row, cell) < (0xD7, 0xFA))
    return "".join(char for char in raw.decode("gb2312") if char not in NEGATIONS)


def _without_tone(reading: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", reading) if char not in _TONES)


@cache
def _same_shape() -> dict[str, str]:
    groups = (files("worker.engine.perturbing") / "look_alikes.txt").read_text("utf-8").split()
    return {char: group.replace(char, "") for group in groups for char in group}
