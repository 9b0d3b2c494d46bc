"""manage.py collect_garbage: remove what nothing refers to, now instead of at the next hour."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from models_hub import collecting


class Command(BaseCommand):
    help = "Remove content, history and uploads that nothing refers to and whose time of grace is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what would go now, change nothing")
        hours = int(collecting.GRACE / timedelta(hours=1))
        parser.add_argument(
            "--grace-hours", type=int, default=hours, help="how long it must have been left over already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        figures = collecting.collect(dry_run=options["dry_run"], grace=timedelta(hours=options["grace_hours"]))
        self.stdout.write("Would be removed now:" if options["dry_run"] else "Removed:")
        for name, value in asdict(figures).items():
            self.stdout.write(f"{name.replace('_', ' '):>15} {value}")
