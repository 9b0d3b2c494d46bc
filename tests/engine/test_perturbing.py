"""Perturbations change what they say, nothing else, and the same way on every machine."""

from random import Random

import pytest

from worker.engine.contracts import EngineError
from worker.engine.perturbing import chinese, forms, invariance, letters
from worker.engine.perturbing.draws import chosen, generator
from worker.engine.perturbing.registry import FIELDS, PERTURBATIONS, SHARES, perturb, perturb_question
from worker.engine.perturbing.scripts import NEGATIONS, han_of, script_of, words_of

ENGLISH = (
    "Emily said: the new London phone, from https://a.example/c, isn't worth 3,000 dollars and she never liked it!"
)
CHINESE = "王先生说：这部在北京买的新手机没有3000元的价值，他一点也不喜欢，因为屏幕很小。"
LETTERS = "abcdefgh IJ klmno.,!? 0123 ’-_@#[MASK] 的一是在不了有和人这中大为上个国我以要他，。！ｅ１ ß é 𠮷 \n\t"
ALIKE_FOR_TOKENS = [name for name, each in PERTURBATIONS.items() if "token-classification" in each.tasks]


def any_text(random: Random) -> str:
    text = "".join(random.choice(LETTERS) for _ in range(random.randint(1, 40)))
    return text if text.strip() else "x"


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_the_same_seed_gives_the_same_text_and_never_nothing(name):
    random = Random(name)
    for round_ in range(200):
        text = any_text(random) if round_ > 1 else (ENGLISH, CHINESE)[round_]
        for strength in SHARES:
            changed = perturb(name, text, generator(5, str(round_)), strength)
            assert changed == perturb(name, text, generator(5, str(round_)), strength)
            assert changed.strip()


@pytest.mark.parametrize("name", ALIKE_FOR_TOKENS)
def test_what_is_used_for_tokens_moves_no_position(name):
    random = Random(name)
    for round_ in range(200):
        text = any_text(random)
        assert len(perturb(name, text, generator(1, str(round_)), "strong")) == len(text)


@pytest.mark.parametrize(("name", "strength"), [(name, strength) for name in PERTURBATIONS for strength in SHARES])
def test_negations_addresses_and_markers_stay(name, strength):
    text = "I do not like it and cannot say it without [MASK], see https://Example.org/Path?a=1,2 or @Some_Body"
    changed = perturb(name, text, generator(2, name), strength).lower()
    for kept in ("not", "cannot", "without"):
        assert kept in changed
    for kept in ("[MASK]", "https://Example.org/Path?a=1,2", "@Some_Body"):
        assert kept in perturb(name, text, generator(2, name), strength)
    han = perturb(name, "我不喜欢这个东西，他没有说别的，也无人知道", generator(2, name), strength)
    assert [char for char in han if char in NEGATIONS] in (list("不没别无"), list("不沒別無"))


def test_a_keyboard_slip_hits_one_letter_beside_the_right_one():
    text = "wonderful weather"
    for seed in range(50):
        changed = letters.keyboard(text, generator(seed), 0.2)
        (at,) = [at for at, (old, new) in enumerate(zip(text, changed, strict=True)) if old != new]
        assert changed[at] in letters.NEIGHBOURS[text[at]]


def test_swapped_letters_keep_the_ends_of_a_word():
    for seed in range(50):
        changed = letters.swap("splendid", generator(seed), 1.0)
        assert changed != "splendid"
        assert sorted(changed) == sorted("splendid")
        assert (changed[0], changed[-1]) == ("s", "d")


def test_swapped_characters_lose_none():
    for seed in range(50):
        changed = letters.swap(CHINESE, generator(seed), 0.5)
        assert changed != CHINESE
        assert sorted(changed) == sorted(CHINESE)


def test_dropping_and_inserting_move_the_length_by_one_a_word():
    for seed in range(50):
        assert len(letters.drop("wonderful weather today", generator(seed), 1.0)) == len("wonderful weather today") - 3
        assert len(letters.insert("wonderful weather", generator(seed), 1.0)) == len("wonderful weather") + 2
        assert len(letters.drop("今天天气很好", generator(seed), 0.2)) == 5
        assert len(letters.insert("今天天气很好", generator(seed), 0.2)) == 7


def test_a_short_chinese_text_loses_no_character():
    assert letters.drop("很好", generator(0), 1.0) == "很好"


def test_a_stronger_level_hits_what_a_lighter_one_hit():
    for seed in range(30):
        options = list(range(40))
        lighter, stronger = (set(chosen(generator(seed), options, share)) for share in (0.05, 0.2))
        assert (len(lighter), len(stronger)) == (2, 8)
        assert lighter < stronger


def test_homophones_sound_alike():
    same = chinese._same_sound()
    assert "坐" in same["作"]  # both zuò
    assert "做" in same["作"]
    assert "他" in same["她"]
    assert all(char not in others for char, others in same.items())
    assert not NEGATIONS & {char for others in same.values() for char in others}


def test_characters_of_a_like_shape_are_in_one_group_each():
    same = chinese._same_shape()
    assert same["己"] == "已巳"
    groups = {frozenset(char + others) for char, others in same.items()}
    assert sum(len(group) for group in groups) == len(same)
    assert not NEGATIONS & set(same)


