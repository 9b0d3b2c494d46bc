"""manage.py scrub_storage: read all stored content again and compare it with its digest."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models_hub import scrubbing


class Command(BaseCommand):
    help = "Read stored content again; what no longer has its digest is set aside. Fails when anything was damaged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, help="stop after this time; the next run goes on from there")

    def handle(self, *args: Any, **options: Any) -> None:
        figures = scrubbing.scrub(seconds=options["seconds"])
        self.stdout.write(
            f"{figures.files} files of {figures.bytes} bytes read, {figures.damaged} damaged, {figures.healed} healed."
        )
        if figures.damaged:
            raise CommandError("Damaged content was set aside; the admin site lists it. Sending it again heals it.")
