"""manage.py recount_storage: compare every owner's account with what is really held."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum

from models_hub import quotas
from models_hub.models import QuotaAccount
from portal.models import Namespace


class Command(BaseCommand):
    help = "Count what every owner holds, row by row, and say where the ledger differs; --mend corrects it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mend", action="store_true", help="correct the accounts that differ")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for namespace in Namespace.objects.order_by("lower").iterator():
            counted = quotas.recount(namespace.pk)
            account = QuotaAccount.objects.filter(namespace=namespace).first()
            used = account.used if account else counted
            entries = (account.entries.aggregate(total=Sum("bytes"))["total"] or 0) if account else counted
            if used == entries == counted:
                continue
            wrong += 1
            self.stdout.write(f"{namespace.name}: counted {counted}, account {used}, entries {entries}")
            if options["mend"]:
                quotas.mend(namespace.pk)
        self.stdout.write(f"{wrong} accounts {'corrected' if options['mend'] else 'differ'}.")
        if wrong and not options["mend"]:
            raise CommandError("Run it with --mend to correct them.")
