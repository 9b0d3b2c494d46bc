"""Give the badges that people have earned before there were badges, or show what would be given."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import granting
from portal.badge_catalogue import RULES
from portal.models import User


class Command(BaseCommand):
    """Compares everybody with every rule."""

    help = "Compare everybody's rows with the rules of badges; --dry-run only counts and shows samples."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument("--badge", action="append", default=[], help="only this one; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = set(options["badge"]) - RULES.keys()
        if unknown:
            raise CommandError(f"There is no badge {', '.join(sorted(unknown))}.")
        rules = [RULES[slug] for slug in options["badge"]]
        outcome = granting.check_all(dry_run=options["dry_run"], rules=rules)
        self._show("granted", outcome.granted, dry_run=options["dry_run"])
        self._show("revoked", outcome.revoked, dry_run=options["dry_run"])

    def _show(self, what: str, rows: list[tuple[int, str, int, str]], *, dry_run: bool) -> None:
        self.stdout.write(f"{'would be ' if dry_run else ''}{what}: {len(rows)}")
        for (badge, tier), number in sorted(Counter((row[1], row[2]) for row in rows).items()):
            self.stdout.write(f"  {badge} {('', 'bronze', 'silver', 'gold')[tier]}: {number}")
        names = dict(
            User.objects.filter(pk__in=[row[0] for row in rows[: granting.SAMPLES]]).values_list("pk", "username")
        )
        for person, badge, _tier, key in rows[: granting.SAMPLES]:
            self.stdout.write(f"  for example {names.get(person, person)}: {badge} by {key}")
