"""The rules of the house in a few sentences: the page of them, and what a notice names, are made from here."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.models import Reason


@dataclass(frozen=True)
class Rule:
    """One rule, and the reasons of reports that mean it."""

    slug: str
    title: Promise
    text: Promise
    reasons: frozenset[str]


RULES = (
    Rule(
        "kind",
        _("Be kind"),
        _("Argue about models and numbers, not about people. No insults, threats, hate or pursuit of anybody."),
        frozenset({Reason.HARASSMENT}),
    ),
    Rule(
        "useful",
        _("Write what helps somebody"),
        _("No advertising, no texts made in bulk, no links for the sake of links. Keep a topic to its subject."),
        frozenset({Reason.SPAM, Reason.OFF_TOPIC}),
    ),
    Rule(
        "safe",
        _("Harm nobody’s machine"),
        _("No malware, and no files that run code when they are loaded. Never publish a password or token."),
        frozenset({Reason.MALWARE, Reason.UNSAFE_FILE, Reason.SECRET}),
    ),
    Rule(
        "rights",
        _("Publish what you may publish"),
        _("Name the licence and keep to those of what you build on. Do not upload what belongs to others."),
        frozenset({Reason.LICENCE, Reason.COPYRIGHT}),
    ),
    Rule(
        "people",
        _("Protect people"),
        _("No personal data without consent, nothing that endangers people, no abuse of children in any form."),
        frozenset({Reason.PRIVACY, Reason.SAFETY}),
    ),
    Rule(
        "honest",
        _("Be honest about results"),
        _("Say what a model was trained on. No scores that were made up, and no training on the rows of a test."),
        frozenset({Reason.FALSE_SCORE, Reason.DOES_NOT_LOAD}),
    ),
    Rule(
        "fair",
        _("One voice for each person"),
        _("No second accounts to vote, report or praise with, and no trade in likes or badges."),
        frozenset(),
    ),
)


def rule_of(reason: str) -> Rule | None:
    """Return the rule that a reason means, None for a reason without one."""
    return next((rule for rule in RULES if reason in rule.reasons), None)
