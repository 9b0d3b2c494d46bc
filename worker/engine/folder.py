"""A model folder, read as hostile: plain names, regular files, nothing outside the folder."""

from pathlib import Path

from worker.engine.contracts import EngineError, ErrorCode


class ModelFolder:
    """The files of one model; every path it hands out lies inside the folder."""

    def __init__(self, path: str) -> None:
        self.root = Path(path).resolve()
        if not self.root.is_dir():
            raise EngineError("bad_config", f"the model folder {self.root.name!r} does not exist")

    def find(self, name: str, *, code: ErrorCode) -> Path | None:
        """Return the file of that name, None when there is none; a link that leads outside is refused."""
        if "/" in name or "\\" in name or "\0" in name or name in ("", ".", ".."):
            raise EngineError(code, f"{name[:80]!r} is not the name of a file beside config.json")
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            raise EngineError(code, f"{name[:80]} is a link that leads out of the model folder; store the file itself")
        return path if path.is_file() else None

    def need(self, name: str, *, code: ErrorCode, why: str) -> Path:
        """Return the file of that name or raise an error that says what it is needed for."""
        path = self.find(name, code=code)
        if path is None:
            raise EngineError(code, f"{name[:80]} is missing: {why}")
        return path

    def below(self, name: str, *, code: ErrorCode) -> "ModelFolder":
        """Return a folder in this one; a link that leads outside is refused."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root) or not path.is_dir():
            raise EngineError(code, f"the folder {name[:80]!r} is missing")
        return ModelFolder(str(path))

    def names(self) -> list[str]:
        """Return the sorted names of everything in the folder itself."""
        return sorted(entry.name for entry in self.root.iterdir())


def read_bounded(path: Path, *, limit: int, code: ErrorCode) -> str:
    """Return a small UTF-8 text file; whatever is wrong with it is one typed error."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
        if len(raw) > limit:
            raise EngineError(code, f"{path.name} is larger than {limit} bytes")
        return raw.decode("utf-8")
    except (OSError, ValueError) as error:
        raise EngineError(code, f"{path.name} cannot be read as text: {str(error)[:200]}") from error
