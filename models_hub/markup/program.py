"""The child process that models_hub.rendering starts: it has what it needs imported, and forks for each request.

A fork costs some milliseconds where a new interpreter with Markdown and Pygments costs some hundreds. What a request
does to its process ends with that process. Each request comes with a socket of its own, and gets its answer there.
"""

import json
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable

from models_hub.markup import OK, code, documents, notebooks, pickles, trees

MEMORY_BYTES = 1024**3
OPEN_FILES = 16
OPERATIONS: dict[str, Callable[..., str]] = {
    "markdown": documents.markdown_to_html,
    "document": documents.document_to_json,
    "code": code.code_to_html,
    "diffs": code.diffs,
    "notebook": notebooks.notebook_to_html,
    "tree": trees.tree_to_json,
    "pickle": pickles.pickle_to_json,
}
CONTROL = 0  # the socket over which requests come, as standard input


def main() -> None:
    """Serve until whoever started us is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=CONTROL)
    code.code_to_html("x = 1", name="a.py")
    code.code_to_html("{}", name="a.json")
    documents.markdown_to_html("# Warm\n\n`a` $x$\n\n```python\nx\n```")
    while True:
        limits, descriptors, _flags, _address = socket.recv_fds(control, 64, 1)
        if not limits:
            return
        if not descriptors:
            continue
        if os.fork() == 0:
            control.close()
            _answer(descriptors[0], *struct.unpack("!II", limits))
        os.close(descriptors[0])


def _answer(descriptor: int, cpu_seconds: int, wall_seconds: int) -> None:
    """Answer one request within its limits, and end the process whatever happens."""
    try:
        signal.alarm(wall_seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        with socket.socket(fileno=descriptor) as connection:
            with connection.makefile("rb") as stream:
                request = json.load(stream)
            result = OPERATIONS[request["operation"]](*request["arguments"], **request["options"])
            connection.sendall(OK + result.encode("utf-8", "replace"))
        os._exit(0)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
