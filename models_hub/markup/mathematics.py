"""Formulas in TeX become MathML, which browsers show without a script."""

import re
import xml.etree.ElementTree as ET
from html import escape, unescape

from latex2mathml.converter import convert_to_element

MAX_FORMULA = 5000
# What latex2mathml writes, less what would link, run or draw over the page.
TAGS = set(
    """maction math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace
    msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none""".split()
)
ATTRIBUTES = set(
    """accent accentunder align columnalign columnlines columnspacing depth display displaystyle fence form height
    largeop linebreak linethickness lspace mathcolor mathsize mathvariant maxsize minsize movablelimits notation
    rowlines rowspacing rowspan columnspan rspace scriptlevel separator stretchy symmetric voffset width""".split()
)
SAFE_VALUE = re.compile(r"[\w .%#+-]{1,60}", re.ASCII)
# Signs that carry their limits above and below where there is room for it.
LARGE = set("∑∏∐⋃⋂⨁⨂⨀⋁⋀")
LIMITS = LARGE | {"max", "min", "lim", "sup", "inf", "argmax", "argmin", "arg max", "arg min", "limsup", "liminf"}
OVER_AND_UNDER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
NAMED = re.compile(r"\\(arg|argmax|argmin|softmax|sign)(?![A-Za-z])")
ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|alignedat|gathered|gather\*?|equation\*?|alignat\*?|eqnarray\*?)\}")
LABEL = re.compile(r"\\(?:label|ref|nonumber|notag)(?:\{[^{}]*\}|(?![A-Za-z]))")


def mathml(source: str, *, is_block: bool) -> str | None:
    """Return a formula as MathML of our own writing, or None when it cannot be understood."""
    if len(source) > MAX_FORMULA:
        return None
    text = ENVIRONMENT.sub(r"\\\1{align*}", LABEL.sub("", source))
    text = NAMED.sub(r"\\operatorname{\1}", text).strip()
    try:
        root = convert_to_element(text, display="block" if is_block else "inline")
    except Exception:  # noqa: BLE001 - the library answers odd input with whatever error it meets
        return None
    parts: list[str] = []
    return "".join(parts) if _write(root, parts) else None


def _write(element: ET.Element, parts: list[str]) -> bool:
    """Append the element as text; say whether all of it was understood."""
    text = unescape(element.text or "")
    children = list(element)
    if element.tag not in TAGS or (text.startswith("\\") and len(text) > 1) or text == "&":
        return False
    tag = element.tag
    if tag in OVER_AND_UNDER and children and _carries_limits(children[0]):
        tag = OVER_AND_UNDER[tag]
    written = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in ATTRIBUTES and SAFE_VALUE.fullmatch(value)
    )
    if tag in {"mo", "mi"} and text in LIMITS - LARGE:
        tag, written = "mo", ' movablelimits="true" lspace="0" rspace=".17em"'
    parts.append(f"<{tag}{written}>{escape('∼' if text == '~' and tag == 'mi' else text)}")
    if not all(_write(child, parts) for child in children):
        return False
    parts.append(f"</{tag}>")
    return True


def _carries_limits(element: ET.Element) -> bool:
    return element.tag in {"mo", "mi"} and unescape(element.text or "") in LIMITS
