"""manage.py describe_repos: read repositories anew that were described by older rules."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from models_hub import redescribing


class Command(BaseCommand):
    help = "Count and note again what repositories are whose description is older than the rules for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, help="stop after this time; the next run goes on with the rest")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{redescribing.describe_due(seconds=options['seconds'])} repositories described.")
