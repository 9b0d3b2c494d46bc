"""manage.py doctor: what is wrong with this installation, and how to mend it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from worker import doctor


class Command(BaseCommand):
    help = "Check this installation and say how to mend each fault."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        faults = 0
        for finding in doctor.examine():
            mark = "warn" if finding.is_warning else "FAIL" if finding.remedy else "ok  "
            self.stdout.write(f"{mark}  {finding.name}: {finding.seen}")
            if finding.remedy:
                self.stdout.write(f"      {finding.remedy}")
                faults += not finding.is_warning
        if faults:
            raise CommandError(f"{faults} thing{'s' if faults > 1 else ''} to mend.")
