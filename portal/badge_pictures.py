"""A picture of somebody's badges as SVG, for pages elsewhere. It holds nothing but shapes and escaped text."""

from django.utils.html import escape
from django.utils.translation import gettext as _

from portal import badges
from portal.models import Tier, User

MOST = 6
WIDTH, LINE, TOP = 360, 22, 58
COLOURS = {Tier.BRONZE: "#a0622d", Tier.SILVER: "#6b7280", Tier.GOLD: "#b7860b"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', sans-serif"
MAX_NAME = 28


def picture(user: User) -> str:
    """Return the drawing in the language that is spoken now; two queries."""
    held = badges.held_by(user)[:MOST]
    ranks = [(track, rank) for track, rank in badges.ranks_of(user).items() if rank]
    lines = [_badge(one, TOP + LINE * number) for number, one in enumerate(held)]
    if not held:
        lines = [_text(16, TOP + 14, _("No badges yet"), size=12, colour="#6b7280")]
    best = max(ranks, key=lambda pair: pair[1], default=None)
    under = f"{best[1].label} · {best[0].label}" if best else _("Novice")
    height = TOP + LINE * max(1, len(held)) + 12
    title = _("Badges of %(name)s") % {"name": user.display_name}
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" font-family="{escape(FONT)}"><title>{escape(title)}</title>'
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="#d1d5db"/>'
        f"{_text(16, 26, _cut(user.display_name), size=15, colour='#111827', weight=600)}"
        f"{_text(16, 44, under, size=12, colour='#0f766e')}{''.join(lines)}</svg>"
    )


def _badge(one: badges.Held, y: int) -> str:
    times = f" × {one.times}" if one.times > 1 else ""
    return (
        f'<circle cx="22" cy="{y + 10}" r="6" fill="{COLOURS[one.tier]}"/>'
        f"{_text(36, y + 14, f'{one.rule.name}{times}', size=12, colour='#111827')}"
        f"{_text(WIDTH - 16, y + 14, str(one.tier.label), size=11, colour='#6b7280', anchor='end')}"
    )


def _text(x: int, y: int, text: object, *, size: int, colour: str, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def _cut(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
