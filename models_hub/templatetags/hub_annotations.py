"""Answers of people, in templates."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def with_tags(words: list[str], tags: Any) -> list[tuple[str, str]]:
    """Return each word with its tag, outside where there is none."""
    given = [tag if isinstance(tag, str) else "O" for tag in tags] if isinstance(tags, list) else []
    return list(zip(words, [*given, *["O"] * (len(words) - len(given))], strict=False))


@register.filter
def is_list(value: Any) -> bool:
    """Whether it is any number of labels, not one."""
    return isinstance(value, list)
