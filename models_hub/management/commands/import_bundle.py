"""Make a repository of a bundle; see docs/BUNDLES.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models_hub import unbundling
from models_hub.bundle_format import BLOCK
from portal.errors import DomainError
from portal.models import User


class Command(BaseCommand):
    help = "Makes a repository of a file that export_bundle, or the page of a repository, has written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="name", required=True, help="namespace/name of the new repository")
        parser.add_argument("--by", default="", help="the account that acts; without it, the owner of the namespace")
        parser.add_argument("--private", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        namespace, _slash, name = options["name"].partition("/")
        user = User.objects.named(options["by"] or namespace).first()
        if user is None:
            raise CommandError("There is no such account: name one that may publish there with --by.")
        try:
            repo = unbundling.receive(
                _blocks(options["file"]), by=user, namespace=namespace, name=name, private=options["private"]
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{repo.path}: {repo.head}")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
