"""`manage.py verify_audit`: say whether the log of moderation is whole, or where it first breaks."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import mod_log
from portal.models import LogEntry


class Command(BaseCommand):
    help = "Follow the chain of digests through the log of moderation."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = mod_log.verify()
        if broken is not None:
            raise CommandError(f"The log is broken at line {broken.seq}: {broken.why}.")
        self.stdout.write(f"The log is whole: {LogEntry.objects.count()} lines.")
