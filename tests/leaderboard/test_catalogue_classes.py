"""Published files of sets with labels, tags and numbers become rows of ours."""

import json

import pytest

from leaderboard.catalogue import shaping
from tests.leaderboard.published import given, imported, lines

CASES = [
    (
        "clue-afqmc",
        {"dev__json": lines({"sentence1": "花呗可以吗", "sentence2": "花呗能用吗", "label": "1"})},
        [{"text1": "花呗可以吗", "text2": "花呗能用吗", "label": "same"}],
    ),
    (
        "clue-tnews",
        {
            "dev__json": lines(
                {"label": "102", "label_desc": "news_entertainment", "sentence": "谢娜澄清谣言", "keywords": ""}
            )
        },
        [{"text": "谢娜澄清谣言", "label": "entertainment"}],
    ),
    (
        "ocnli",
        {
            "dev__json": lines(
                {"sentence1": "他来了", "sentence2": "有人来", "label": "entailment", "genre": "lit"},
                {"sentence1": "他来了", "sentence2": "他走了", "label": "-", "genre": "lit"},
            )
        },
        [{"text1": "他来了", "text2": "有人来", "label": "entailment"}],
    ),
    (
        "clue-wsc",
        {
            "dev__json": lines(
                {
                    "target": {"span2_index": 37, "span1_index": 5, "span1_text": "床", "span2_text": "它"},
                    "idx": 261,
                    "label": "false",
                    "text": "这时候放在床上的手机响了，它突然响了。",
                }
            )
        },
        [{"text1": "这时候放在床上的手机响了，它突然响了。", "text2": "“它”指的是“床”", "label": "false"}],
    ),
    (
        "clue-csl",
        {"dev__json": lines({"id": 1, "abst": "一种声呐算法", "keyword": ["水声学", "FFT"], "label": "0"})},
        [{"text1": "一种声呐算法", "text2": "水声学；FFT", "label": "false"}],
    ),
    (
        "glue-cola",
        {"dev__tsv": 'gj04\t1\t\tThe "sailors rode the breeze.\ngj04\t0\t*\tHim sailed.\n'},
        [
            {"text": 'The "sailors rode the breeze.', "label": "acceptable"},
            {"text": "Him sailed.", "label": "unacceptable"},
        ],
    ),
    (
        "glue-mrpc",
        {
            "msr_paraphrase_test__txt": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
            "1\t1\t2\tHe said so.\tSo he said.\n"
        },
        [{"text1": "He said so.", "text2": "So he said.", "label": "same"}],
    ),
    (
        "glue-stsb",
        {
            "dev__tsv": "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
            "0\tmain-captions\tMSRvid\t2012test\t0000\tnone\tnone\tA man runs.\tA man is running.\t4.750\n"
        },
        [{"text1": "A man runs.", "text2": "A man is running.", "score": 4.75}],
    ),
    (
        "boolq",
        {"val__jsonl": lines({"question": "is it", "passage": "It is.", "idx": 0, "label": True})},
        [{"text1": "It is.", "text2": "is it", "label": "true"}],
    ),
    (
        "xnli-zh",
        {"xnli__test__tsv": "language\tgold_label\tsentence1\tsentence2\nfr\tneutral\tBon\tMal\nzh\tneutral\t好\t坏\n"},
        [{"text1": "好", "text2": "坏", "label": "neutral"}],
    ),
    (
        "rotten-tomatoes",
        {"rt-polarity__neg": "a d\xe9j\xe0 vu\n".encode("cp1252"), "rt-polarity__pos": b"fun\n"},
        [{"text": "a déjà vu", "label": "negative"}, {"text": "fun", "label": "positive"}],
    ),
    (
        "banking77",
        {"test__csv": 'text,category\n"How do I locate my card, please?",card_arrival\n'},
        [{"text": "How do I locate my card, please?", "label": "card_arrival"}],
    ),
    (
        "clinc150",
        {
            "data_full__json": json.dumps(
                {"test": [["hi there", "greeting"]], "oos_test": [["why", "oos"]], "train": []}
            )
        },
        [{"text": "hi there", "label": "greeting"}, {"text": "why", "label": "oos"}],
    ),
    (
        "ag-news",
        {"test__csv": '"3","Fears for pension","Unions ""representing"" workers"\n'},
        [{"text": 'Fears for pension. Unions "representing" workers', "label": "Business"}],
    ),
    (
        "financial-phrasebank",
        {"Sentences_AllAgree__txt": "Sales rose to EUR 5 mn @ 2% .@positive\r\n"},
        [{"text": "Sales rose to EUR 5 mn @ 2% .", "label": "positive"}],
    ),
    (
        "goemotions",
        {"test__tsv": 'I love "it\t18,0\teecwqtt\n'},
        [{"text": 'I love "it', "labels": ["love", "admiration"]}],
    ),
    ("xed-zh", {"cn-projections__tsv": "我们走吧\t2, 5\n"}, [{"text": "我们走吧", "labels": ["anticipation", "joy"]}]),
    (
        "cluener",
        {
            "dev__json": lines(
                {"text": "叶老桂在京", "label": {"name": {"叶老桂": [[0, 2]]}, "address": {"京": [[4, 4]]}}}
            )
        },
        [{"tokens": list("叶老桂在京"), "tags": ["B-name", "I-name", "I-name", "O", "B-address"]}],
    ),
    (
        "weibo-ner",
        {"weiboNER_2nd_conll__test": "李0\tB-PER.NAM\n开1\tI-PER.NAM\n1\tO\n\n他0\tB-PER.NOM\n"},
        [
            {"tokens": ["李", "开", "1"], "tags": ["B-PER.NAM", "I-PER.NAM", "O"]},
            {"tokens": ["他"], "tags": ["B-PER.NOM"]},
        ],
    ),
    (
        "wnut17",
        {"emerging__test__annotated": "New\tB-location\nYork\tI-location\n!\tO\n\t\nhi\tO\n"},
        [
            {"tokens": ["New", "York", "!"], "tags": ["B-location", "I-location", "O"]},
            {"tokens": ["hi"], "tags": ["O"]},
        ],
    ),
    (
        "conll2003",
        {"eng__testb": "-DOCSTART- -X- -X- O\n\nU.N. NNP I-NP I-ORG\nEkeus NNP I-NP I-PER\n\n"},
        [{"tokens": ["U.N.", "Ekeus"], "tags": ["B-ORG", "B-PER"]}],
    ),
    (
        "stsb-zh",
        {"stsb-zh-test__csv": '一个人,"有人, 一个",2.5\n'},
        [{"text1": "一个人", "text2": "有人, 一个", "score": 2.5}],
    ),
    (
        "sick-r",
        {"test__jsonl": lines({"sentence1": "A", "sentence2": "B", "score": 3.5})},
        [{"text1": "A", "text2": "B", "score": 3.5}],
    ),
    ("optdigits", {"optdigits__tes": "0,5,16,1,7\n"}, [{"image": [[0, 5], [16, 1]], "label": "7"}]),
]


@pytest.mark.parametrize(("name", "contents", "expected"), CASES, ids=[case[0] for case in CASES])
def test_published_files_become_rows(name, contents, expected, tmp_path):
    assert imported(name, given(tmp_path, **contents), tmp_path) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["I-PER", "I-PER", "O", "I-LOC"], ["B-PER", "I-PER", "O", "B-LOC"]),
        (["I-PER", "B-PER", "I-LOC"], ["B-PER", "B-PER", "B-LOC"]),
        (["B-PER", "M-PER", "E-PER", "S-LOC", "E-LOC"], ["B-PER", "I-PER", "I-PER", "B-LOC", "B-LOC"]),
        (["B_PER", "o", ""], ["B-PER", "O", "O"]),
    ],
)
def test_tags_become_iob2(tags, expected):
    assert shaping.iob2(tags) == expected
