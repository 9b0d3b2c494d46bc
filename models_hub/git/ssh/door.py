"""How many may come at once: counted in the one process that serves SSH, by whoever asks to come in."""

from collections import Counter
from dataclasses import dataclass, field

MAX_CONNECTIONS = 256
MAX_STRANGERS = 64  # who have not proved who they are
MAX_OF_ADDRESS = 64
MAX_COMMANDS = 32  # each has a thread, and a connection to the database
MAX_OF_PERSON = 8


@dataclass
class Door:
    """Who is in: connections by address, how many of them are strangers, commands by person."""

    addresses: Counter[str] = field(default_factory=Counter)
    strangers: int = 0
    commands: Counter[int] = field(default_factory=Counter)

    def enter(self, address: str) -> bool:
        """Let one more connection in, unless there are too many."""
        full = self.addresses.total() >= MAX_CONNECTIONS or self.strangers >= MAX_STRANGERS
        if full or self.addresses[address] >= MAX_OF_ADDRESS:
            return False
        self.addresses[address] += 1
        self.strangers += 1
        return True

    def recognize(self) -> None:
        """A stranger has proved who it is."""
        self.strangers -= 1

    def leave(self, address: str, *, stranger: bool) -> None:
        """A connection that was let in has ended."""
        self.addresses[address] -= 1
        self.addresses += Counter()  # forgets those without any
        self.strangers -= stranger

    def begin(self, person: int) -> bool:
        """Let a person run one more command, unless too many run."""
        if self.commands.total() >= MAX_COMMANDS or self.commands[person] >= MAX_OF_PERSON:
            return False
        self.commands[person] += 1
        return True

    def end(self, person: int) -> None:
        """One command of a person has ended."""
        self.commands[person] -= 1
        self.commands += Counter()
