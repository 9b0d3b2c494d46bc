"""What a card says besides its metadata: whether it speaks of limits, of its data, of how the model was trained.

Words and headings are looked for in both languages. It is no judgement of quality: badges ask for it, readers judge.
"""

import json
import re
from collections.abc import Iterable

from models_hub import browsing, cards, completeness
from models_hub.models import DEFAULT_BRANCH, ZERO_OID, CardReview, Repo
from portal.errors import DomainError

RULES = 1  # raised when the same card would be read otherwise
MAX_TEXT = 200_000
MAX_STATE = 2_000_000
ENGLISH, CHINESE = 200, 100  # letters, characters
CARD, STATE = "README.md", "trainer_state.json"
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.{1,200})$", re.MULTILINE)
_SECTIONS = {
    "limits": re.compile(r"limit|bias|risk|局限|限制|偏见|风险", re.IGNORECASE),
    "data": re.compile(r"\bdata|数据|语料", re.IGNORECASE),
}
_WORDS = {
    "rate": re.compile(r"learning[_ -]rate|学习率", re.IGNORECASE),
    "batch": re.compile(r"batch[_ -]?size|批大小|批次|批量", re.IGNORECASE),
    "length": re.compile(r"\bepochs?\b|\bsteps?\b|轮|步数", re.IGNORECASE),
    "seed": re.compile(r"\bseed\b|随机种子", re.IGNORECASE),
    "privacy": re.compile(r"personal (?:data|information)|\bPII\b|个人信息|个人数据|隐私", re.IGNORECASE),
    "duplicates": re.compile(r"duplicat|dedup|去重|重复", re.IGNORECASE),
}
_LOSSES = re.compile(
    r"^\|[^\n]{0,300}\bloss\b[^\n]{0,300}\|[ \t]*$\n\|[-:| \t]+\|[ \t]*$", re.IGNORECASE | re.MULTILINE
)


def reviews_of(repos: Iterable[Repo]) -> dict[int, CardReview]:
    """Return what the cards of these repositories have; those that changed are read."""
    wanted = {repo.pk: repo for repo in repos}
    known = {
        row.pk: row
        for row in CardReview.objects.filter(pk__in=wanted)
        if row.head == wanted[row.pk].head and row.rules == RULES
    }
    for pk, repo in wanted.items():
        if pk not in known:
            known[pk] = _review(repo)
    return known


def _review(repo: Repo) -> CardReview:
    text, paths, state = _read(repo)
    body = _COMMENT.sub("", cards.split_card(text)[1])[:MAX_TEXT]
    checklist = completeness.checklist(repo, body, paths)
    values = {
        "head": repo.head,
        "rules": RULES,
        "steps_done": len(checklist.done),
        "steps": checklist.length,
        "found": sorted(_found(body) | ({"loss"} if _has_curve(state) else set())),
    }
    return CardReview.objects.update_or_create(repo=repo, defaults=values)[0]


def _read(repo: Repo) -> tuple[str, list[str], bytes]:
    """Return the card, the files on top, and what a trainer kept of the way."""
    if repo.head == ZERO_OID:
        return "", [], b""
    try:
        entries = browsing.list_folder(repo, browsing.resolve_revision(repo, DEFAULT_BRANCH))
        files = {entry.path: entry for entry in entries if not entry.is_folder}
        card = files.get(CARD)
        text = browsing.read(repo, card, MAX_TEXT * 4).decode("utf-8", "replace") if card else ""
        state = files.get(STATE)
        content = browsing.read(repo, state, MAX_STATE) if state and state.size <= MAX_STATE else b""
    except (DomainError, OSError):  # content that is elsewhere, or damaged, proves nothing
        return "", [], b""
    return text, list(files), content


def _found(body: str) -> set[str]:
    found = {name for name, pattern in _WORDS.items() if pattern.search(body)}
    found |= {name for name, pattern in _SECTIONS.items() if _has_section(body, pattern)}
    if sum("一" <= letter <= "鿿" for letter in body) >= CHINESE:
        found.add("zh")
    if sum(letter.isascii() and letter.isalpha() for letter in body) >= ENGLISH:
        found.add("en")
    if _LOSSES.search(body):
        found.add("loss")
    return found


def _has_section(body: str, pattern: re.Pattern[str]) -> bool:
    """Return whether a heading says so and something stands below it."""
    headings = list(_HEADING.finditer(body))
    for position, heading in enumerate(headings):
        end = headings[position + 1].start() if position + 1 < len(headings) else len(body)
        if pattern.search(heading[1]) and body[heading.end() : end].strip():
            return True
    return False


def _has_curve(state: bytes) -> bool:
    """Return whether a trainer's own record has more than one loss."""
    try:
        kept = json.loads(state) if state else {}
    except (ValueError, RecursionError):
        return False
    history = kept.get("log_history") if isinstance(kept, dict) else None
    rows = history if isinstance(history, list) else []
    return sum(isinstance(row, dict) and isinstance(row.get("loss"), int | float) for row in rows) > 1
