"""manage.py recount_forum: compare every counter of the forum with the rows that it counts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from forum import recounting


class Command(BaseCommand):
    help = "Count topics, posts, tags, reactions and votes from their rows and mend what differs; --check only says so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="mend nothing, and fail where something is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for found in recounting.check(mend=not options["check"]):
            wrong += 1
            self.stdout.write(str(found))
        self.stdout.write(f"{wrong} counters {'differ' if options['check'] else 'mended'}.")
        if wrong and options["check"]:
            raise CommandError("Run it without --check to mend them.")
