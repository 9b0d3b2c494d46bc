"""manage.py found_forum: gives a new portal the first categories of its forum."""

from typing import Any

from django.core.management.base import BaseCommand

from forum import founding


class Command(BaseCommand):
    help = "Create the first categories of the forum where it has none; does nothing otherwise."

    def handle(self, *args: Any, **options: Any) -> None:
        made = founding.found()
        if options["verbosity"]:
            self.stdout.write(f"{made} categories created.")
