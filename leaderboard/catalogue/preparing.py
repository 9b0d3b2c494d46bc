"""Sets whose rows need more than other names: what their papers or reference code do before a model is asked."""

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from leaderboard.catalogue.refusals import ImportRefused, shown
from leaderboard.catalogue.rows import MAX_CANDIDATES
from leaderboard.catalogue.shaping import as_text, found

Record = dict[str, Any]


def cluener(record: Record) -> Iterator[Record]:
    """Spans of a text, given as {kind: {entity: [[first, last]]}}, become tags of its characters."""
    text = as_text(found(record, "text"))
    tags = ["O"] * len(text)
    for kind, entities in (found(record, "label") or {}).items():
        for spans in entities.values():
            for first, last in spans:
                if not 0 <= first <= last < len(text):
                    raise ImportRefused("bad_offset", value=shown([first, last]))
                tags[first : last + 1] = [f"B-{kind}"] + [f"I-{kind}"] * (last - first)
    kept = [(char, tag) for char, tag in zip(text, tags, strict=True) if not char.isspace()]
    yield {"tokens": [char for char, _tag in kept], "tags": [tag for _char, tag in kept]}


def segmented_characters(record: Record) -> Iterator[Record]:
    """Weibo NER writes the place of a character in its word behind it: 科0 技1."""
    tokens = [token[:-1] if len(token) > 1 and token[-1].isdigit() else token for token in record["tokens"]]
    kept = [(token, tag) for token, tag in zip(tokens, record["tags"], strict=True) if token and "\ufffd" not in token]
    yield {"tokens": [token for token, _tag in kept], "tags": [tag for _token, tag in kept]}


def winograd_chinese(record: Record) -> Iterator[Record]:
    """CLUEWSC asks whether a pronoun means a noun: said in words, since no other column says where they stand."""
    target = found(record, "target")
    yield {**record, "statement": f"“{found(target, 'span2_text')}”指的是“{found(target, 'span1_text')}”"}


def idioms(record: Record) -> Iterator[Record]:
    """ChID: one row for each blank; its answers stand in a second file, by the name of the blank."""
    answers = record.get("beside")
    for text in found(record, "content"):
        for blank in re.findall(r"#idiom\d+#", as_text(text)):
            if not isinstance(answers, dict) or blank not in answers:
                raise ImportRefused("no_answer", value=shown(blank))
            others = re.sub(r"#idiom\d+#", "……", text.replace(blank, "____"))
            yield {"question": others, "choices": found(record, "candidates"), "answer": answers[blank]}


def hellaswag(record: Record) -> Iterator[Record]:
    """The activity, a colon, and the beginning with its second part capitalized; marks of WikiHow are taken out."""
    second = as_text(found(record, "ctx_b", ""))
    begun = f"{as_text(found(record, 'ctx_a'))} {second[:1].upper()}{second[1:].lower()}"
    question = _without_marks(f"{as_text(found(record, 'activity_label'))}: {begun}")
    endings = [_without_marks(as_text(ending)) for ending in found(record, "endings")]
    yield {"question": question, "choices": endings, "answer": found(record, "label")}


def _without_marks(text: str) -> str:
    text = re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". "))
    return re.sub(r" {2,}", " ", text).strip()


def true_and_false(record: Record) -> Iterator[Record]:
    """TruthfulQA lists the true answer first; here the order is drawn, by the question alone."""
    targets = found(record, "mc1_targets")
    if isinstance(targets, dict) and "choices" in targets:
        pairs = list(zip(found(targets, "choices"), found(targets, "labels"), strict=True))
    else:
        pairs = list(targets.items())
    question = as_text(found(record, "question"))
    # Of a generator only random() is promised to stay the same in later versions of Python.
    rng = Random(int.from_bytes(hashlib.sha256(question.encode()).digest()[:8], "big"))  # noqa: S311  (no secret)
    pairs.sort(key=lambda pair: (rng.random(), pair[0]))
    right = [at for at, (_choice, label) in enumerate(pairs) if label == 1]
    if len(right) != 1:
        raise ImportRefused("no_answer", value=shown(question))
    yield {"question": question, "choices": [choice for choice, _label in pairs], "answer": right[0]}


def sciq(record: Record) -> Iterator[Record]:
    """SciQ names the right answer apart from three wrong ones; the order is drawn, by the question alone."""
    wrong = [as_text(found(record, f"distractor{at}")) for at in (1, 2, 3)]
    choices = {as_text(found(record, "correct_answer")): 1} | dict.fromkeys(wrong, 0)
    yield from true_and_false({"question": found(record, "question"), "mc1_targets": choices})


def winogrande(record: Record) -> Iterator[Record]:
    """Each option is put into the blank; the sentences are what is compared."""
    sentence = as_text(found(record, "sentence"))
    if sentence.count("_") != 1:
        raise ImportRefused("no_blank", value=shown(sentence))
    before, after = sentence.split("_")
    choices = [f"{as_text(found(record, option))}{after}" for option in ("option1", "option2")]
    yield {"question": before.strip(), "choices": choices, "answer": found(record, "answer")}


