"""Write a repository to one file; see docs/BUNDLES.md."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models_hub import bundle_format, bundling
from models_hub.models import Repo
from portal.errors import DomainError


class Command(BaseCommand):
    help = "Writes a repository to one file that another portal can read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("repo", help="namespace/name")
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", default="model", choices=["model", "dataset"])

    def handle(self, *args: Any, **options: Any) -> None:
        namespace, _slash, name = options["repo"].partition("/")
        repo = Repo.objects.named(options["kind"], namespace, name).select_related("namespace").first()
        if repo is None:
            raise CommandError(f"There is no {options['kind']} {options['repo']}.")
        target: Path = options["file"]
        temporary = target.with_name(f"{target.name}.part")
        try:
            with bundling.exported(repo) as bundle, temporary.open("wb") as file:
                for block in bundle.blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except DomainError as error:
            raise CommandError(error.message) from error
        finally:
            temporary.unlink(missing_ok=True)
        self.stdout.write(f"{target}: {bundle.size} bytes, signed by {bundle_format.public_key()}")
