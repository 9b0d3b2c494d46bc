"""Serves a few files of locked npm packages as static files, so that no library is pasted into the repository."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage

# Static path -> path inside node_modules. A list, not a folder: packages ship far more than a page needs.
FILES = {
    "vendor/tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/icons/bootstrap-icons.min.css": "bootstrap-icons/font/bootstrap-icons.min.css",
    "vendor/icons/fonts/bootstrap-icons.woff2": "bootstrap-icons/font/fonts/bootstrap-icons.woff2",
    "vendor/icons/fonts/bootstrap-icons.woff": "bootstrap-icons/font/fonts/bootstrap-icons.woff",
    "vendor/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/math/stix-two-math.woff2": "@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2",
    "vendor/mermaid.tiny.js": "@mermaid-js/tiny/dist/mermaid.tiny.js",
    **{f"vendor/hashes/{name}.js": f"@noble/hashes/{name}.js" for name in ("sha2", "_md", "_u64", "utils")},
    "vendor/alpine.min.js": "@alpinejs/csp/dist/cdn.min.js",
    "vendor/chart.umd.min.js": "chart.js/dist/chart.umd.min.js",
}


class NpmStorage(FileSystemStorage):
    """Maps the served names to where npm put the files."""

    def path(self, name: str) -> str:
        return str(Path(settings.NODE_MODULES) / FILES[name])


class NpmFinder(BaseFinder):
    """A static files finder over FILES."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        missing = [source for source in FILES.values() if not (Path(settings.NODE_MODULES) / source).is_file()]
        if not missing:
            return []
        return [Error(f"Front-end files are missing: {', '.join(missing)}", hint="Run: make setup", id="portal.E001")]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = Path(settings.NODE_MODULES) / FILES[path] if path in FILES else None
        if source is None or not source.is_file():
            return []
        return [str(source)] if find_all else str(source)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        storage = NpmStorage(location=str(settings.NODE_MODULES))
        for name in FILES:
            yield name, storage
