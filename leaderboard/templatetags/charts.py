"""Places in saved pictures."""

from django import template

register = template.Library()


@register.filter
def times(number: int, factor: int) -> int:
    return number * factor
