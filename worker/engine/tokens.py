"""Text into tokens with a model's own tokenizer.json: a program that the web process starts, and may kill.

It reads one JSON request on standard input and writes its answer on standard output. The tokenizer is hostile: it runs
with little memory and time, without a network where the kernel lets it give that up, and may end the process.
"""

import ctypes
import json
import resource
import sys
from typing import Any

MEMORY_BYTES = 1536 * 1024**2
MAX_TOKENS = 20_000
MAX_TOKEN_TEXT = 200
NO_LIBRARY = 3
UNREADABLE = 4
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


def tokens_of(tokenizer: Any, text: str, *, with_special: bool) -> dict[str, Any]:
    """Return the tokens of a text: their ids, their own text, and which characters they stand for."""
    encoding = tokenizer.encode(text, add_special_tokens=with_special)
    count = len(encoding.ids)
    rows = zip(encoding.ids, encoding.tokens, encoding.offsets, encoding.special_tokens_mask, strict=True)
    shown = [
        {"id": number, "token": token[:MAX_TOKEN_TEXT], "start": start, "end": end, "special": bool(special)}
        for (number, token, (start, end), special), _index in zip(rows, range(MAX_TOKENS), strict=False)
    ]
    return {
        "tokens": shown,
        "count": count,
        "vocabulary": tokenizer.get_vocab_size(),
        "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=True)[: len(text) * 4 + 1000],
    }


def text_of(tokenizer: Any, ids: list[int]) -> dict[str, Any]:
    """Return the text that ids stand for, and the tokens by themselves."""
    tokens = [{"id": number, "token": (tokenizer.id_to_token(number) or "")[:MAX_TOKEN_TEXT]} for number in ids]
    return {
        "decoded": tokenizer.decode(ids, skip_special_tokens=False)[:100_000],
        "tokens": tokens,
        "count": len(ids),
        "vocabulary": tokenizer.get_vocab_size(),
    }


def leave_network() -> None:
    """Go where there is no network; a kernel that does not allow it leaves us here, among our limits."""
    ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK)


def main() -> int:
    seconds = int(sys.argv[1])
    leave_network()
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = json.load(sys.stdin)
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return NO_LIBRARY
    try:
        tokenizer = Tokenizer.from_str(request["tokenizer"])
        tokenizer.no_truncation()
        tokenizer.no_padding()
    except Exception:  # noqa: BLE001 - the library raises bare exceptions
        return UNREADABLE
    if "ids" in request:
        answer = text_of(tokenizer, request["ids"])
    else:
        answer = tokens_of(tokenizer, request["text"], with_special=request["with_special"])
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
