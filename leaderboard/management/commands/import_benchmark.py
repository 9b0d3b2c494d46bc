"""manage.py import_benchmark: makes a benchmark of a well-known set from its published files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from leaderboard import cataloguing
from leaderboard.catalogue.entries import entries
from leaderboard.catalogue.files import Upload
from portal.errors import DomainError
from portal.models import User


class Command(BaseCommand):
    help = "Make a data set with a benchmark of a set of the catalogue, from the files under which it is published."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the set, as in the address of its page in the catalogue")
        parser.add_argument("files", nargs="+", type=Path, help="published files, archives or folders of them")
        parser.add_argument("--user", required=True, help="who creates the data set")
        parser.add_argument("--owner", help="whose it is to be, if not the user's")
        parser.add_argument("--repo", help="its name, if not the set's")
        parser.add_argument("--private", action="store_true", help="show it to its owner alone")

    def handle(self, *args: Any, **options: Any) -> None:
        entry = entries().get(options["name"])
        if entry is None:
            raise CommandError(f"The catalogue has no “{options['name']}”. It has: {', '.join(entries())}.")
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        try:
            benchmark, read = cataloguing.make(
                entry,
                _uploads(options["files"]),
                by=user,
                namespace=options["owner"] or user.username,
                name=options["repo"] or entry.name,
                private=options["private"],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{benchmark.get_absolute_url()}: {read.rows} rows, {read.left_out} left out")


def _uploads(paths: list[Path]) -> list[Upload]:
    uploads = []
    for path in paths:
        if not path.exists():
            raise CommandError(f"There is no file “{path}”.")
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            uploads += [Upload(str(each.relative_to(path.parent)), each.resolve()) for each in inside]
        else:
            # The folder tells sets apart whose files have the same name.
            uploads.append(Upload("/".join(path.resolve().parts[-2:]), path.resolve()))
    return uploads
