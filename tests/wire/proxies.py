"""A network between client and portal that breaks as networks do."""

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Network:
    """Passes bytes on and remembers the requests.

    It may once cut a connection, `cut_after` bytes into an answer, or fall silent `stall_after` bytes into each
    answer until it is mended.
    """

    def __init__(self, port: int, *, cut_after: int | None = None, stall_after: int | None = None) -> None:
        self.port, self.cut_after, self.stall_after = port, cut_after, stall_after
        self.cut = False
        self.stalled, self.mended = threading.Event(), threading.Event()
        self.request_lines: list[bytes] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def __enter__(self) -> "Network":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mended.set()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self.server.accept()
                portal = socket.create_connection(("127.0.0.1", self.port))
                threading.Thread(target=self._ask, args=(client, portal), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, portal), daemon=True).start()

    def _ask(self, client: socket.socket, portal: socket.socket) -> None:
        with suppress(OSError):
            while block := client.recv(65536):
                self.request_lines += block.split(b"\r\n")
                portal.sendall(block)
            portal.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, portal: socket.socket) -> None:
        count = 0
        with client, portal, suppress(OSError):
            while block := portal.recv(65536):
                count += len(block)
                if self.cut_after is not None and count > self.cut_after and not self.cut:
                    self.cut = True
                    break
                if self.stall_after is not None and count > self.stall_after and not self.mended.is_set():
                    self.stalled.set()
                    self.mended.wait()
                client.sendall(block)
            client.shutdown(socket.SHUT_RDWR)
            portal.shutdown(socket.SHUT_RDWR)
