"""Another hub for tests: repositories of this very database under names that do not exist here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from models_hub import contents
from models_hub.git import packing
from models_hub.models import Blob, Ref, Repo
from models_hub.upstream.hub import NotThere, RemoteRepo
from models_hub.upstream.outbound import UpstreamDown
from models_hub.upstream.smart_http import RemoteRef

ADDRESS = "https://hub.example"


@dataclass
class OtherHub:
    """Shows repositories under other names; `asked` counts what it was asked for."""

    address: str = ADDRESS
    repos: dict[str, Repo] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    is_down: bool = False
    spoils: bool = False
    breaks_off_after: int | None = None
    asked: list[str] = field(default_factory=list)

    def find(self, kind: str, name: str) -> RemoteRepo:
        self._note(f"find {name}")
        repo = self.repos.get(name.lower())
        if repo is None or repo.kind != kind:
            raise NotThere("Not there.")
        return RemoteRepo(name.title() if name.lower() in {"acme/mixed"} else name, name not in self.closed)

    def refs(self, kind: str, name: str) -> list[RemoteRef]:
        self._note(f"refs {name}")
        rows = Ref.objects.filter(repo=self.repos[name.lower()])
        return [RemoteRef(ref.name, ref.oid, ref.tag_oid) for ref in rows]

    def pack(self, kind: str, name: str, *, wants: Iterable[str], haves: Iterable[str]) -> Iterator[bytes]:
        self._note(f"pack {name}")
        return packing.write(self.repos[name.lower()], wants, haves)

    def content(
        self, kind: str, name: str, *, sha256: str, size: int, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        self._note(f"content {start}")
        blob = Blob.objects.get(sha256=sha256, repo_blobs__repo=self.repos[name.lower()])
        data = b"".join(contents.stream(blob, start, length))
        if self.spoils:
            data = b"?" * len(data)
        if self.breaks_off_after is not None:
            yield data[: self.breaks_off_after]
            raise UpstreamDown("Broken off.")
        yield data

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.is_down:
            raise UpstreamDown("The other hub cannot be reached at the moment. Try again later.")
