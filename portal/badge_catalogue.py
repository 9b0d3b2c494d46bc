"""The 28 badges: their names, what each asks for, and what has them looked at again.

What counts is found by functions of the apps, under the slug (portal/evidence.py); the sentences here say exactly the
same to readers. A threshold is how much of it bronze, silver and gold take.
"""

from dataclasses import dataclass, field
from enum import Enum

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.models import Tier, Track

Text = str | Promise
REPOS = ("repo.committed", "repo.visibility_changed", "repo.deleted", "repo.restored")
SCORES = ("evaluation.completed", *REPOS)
TALK = ("topic.accepted", "topic.hidden", "topic.status_changed", "discussion.hidden")
VOTES = ("post.reacted", "post.unreacted")
CASES = ("case.decided", "appeal.decided")
CLAIMS = ("claim.decided",)


class Shape(Enum):
    """How evidence becomes a tier: by its sum, by the best single piece, or each piece by itself."""

    SUM = "sum"
    BEST = "best"
    EACH = "each"


class Group(Enum):
    """The part of the page on which a badge stands."""

    START = _("First steps")
    MODELS = _("Models")
    EVALS = _("Evaluations")
    DATA = _("Data and texts")
    HELP = _("Helping others")
    ORDER = _("Keeping order")
    SEASONS = _("Seasons")


@dataclass(frozen=True)
class Rule:
    """One badge. `falls` says whether less evidence than before takes it back; `claimed`, that people confirm it."""

    slug: str
    name_en: str
    name_zh: str
    icon: str
    group: Group
    criterion: Text
    guard: Text
    events: tuple[str, ...]
    tiers: tuple[int, ...] = (1,)
    tracks: tuple[str, ...] = ()
    shape: Shape = Shape.SUM
    settles: bool = True
    falls: bool = True
    claimed: Text = ""
    is_private: bool = False
    # What the thresholds are called where they are no plain numbers.
    tier_texts: tuple[Text, ...] = field(default=())

    @property
    def name(self) -> str:
        """The name in the reader’s language."""
        return self.name_zh if (translation.get_language() or "").startswith("zh") else self.name_en

    @property
    def other_name(self) -> str:
        return self.name_en if (translation.get_language() or "").startswith("zh") else self.name_zh

    @property
    def path(self) -> str:
        return f"/badges/{self.slug}"

    @property
    def steps(self) -> list[tuple[Tier, Text]]:
        """Each tier and what it takes."""
        texts = self.tier_texts or tuple(str(number) for number in self.tiers)
        return [(Tier(number + 1), text) for number, text in enumerate(texts)]

    def tier_of(self, amount: int) -> int:
        return sum(amount >= threshold for threshold in self.tiers)


M, E, D, H, S = (str(track) for track in (Track.MODELS, Track.EVALS, Track.DATA, Track.HELP, Track.STEWARDSHIP))
_CLAIM = _("Tell us about it on this page; somebody at level 3 or staff, who is not close to you, confirms it.")

