"""Changes that should leave an answer as it is: a sentence that says nothing of it, other names, other places."""

import re
from random import Random

from worker.engine.perturbing.draws import pick
from worker.engine.perturbing.scripts import kept_spans, outside, replaced, script_of

LATIN_ASIDES = (
    "By the way, it is Tuesday today.",
    "I am writing this on my phone.",
    "This is the second time I write to you.",
    "I have a few minutes before lunch.",
    "It is ten past four here.",
    "I am sitting at my desk.",
)
HAN_ASIDES = (
    "顺便说一下，今天是星期二。",
    "我在用手机打字。",
    "这是我第二次写。",
    "离午饭还有几分钟。",
    "这里现在四点十分。",
    "我正坐在桌子前面。",
)
# Given names that are no common words; two lists, so that “she” still fits.
WOMEN = (
    "Emily Sarah Laura Anna Maria Julia Emma Olivia Sophia Hannah Rachel Rebecca Jessica Amanda Fatima Priya".split()
)
MEN = (
    "Michael David Daniel James Robert Thomas Peter Andrew Kevin Steven Brian Paul Ahmed Carlos Matthew Anthony".split()
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_TITLES = "先生|女士|小姐|老师|教授|医生|大夫|师傅|经理|阿姨|叔叔|同学"
_NAMES = re.compile(rf"(?<![\w-])(?:{'|'.join(WOMEN + MEN)})(?![\w-])")
_SURNAMES = re.compile(f"(?<![\u4e00-\u9fff])[{SURNAMES}](?={_TITLES})")
LATIN_PLACES = (
    "London Paris Berlin Madrid Vienna Dublin Toronto Sydney Oslo Lisbon Prague Warsaw Helsinki Chicago".split()
)
HAN_PLACES = "北京 上海 广州 深圳 成都 杭州 南京 武汉 西安 重庆 天津 苏州 长沙 青岛 大连 厦门".split()
_PLACES = re.compile(rf"(?<![\w-])(?:{'|'.join(LATIN_PLACES)})(?![\w-])|{'|'.join(HAN_PLACES)}")


def suffix(text: str, rng: Random, share: float) -> str:
    """Add a sentence at the end that has nothing to do with the text."""
    han = script_of(text) == "han"
    body = text.rstrip()
    end = "" if re.search(r"[.!?。！？…\"”’)）]$", body) else ("。" if han else ".")
    return f"{body}{end}{pick(rng, HAN_ASIDES)}" if han else f"{body}{end} {pick(rng, LATIN_ASIDES)}"


def prefix(text: str, rng: Random, share: float) -> str:
    """Begin with a sentence that has nothing to do with the text."""
    if script_of(text) == "han":
        return f"{pick(rng, HAN_ASIDES)}{text.lstrip()}"
    return f"{pick(rng, LATIN_ASIDES)} {text.lstrip()}"


def swap_names(text: str, rng: Random, share: float) -> str:
    """Give people other names: the same one wherever the same name stood."""
    turn = rng.random()
    lists = (WOMEN, MEN, list(SURNAMES))
    return _turned(text, [*_NAMES.finditer(text), *_SURNAMES.finditer(text)], lists, turn)


def swap_places(text: str, rng: Random, share: float) -> str:
    """Name other cities: the same one wherever the same city stood."""
    return _turned(text, list(_PLACES.finditer(text)), (LATIN_PLACES, HAN_PLACES), rng.random())


def _turned(text: str, found: list[re.Match[str]], lists: tuple[list[str], ...], turn: float) -> str:
    """Replace each by the one that stands a number of places further in its list, for all alike and never itself."""
    kept = kept_spans(text)
    edits = []
    for match in found:
        names = next(names for names in lists if match.group() in names)
        step = 1 + int(turn * (len(names) - 1))
        if outside(match.start(), kept):
            edits.append((*match.span(), names[(names.index(match.group()) + step) % len(names)]))
    return replaced(text, edits)
