"""A request body read in exact steps, so that nothing a sender states about lengths is trusted."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from portal.errors import InvalidInput, TooLarge

BLOCK = 256 * 1024


class CutOff(InvalidInput):
    """The body ended before what it announced."""

    code = "cut_off"


class Body:
    """The bytes of one request, at most `length` of them, in order and once."""

    def __init__(self, read: Callable[[int], bytes], length: int) -> None:
        self._read = read
        self.remaining = length

    def limit(self, most: int) -> None:
        """Refuse a body that announces more than `most` bytes."""
        if self.remaining > most:
            raise TooLarge(
                _("The body has %(size)d bytes; at most %(most)d are accepted here. Send it in smaller parts.")
                % {"size": self.remaining, "most": most}
            )

    def take(self, size: int) -> bytes:
        """Return exactly `size` bytes; raises CutOff before reserving memory for what cannot come."""
        if size > self.remaining:
            raise CutOff(_("The upload ends in the middle of a record. Send it again."))
        blocks: list[bytes] = []
        while size > 0:
            block = self._receive(size)
            if not block:
                raise CutOff(_("The connection ended before the upload did. Send it again."))
            blocks.append(block)
            size -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def drain(self, most: int) -> None:
        """Read and drop the rest, up to `most` bytes.

        A client still sending when the answer comes sees a broken connection instead, and sends it all again.
        """
        while self.remaining > 0 and most > 0:
            most -= len(self._receive(min(BLOCK, self.remaining, most)))

    def _receive(self, size: int) -> bytes:
        """Return up to `size` bytes; nothing, and never more, once the sender is gone."""
        try:
            block = self._read(size)
        except OSError:
            block = b""
        self.remaining = self.remaining - len(block) if block else 0
        return block
