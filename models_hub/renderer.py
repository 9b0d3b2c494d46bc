"""The process that renders hostile text for this web process: started when first needed, and again when it died."""

import atexit
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from threading import Lock

from models_hub.markup import OK

ROOT = Path(__file__).resolve().parent.parent
START = "import sys; sys.path.append(sys.argv[1]); from models_hub.markup.program import main; main()"
READ_SIZE = 1024 * 1024


class RenderFailed(Exception):
    """No answer came: the request was too hard, or the process could not be started."""


class Renderer:
    """A running process of models_hub/markup/program.py, which forks for each request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def ask(self, request: bytes, *, cpu_seconds: int, wall_seconds: int) -> bytes:
        """Return the answer to one request; raises RenderFailed."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._send(theirs, struct.pack("!II", cpu_seconds, wall_seconds))
            try:
                # The fork ends itself by its alarm; this is for a machine that stands still.
                ours.settimeout(wall_seconds + 5)
                ours.sendall(request)
                ours.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: ours.recv(READ_SIZE), b""))
            except OSError as error:
                raise RenderFailed from error
        if not answer.startswith(OK):
            raise RenderFailed
        return answer.removeprefix(OK)

    def _send(self, connection: socket.socket, limits: bytes) -> None:
        with self._lock:
            for _attempt in range(2):
                try:
                    control = self._started()
                    socket.send_fds(control, [limits], [connection.fileno()])
                except OSError:
                    self._stop()
                else:
                    return
        raise RenderFailed

    def _started(self) -> socket.socket:
        """Start the process, isolated from our environment and our open files, where none of ours is running."""
        if self._control is not None and self._process is not None and self._owner == os.getpid():
            if self._process.poll() is None:
                return self._control
            self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-c", START, str(ROOT)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
                    cwd="/",
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        self._control, self._owner = ours, os.getpid()
        atexit.register(self._stop)
        return ours

    def _stop(self) -> None:
        atexit.unregister(self._stop)
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._control = self._process = None
