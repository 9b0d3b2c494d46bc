"""Keeping the search documents true: they change in the transaction of what they are made from."""

from models_hub.models import Repo, SearchDocument
from models_hub.searching import words
from models_hub.task_names import TASKS

MAX_TEXT = 4000  # of what excerpts are cut from
MAX_WORDS = 4000  # of a card
# Chinese readers ask in Chinese for what cards declare by codes.
TASK_WORDS = {
    "text-classification": "文本分类 情感分析", "token-classification": "命名实体识别 序列标注",
    "question-answering": "问答 阅读理解", "fill-mask": "掩码 填空", "sentence-similarity": "句子相似度 文本匹配",
    "feature-extraction": "特征提取 向量 嵌入", "zero-shot-classification": "零样本分类", "summarization": "摘要",
    "translation": "翻译", "text-generation": "文本生成 对话", "text2text-generation": "文本生成",
    "multiple-choice": "选择题", "text-ranking": "排序 重排", "text-retrieval": "检索",
    "image-classification": "图像分类", "object-detection": "目标检测", "automatic-speech-recognition": "语音识别",
}  # fmt: skip
LANGUAGE_WORDS = {
    "zh": "chinese 中文 汉语", "en": "english 英文 英语", "ja": "japanese 日语", "ko": "korean 韩语",
    "fr": "french 法语", "de": "german 德语", "es": "spanish 西班牙语", "multilingual": "多语言",
}  # fmt: skip


def note(repo: Repo, text: str) -> None:
    """Take in what a repository says of itself now; `text` is its card without metadata. In a transaction."""
    name = name_words(repo)
    row = {
        "name": name,
        "words": joined(name, tag_words(repo), words.of(text)[:MAX_WORDS]),
        "text": text[:MAX_TEXT].replace("\x00", ""),
        "rules": words.RULES,
    }
    SearchDocument.objects.update_or_create(repo=repo, defaults=row)


def note_name(repo: Repo) -> None:
    """Take in another name or owner; what the repository says stays."""
    known = SearchDocument.objects.filter(repo=repo).first()
    if known is not None:
        name = name_words(repo)
        known.name, known.words = name, " | ".join([name, *known.words.split(" | ")[1:]])
        known.save(update_fields=["name", "words"])


def name_words(repo: Repo) -> str:
    found = words.of(f"{repo.namespace.name} {repo.name}")
    # A name without its hyphens is asked for too: “minilm l6” and “minilml6”.
    return " ".join([*found, *words.of(repo.name.replace("-", "").replace("_", "").replace(".", ""))])


def tag_words(repo: Repo) -> list[str]:
    task = repo.task.replace("-", " ") if repo.task else ""
    known = str(TASKS[repo.task].label) if repo.task in TASKS else ""
    languages = " ".join(f"{code} {LANGUAGE_WORDS.get(code, '')}" for code in repo.languages[:40])
    parts = [task, known, TASK_WORDS.get(repo.task, ""), repo.library, repo.architecture, repo.model_type, repo.license,
             languages, " ".join(repo.formats), " ".join(map(str, repo.tags[:200]))]  # fmt: skip
    return words.of(" ".join(parts))


def joined(name: str, tags: list[str], card: list[str]) -> str:
    return f"{name} | {' '.join(tags)} | {' '.join(card)}"
