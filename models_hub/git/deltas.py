"""Git's deltas: an object told as copies from another one and new bytes between them."""

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

_LONGEST_COPY = 0x10000


class DeltaRefused(InvalidInput):
    """A delta that does not fit the object it is to be applied to."""

    code = "bad_delta"


def sizes(delta: bytes) -> tuple[int, int]:
    """Return how long a delta says that its base and its result are."""
    base, position = _number(delta, 0)
    result, _position = _number(delta, position)
    return base, result


def apply(base: bytes, delta: bytes) -> bytes:
    """Return what a delta makes of `base`; whoever calls has bounded the size that it states.

    The result grows with what is really copied, never beyond what is stated.
    """
    stated, position = _number(delta, 0)
    size, position = _number(delta, position)
    if stated != len(base):
        raise _refused()
    made = bytearray()
    try:
        while position < len(delta):
            order = delta[position]
            position += 1
            if order & 0x80:
                offset, length, position = _copy(delta, position, order)
                if offset + length > stated or len(made) + length > size:
                    raise _refused()
                made += base[offset : offset + length]
            else:
                made += delta[position : position + order]
                position += order
                if order == 0 or position > len(delta) or len(made) > size:
                    raise _refused()
    except IndexError as error:
        raise _refused() from error
    if len(made) != size:
        raise _refused()
    return bytes(made)


def _copy(delta: bytes, position: int, order: int) -> tuple[int, int, int]:
    """Return offset and length of a copy, and where the next order begins."""
    values = 0
    for bit in range(7):
        if order >> bit & 1:
            values |= delta[position] << 8 * bit
            position += 1
    return values & 0xFFFFFFFF, values >> 32 or _LONGEST_COPY, position


def _number(delta: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(delta) or shift > 56:
            raise _refused()
        byte = delta[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def _refused() -> DeltaRefused:
    return DeltaRefused(_("The pack holds a delta that does not fit its base. Run “git fsck” and push again."))
