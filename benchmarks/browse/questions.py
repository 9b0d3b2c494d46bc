"""What readers ask: each question in other words for each number."""

import random

from benchmarks.browse.stock import CHINESE, ENGLISH

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
