"""Texts in which a reader sees what was found, missed and invented."""

import pytest

from leaderboard.marking import AROUND, MAX_PIECES, Span, entities_of, marked, marked_words
from worker.engine.measures import entities


def shown(pieces):
    return [(piece.text, piece.verdict) for piece in pieces if piece.verdict]


def test_a_sentence_says_what_was_found_missed_invented_and_found_otherwise():
    words = "The soldier met John Smith in New York City".split()
    gold = entities_of("O O O B-PER I-PER O B-LOC I-LOC I-LOC".split())
    given = entities_of("O B-PER O B-PER I-PER O O B-LOC I-LOC".split())
    pieces = marked_words(words, gold, given)
    assert "".join(piece.text for piece in pieces) == " ".join(words)
    assert shown(pieces) == [
        ("soldier", "wrong"), ("John Smith", "right"), ("New ", "missed"), ("York City", "differs"),
    ]  # fmt: skip


def test_another_type_names_both():
    (piece,) = marked_words(["Bo"], [Span("PER", 0, 1)], [Span("LOC", 0, 1)])
    assert (piece.verdict, piece.gold, piece.given) == ("differs", "PER", "LOC")


def test_chinese_characters_are_put_together_without_spaces():
    pieces = marked_words(list("李开复感动"), [Span("PER", 0, 3)], [])
    assert [piece.text for piece in pieces] == ["李开复", "感动"]


@pytest.mark.parametrize(
    "tags", ["O I-A B-A I-A I-B B-B B-B O", "B-A B-A I-A", "", "I-A", "B-creative-work I-creative-work O"]
)
def test_entities_are_those_that_the_engine_counts(tags):
    assert [tuple(span) for span in entities_of(tags.split())] == [
        tuple(entity) for entity in entities.entities_of(tags.split())
    ]


def test_what_is_far_from_a_mark_is_left_out():
    text = "a" * 1000 + "here" + "b" * 1000
    pieces = marked(text, [Span("", 1000, 1004)], [])
    assert [piece.text for piece in pieces] == ["…" + "a" * AROUND, "here", "b" * AROUND + "…"]


def test_words_at_the_ends_stay_whole():
    before, after = "word " * 40, " word" * 40
    first, _mark, last = marked(before + "here" + after, [Span("", len(before), len(before) + 4)], [])
    assert first.text.startswith("… word ")
    assert last.text.endswith(" word …")


def test_a_text_full_of_marks_is_cut_where_its_first_mistake_is_seen():
    right = [Span("A", at, at + 1) for at in range(0, 6000, 2)]
    pieces = marked("x" * 6001, [*right, Span("A", 6000, 6001)], right)
    assert len(pieces) <= MAX_PIECES
    assert pieces[-1].verdict == "missed"
