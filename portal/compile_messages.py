"""`python -m portal.compile_messages`: translation catalogues to their binary form, without GNU gettext."""

import io
import os

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from portal.config import env


def compile_all() -> None:
    """Compile every catalogue that is newer than its binary form."""
    for source in sorted((env.BASE_DIR / "locale").glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file)
        buffer = io.BytesIO()
        write_mo(buffer, catalogue)
        partial = target.with_suffix(".mo.part")
        partial.write_bytes(buffer.getvalue())
        os.replace(partial, target)


if __name__ == "__main__":
    compile_all()
