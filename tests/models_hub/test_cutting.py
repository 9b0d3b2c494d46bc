"""Questions in Chinese are cut into words by a dictionary that takes little memory."""

import tracemalloc

import pytest

from models_hub.searching import cutting, words

# What jieba itself (rjieba 0.2.2, without guessing new words) made of these.
CUT = {
    "中文文本分类模型": ["中文", "文本", "分类", "模型"],
    "我来到北京清华大学": ["我", "来到", "北京", "清华大学"],
    "研究生命的起源": ["研究", "生命", "的", "起源"],
    "小明硕士毕业于中国科学院计算所": ["小", "明", "硕士", "毕业", "于", "中国科学院", "计算所"],
    "𠀀ひら": ["𠀀", "ひ", "ら"],
    "中": ["中"],
}


@pytest.mark.parametrize(("run", "expected"), CUT.items())
def test_a_run_is_cut_into_its_commonest_words(run, expected):
    assert cutting.cut(run) == expected


def test_a_question_without_blanks_asks_for_its_words():
    assert {"中文", "文本"} <= {term.word for term in words.asked("中文文本")}
    assert "文文" not in {term.word for term in words.asked("中文文本")}


def test_the_dictionary_takes_less_than_eight_megabytes():
    cutting._dictionary.cache_clear()
    tracemalloc.start()
    cutting.load()
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 8_000_000