CONNECTIVES = {
    "en": {"cause": "because", "effect": "so"},
    "zh": {"cause": "因为", "effect": "所以"},
}


def copa(record: Record) -> Iterator[Record]:
    """The premise and a connective, as in the reference code of lm-evaluation-harness; the choices go on from there."""
    premise = as_text(found(record, "premise"))
    language = "zh" if re.search("[\u4e00-\u9fff]", premise) else "en"
    relation = as_text(found(record, "question"))
    if relation not in CONNECTIVES[language]:
        raise ImportRefused("unknown_value", column="question", value=shown(relation))
    connective = CONNECTIVES[language][relation]
    choices = [as_text(found(record, name)) for name in ("choice1", "choice2")]
    if language == "en":
        choices = [choice[:1].lower() + choice[1:] for choice in choices]
    end = "，" if language == "zh" else " "
    yield {
        "question": f"{premise.rstrip('.。')}{end}{connective}",
        "choices": choices,
        "answer": found(record, "label"),
    }


def last_word(record: Record) -> Iterator[Record]:
    """LAMBADA asks for the last word of each passage."""
    text = as_text(found(record, "line" if "line" in record else "text"))
    context, _space, target = text.rpartition(" ")
    if not context:
        raise ImportRefused("no_answer", value=shown(text))
    yield {"context": context.strip(), "target": target}


def lettered_options(record: Record) -> Iterator[Record]:
    """AGIEval writes the letter before each option: (A)…"""
    label = record.get("label")
    if not isinstance(record.get("options"), list) or not isinstance(label, str) or len(label.strip()) != 1:
        return  # fill-in questions, and those with several right answers
    options = [re.sub(r"^\(?[A-H]\)?[.．、]?\s*", "", as_text(option)) for option in record["options"]]
    passage = record.get("passage") or ""
    question = f"{passage}\n{found(record, 'question')}".strip()
    yield {"question": question, "choices": options, "answer": label, "subject": record.get("subject")}


def crows_pairs(record: Record) -> Iterator[Record]:
    """CrowS-Pairs: the sentence that is less of a stereotype stands as the one to prefer; neither is ungrammatical."""
    yield {
        "good": found(record, "sent_less"),
        "bad": found(record, "sent_more"),
        "phenomenon": found(record, "bias_type"),
        "paradigm": found(record, "stereo_antistereo"),
    }


def polarity(record: Record) -> Iterator[Record]:
    """The files of Rotten Tomatoes say by their endings which side they are on."""
    yield {**record, "label": "positive" if ".pos" in record["file_name"] else "negative"}


def at_label(record: Record) -> Iterator[Record]:
    """Financial PhraseBank writes the label behind the sentence: …@positive"""
    text, _at, label = record["line"].rpartition("@")
    yield {"text": text, "label": label}


def poem(record: Record) -> Iterator[Record]:
    """The tune, the poet and the lines, one below the other; what has lost characters is left out."""
    lines = [record.get("rhythmic"), record.get("author"), *(record.get("paragraphs") or [])]
    text = "\n".join(as_text(line) for line in lines if line)
    if "□" not in text and "\ufffd" not in text:
        yield {"text": text}


def good_and_bad_candidates(record: Record) -> Iterator[Record]:
    """Sets to be put in order list what fits and what does not apart; a query without both asks for nothing."""
    lists = [[as_text(item) for item in found(record, name)] for name in ("positive", "negative")]
    good = [text for text in dict.fromkeys(lists[0]) if text]
    bad = [text for text in dict.fromkeys(lists[1]) if text and text not in good][: MAX_CANDIDATES - len(good)]
    if good and bad:
        yield {**record, "candidates": [*good, *bad], "relevance": [1] * len(good) + [0] * len(bad)}


def square_of_pixels(record: Record) -> Iterator[Record]:
    """The pixels of a square image, row by row, and its label: numbers with commas between them."""
    *pixels, label = record["line"].split(",")
    side = math.isqrt(len(pixels))
    if not side or side**2 != len(pixels):
        raise ImportRefused("wrong_width", found=len(pixels) + 1, expected=max(side, 1) ** 2 + 1)
    yield {"image": [pixels[start : start + side] for start in range(0, len(pixels), side)], "label": label}


PREPARATIONS: dict[str, Callable[[Record], Iterator[Record]]] = {
    function.__name__: function
    for function in (
        cluener, segmented_characters, winograd_chinese, idioms, hellaswag, true_and_false, sciq, winogrande, copa,
        last_word, lettered_options, crows_pairs, polarity, at_label, poem,
        good_and_bad_candidates, square_of_pixels,
    )
}  # fmt: skip