@pytest.mark.parametrize(("before", "after"), [("头发里有东西", "頭髮裏有東西"), ("頭髮裏有東西", "头发里有东西")])
def test_the_other_script_goes_both_ways(before, after):
    assert chinese.other_script(before, generator(0), 0.1) == after


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (forms.lower_case, "Visit HTTPS or https://Example.org/A", "visit https or https://Example.org/A"),
        (forms.upper_case, "Straße now", "STRAßE NOW"),
        (forms.punctuation_width, "好，走吧（快）！", "好,走吧(快)!"),
        (forms.punctuation_width, "好,走吧!共1,000元", "好，走吧！共1,000元"),
        (forms.digit_width, "共3000元", "共３０００元"),
        (forms.digit_width, "共３０００元", "共3000元"),
    ],
)
def test_forms_without_levels(change, before, after):
    assert change(before, generator(0), 0.1) == after


def test_marks_inside_numbers_and_words_stay():
    changed = forms.drop_punctuation("At 10:30, it cost 3,000.50; e.g. a lot!", generator(0), 0.2)
    assert changed == "At 10:30 it cost 3,000.50 e.g a lot"


def test_spaces_go_or_come_twice():
    seen = {forms.spacing("one two", generator(seed), 0.1) for seed in range(20)}
    assert seen == {"onetwo", "one  two"}
    assert sorted(forms.spacing("今天很好", generator(3), 0.1).replace(" ", "")) == sorted("今天很好")


def test_a_renamed_person_is_renamed_everywhere():
    for seed in range(30):
        changed = invariance.swap_names("Emily met David. Emily left, David-like", generator(seed), 0.1)
        first = changed.split()[0]
        assert first in invariance.WOMEN
        assert first != "Emily"
        assert changed.count(first) == 2
        assert changed.endswith("David-like")


def test_a_pair_gets_the_same_names():
    question = {"id": "7", "text": "Emily sleeps in Paris.", "text2": "Emily is awake."}
    changed = perturb_question("names", "text-pair-classification", question, seed=4)
    assert changed["text"].split()[0] == changed["text2"].split()[0] != "Emily"


def test_an_aside_is_in_the_language_of_the_text():
    assert script_of(invariance.suffix("很好", generator(0), 0.1)) == "han"
    assert invariance.suffix("很好", generator(0), 0.1).startswith("很好。")
    assert invariance.suffix("Very good", generator(0), 0.1).startswith("Very good. ")
    assert invariance.prefix("很好", generator(0), 0.1).endswith("很好")


def test_an_aside_is_put_into_no_pair():
    question = {"id": "1", "text": "A man sleeps.", "text2": "Nobody is awake."}
    assert perturb_question("suffix", "text-classification", question, seed=0) == question
    with pytest.raises(EngineError, match="may change the right answers"):
        perturb_question("suffix", "text-pair-classification", question, seed=0)


@pytest.mark.parametrize("name", ALIKE_FOR_TOKENS)
def test_tokens_stay_as_many_and_none_becomes_empty(name):
    for tokens in (ENGLISH.split(), list(CHINESE), ["EU", "rejects", "German", "call", "."], ["中", "国", "３", "，"]):
        for seed in range(20):
            question = {"id": "1", "tokens": tokens}
            changed = perturb_question(name, "token-classification", question, seed=seed, strength="strong")
            assert [len(token) for token in changed["tokens"]] == [len(token) for token in tokens]
            assert all(token.strip() for token in changed["tokens"])


def test_the_passage_of_a_question_stays():
    question = {"id": "1", "question": "Where did Emily buy the phone?", "context": ENGLISH}
    for name, perturbation in PERTURBATIONS.items():
        if "question-answering" in perturbation.tasks:
            changed = perturb_question(name, "question-answering", question, seed=1)
            assert changed["context"] == ENGLISH


def test_each_example_and_field_has_a_chance_of_its_own():
    texts = [
        perturb_question("keyboard", "text-classification", {"id": str(at), "text": ENGLISH}, seed=0)
        for at in range(30)
    ]
    assert len({row["text"] for row in texts}) > 15
    assert texts[0] == perturb_question("keyboard", "text-classification", {"id": "0", "text": ENGLISH}, seed=0)


def test_known_texts_stay_as_they_were_published():
    """A digest of perturbed questions belongs to a score: what moves here is another version of the engine."""
    assert generator(0, "keyboard", "0", "text").random() == 0.6131687919600091
    assert perturb("keyboard", ENGLISH, generator(1, "keyboard", "x"), "light").startswith("Enily said")
    assert perturb("drop", CHINESE, generator(1, "drop", "x"), "light").startswith(
        "王先生说：这部北京买的手机没有3000元"
    )


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello there", "latin"), ("你好", "han"), ("这个 iPhone 很好", "han"), ("こんにちは世界", "other"),
        ("안녕하세요", "other"), ("Привет", "other"), ("123 !?", "other"), ("Only one 字 here, truly", "latin"),
    ],
)  # fmt: skip
def test_scripts_are_told_apart(text, script):
    assert script_of(text) == script


def test_words_and_characters_that_may_be_hit():
    text = "I can't say nothing of R2D2 and word-play, foo@bar.example"
    assert [text[start:end] for start, end in words_of(text, 4)] == ["word"]
    assert ["不好看"[at] for at in han_of("不好看")] == ["好", "看"]


def test_every_task_has_its_fields():
    assert {task for each in PERTURBATIONS.values() for task in each.tasks} == set(FIELDS)


def test_an_unknown_name_is_refused():
    with pytest.raises(EngineError, match="no perturbation"):
        perturb("magic", ENGLISH, generator(0))