_ALL = (
    Rule(
        "first-light", "First Light", "初来乍到", "sunrise", Group.START,
        _("Confirm your address of mail, say who you are on your profile, and read the rules."),
        _("A second factor is welcome and not asked for."),
        ("trust.rules_read", "profile.changed"), settles=False, falls=False,
    ),
    Rule(
        "anniversary", "Anniversary", "周年", "calendar-heart", Group.START,
        _(
            "One accepted contribution in a calendar year: an answer, a change, a score or an article that "
            "others accepted."
        ),
        _("Signing in is no contribution. One for each year."),
        (*TALK, "discussion.merged", "evaluation.completed", *CLAIMS), shape=Shape.EACH,
    ),
    Rule(
        "model-author", "Model Author", "模型作者", "box-seam", Group.MODELS,
        _(
            "Public models with weights that hold no pickled code, a known licence, at least 80 percent of the steps "
            "of their card done, and public for 30 days."
        ),
        _("Of models with the same weights only the first counts (Q8)."),
        REPOS, (1, 5, 20), (M,),
    ),
    Rule(
        "safe-format", "Safe Format", "安全格式", "shield-check", Group.MODELS,
        _(
            "Public models whose weights are all safetensors or GGUF and that a worker of this portal has loaded "
            "for an evaluation."
        ),
        _("Of models with the same weights only the first counts (Q8)."),
        SCORES, (1, 10, 50), (M,),
    ),
    Rule(
        "adopted", "Adopted", "被广泛采用", "download", Group.MODELS,
        _("One public model that so many different people or networks downloaded within 90 days."),
        _(
            "A person, or a network of addresses, counts once in 30 days; crawlers, checks for news, yourself "
            "and people close to you do not (Q2, Q7)."
        ),
        (), (50, 500, 5000), (M,), Shape.BEST, falls=False,
    ),
    Rule(
        "lineage", "Lineage", "开枝散叶", "diagram-3", Group.MODELS,
        _(
            "One public model that so many different other authors declare as the base of a public model with "
            "weights of its own."
        ),
        _(
            "Weights that equal those of the base, or of another model counted before, do not count (Q8), nor do "
            "people close to you (Q2)."
        ),
        REPOS, (3, 15, 60), (M,), Shape.BEST,
    ),
    Rule(
        "honest-finetuner", "Honest Fine-tuner", "严谨微调", "sliders", Group.MODELS,
        _(
            "Public fine-tuned models whose card names the base and the data, with learning rate, batch size, "
            "epochs or steps and seed, and a loss curve: trainer_state.json or a table of losses."
        ),
        _("Of models with the same weights only the first counts (Q8)."),
        REPOS, (1, 5, 20), (M,),
    ),
    Rule(
        "beats-base", "Beats Base", "超越基座", "graph-up-arrow", Group.MODELS,
        _(
            "Fine-tuned models measured here: on a benchmark the whole 95-percent interval is better than the score of "
            "the base, and on no other benchmark that both were measured on is it more than 2 points worse."
        ),
        _(
            "Nothing may be known or declared of training on the rows, or the rows are withheld; at least one "
            "other benchmark guards."
        ),
        SCORES, (1, 5, 15), (M, E),
    ),
    Rule(
        "small-giant", "Small Giant", "以小博大", "lightning-charge", Group.SEASONS,
        _(
            "At the end of a season a model of yours stands on the front of a board: no model of its class that "
            "is as small has a better score. Classes: up to 0.5B, 1B, 3B and 7B parameters."
        ),
        _("Models with measured or declared training on the rows are left out."),
        ("season.closed",), (1, 2, 3), (M, E), Shape.EACH,
        tier_texts=(_("among the first 10"), _("among the first 3"), _("first")),
    ),
    Rule(
        "quantizer", "Quantizer", "量化工匠", "file-earmark-zip", Group.MODELS,
        _(
            "Public quantized models that are smaller than their base, both measured here on the same benchmark, "
            "with speed."
        ),
        _("Of models with the same weights only the first counts (Q8)."),
        SCORES, (1, 5, 20), (M,),
    ),
    Rule(
        "complete-card", "Complete Card", "卡片完善", "card-checklist", Group.DATA,
        _(
            "Own public repositories whose card has every step done, a section on limits, one on the data, and "
            "text in Chinese and English."
        ),
        _("At least 200 letters of English and 100 characters of Chinese."),
        REPOS, (1, 5, 20), (M, D),
    ),
    Rule(
        "evaluator", "Evaluator", "评测者", "speedometer2", Group.EVALS,
        _("Evaluations you asked for that somebody else ran once more with the same answers."),
        _("People close to you do not count (Q2)."),
        SCORES, (3, 20, 100), (E,),
    ),
    Rule(
        "reproducer", "Reproducer", "复现者", "arrow-repeat", Group.EVALS,
        _("Further runs of evaluations that others asked for, whose score lies within the interval of the first."),
        _("Not of your own models, nor of people close to you (Q2). One for each evaluation."),
        SCORES, (3, 15, 50), (E,),
    ),
    Rule(
        "benchmark-builder", "Benchmark Builder", "基准建设者", "rulers", Group.EVALS,
        _("Approved benchmarks of yours with at least 10 finished evaluations by at least 5 others."),
        _("Only people who may speak for you count (Q1, Q2)."),
        ("benchmark.approved", *SCORES), (1, 3, 8), (E, D),
    ),
    Rule(
        "contamination-hunter", "Contamination Hunter", "污染猎手", "virus", Group.EVALS,
        _(
            "Reports that test rows leaked into training, or that a score is false, which moderators or a "
            "reviewer upheld."
        ),
        _("What nobody upheld does not count."),
        (*CASES, *CLAIMS), (1, 3, 10), (E, D, S), claimed=_CLAIM,
    ),
    Rule(
        "data-steward", "Data Steward", "数据管家", "database-check", Group.DATA,
        _(
            "Public data sets with a known licence, a card that says how personal data were looked for and how "
            "duplicates were found, and public models of at least 3 others that name them."
        ),
        _("People close to you do not count (Q2)."),
        REPOS, (1, 5, 15), (D,),
    ),
    Rule(
        "first-answer", "First Answer", "首次解答", "chat-square-heart", Group.HELP,
        _("An answer of yours that somebody else accepted."),
        _("People close to you do not count (Q2)."),
        TALK, (1,), (H,),
    ),
    Rule(
        "problem-solver", "Problem Solver", "解题者", "patch-check", Group.HELP,
        _("Accepted answers, of which at least 60 percent are to different people."),
        _("People close to you do not count (Q2), nor those who mostly speak for you (Q3)."),
        TALK, (5, 50, 250), (H,),
    ),
    Rule(
        "welcomer", "Welcomer", "引路人", "door-open", Group.HELP,
        _(
            "First replies, within 24 hours, to the first question of a new member, which that person accepted "
            "or reacted to."
        ),
        _("One for each newcomer; people close to you do not count (Q2)."),
        (*TALK, *VOTES), (5, 25, 100), (H,),
    ),
    Rule(
        "good-question", "Good Question", "好问题", "question-circle", Group.HELP,
        _(
            "Questions with what it takes to reproduce them (code, a log or a reference to a model), an accepted "
            "answer, and good reactions of 5 people."
        ),
        _("Only people who may speak for you count (Q1, Q2, Q3)."),
        (*TALK, *VOTES), (1, 10, 50), (H,),
    ),
    Rule(
        "doc-writer", "Doc Writer", "文档作者", "journal-text", Group.DATA,
        _("Changes to cards and documents of others that they merged, and articles that a reviewer approved."),
        _("Whoever merged or approved it is not you and not close to you (Q2)."),
        ("discussion.merged", "article.approved", *TALK, *CLAIMS), (1, 10, 50), (H, D), claimed=_CLAIM,
    ),
    Rule(
        "bridge", "Bridge", "双语桥梁", "translate", Group.DATA,
        _(
            "Translations between Chinese and English: merged changes to a document of the other language, "
            "translated articles that a reader of both languages found good, or others that a reviewer confirmed."
        ),
        _("The reviewer has level 3 and is not close to you (Q2)."),
        ("discussion.merged", "translation.accepted", "translation.refused", "topic.hidden", *CLAIMS),
        (3, 20, 100), (H, D), claimed=_CLAIM,
    ),
    Rule(
        "sharp-eye", "Sharp Eye", "火眼金睛", "eye", Group.ORDER,
        _("Reports that moderators agreed with, while at least 80 percent of your last 50 were."),
        _("One for each case."),
        CASES, (5, 30, 150), (S,),
    ),
    Rule(
        "peer-reviewer", "Peer Reviewer", "同行评审", "clipboard-check", Group.ORDER,
        _(
            "Reviews that asked for changes to a proposal, which its author made before it was merged; or that "
            "an author confirmed."
        ),
        _("One for each proposal; people close to you do not count (Q2)."),
        ("discussion.merged", "discussion.reviewed", *CLAIMS), (5, 30, 100), (S,), claimed=_CLAIM,
    ),
    Rule(
        "security-reporter", "Security Reporter", "安全哨兵", "shield-exclamation", Group.ORDER,
        _("Reports of malware, unsafe files or leaked secrets that moderators or a reviewer upheld."),
        _("What they were about stays private."),
        (*CASES, *CLAIMS), (1, 3, 10), (S,), claimed=_CLAIM, is_private=True,
    ),
    Rule(
        "bug-reporter", "Bug Reporter", "捉虫人", "bug", Group.ORDER,
        _("Faults of this portal that you reported in a topic and that were then repaired, as staff confirm."),
        _("Only staff confirm these."),
        CLAIMS, (1, 5, 25), (S, H), claimed=_(
            "Name the topic in which you reported it; staff confirm that it is repaired."
        ),
    ),
    Rule(
        "challenge-medallist", "Challenge Medallist", "赛季奖牌", "trophy", Group.SEASONS,
        _(
            "A place in a challenge of a season, on rows that were withheld, with the code published; staff "
            "checked it and 7 days passed without an objection that was upheld."
        ),
        _("A struck place takes the badge back."),
        ("season.placed",), (1, 2, 3), (M, E), Shape.EACH,
        tier_texts=(_("third, or up to the tenth place"), _("second"), _("first")),
    ),
    Rule(
        "mentor", "Mentor", "导师", "people", Group.ORDER,
        _(
            "Newcomers who agreed to have you as mentor, reached level 2 since, and have a badge for models, "
            "evaluations or help."
        ),
        _("People close to you do not count (Q2)."),
        ("trust.changed", "badge.granted", "mentorship.agreed"), (1, 3, 10), (H, S), settles=False,
    ),
)  # fmt: skip
RULES: dict[str, Rule] = {rule.slug: rule for rule in _ALL}


# The rules against gaming, as the page explains them.
FAIR: dict[str, Text] = {
    "Q1": _("The word of somebody counts who has level 1, an account of 7 days and a confirmed address of mail; once."),
    "Q2": _(
        "People close to each other do not speak for each other: the same network or browser, a common organization, "
        "or one of them invited the other."
    ),
    "Q3": _("Who gives one person more than 3 votes, and more than 30 percent of all, counts nothing for that person."),
    "Q4": _("What counts must have stood for 72 hours: not deleted, not hidden, not off the boards."),
    "Q5": _("Five votes for one person within ten minutes are a series: it is reversed, and the ledger shows it."),
    "Q6": _("Nothing is given for the mere number of posts, likes, uploads or downloads."),
    "Q7": _("A person, or a network of addresses, is one downloader; crawlers and checks for news are none."),
    "Q8": _("Of repositories with the same weights only the one that had them first counts."),
}


def by_event(kind: str) -> list[Rule]:
    """Return the badges that such an event may concern."""
    return [rule for rule in _ALL if kind in rule.events]


EVENTS = frozenset(kind for rule in _ALL for kind in rule.events)
