"""The hashes of the Xet protocol: BLAKE3 under one key per purpose, and the tree that joins chunk hashes.

A xorb is named by the root of the tree over its chunks, a file by that root hashed once more.
"""

import struct
from typing import NamedTuple

from blake3 import blake3

HASH_SIZE = 32
MAX_CHILDREN = 9
MIN_CHILDREN = 3

_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_RANGE_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
_FILE_KEY = bytes(HASH_SIZE)


class Node(NamedTuple):
    """One leaf or inner node of a hash tree: its hash and how many bytes lie under it."""

    hash: bytes
    size: int


def chunk_hash(data: bytes) -> bytes:
    return _keyed(_CHUNK_KEY, data)


def range_hash(chunk_hashes: bytes) -> bytes:
    """Return the verification hash of a run of chunks; only who knows every chunk hash can make it."""
    return _keyed(_RANGE_KEY, chunk_hashes)


def file_hash(root: bytes) -> bytes:
    return _keyed(_FILE_KEY, root)


def to_text(value: bytes) -> str:
    """Return the 64 hex digits of a hash: each group of 8 bytes is a little-endian number."""
    return "{:016x}{:016x}{:016x}{:016x}".format(*struct.unpack("<4Q", value))


def from_text(text: str) -> bytes:
    """Return the hash that 64 hex digits stand for."""
    return struct.pack("<4Q", *(int(text[at : at + 16], 16) for at in range(0, 64, 16)))


class HashTree:
    """Joins chunk hashes into one while they arrive, holding at most MAX_CHILDREN nodes a level.

    A node is closed after a child whose hash is a multiple of 4, but with at least 3 and at most 9 children
    (fewer only at the end of a level), so equal runs of chunks give equal subtrees wherever they lie in a file.
    """

    def __init__(self) -> None:
        self._levels: list[list[Node]] = [[]]

    def add(self, value: bytes, size: int) -> None:
        self._push(0, Node(value, size))

    def root(self) -> bytes:
        """Close what is open and return the root; the tree, which must not be empty, is finished by this."""
        level = 0
        while level + 1 < len(self._levels) or len(self._levels[level]) > 1:
            if self._levels[level]:
                self._close(level)
            level += 1
        return self._levels[level][0].hash

    def _push(self, level: int, node: Node) -> None:
        nodes = self._levels[level]
        nodes.append(node)
        # The hash modulo 4 is that of its last 64-bit number, whose lowest byte is byte 24.
        if len(nodes) == MAX_CHILDREN or (len(nodes) >= MIN_CHILDREN and node.hash[24] % 4 == 0):
            self._close(level)

    def _close(self, level: int) -> None:
        nodes, self._levels[level] = self._levels[level], []
        if level + 1 == len(self._levels):
            self._levels.append([])
        lines = "".join([f"{to_text(node.hash)} : {node.size}\n" for node in nodes])
        self._push(level + 1, Node(_keyed(_NODE_KEY, lines.encode()), sum(node.size for node in nodes)))


def _keyed(key: bytes, data: bytes) -> bytes:
    return bytes(blake3(data, key=key).digest())
