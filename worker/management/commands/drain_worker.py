"""manage.py drain_worker: let a worker end what it runs and take nothing new, or take jobs again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.models import WorkerNode


class Command(BaseCommand):
    help = "Let a worker end what it runs and take nothing new; with --resume it takes jobs again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the worker's name, as the page of workers shows it")
        parser.add_argument("--resume", action="store_true", help="take jobs again")

    def handle(self, *args: Any, **options: Any) -> None:
        node = WorkerNode.objects.filter(name=options["name"]).first()
        if node is None:
            known = ", ".join(WorkerNode.objects.order_by("name").values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no worker {options['name']!r}; known are: {known}.")
        node.drain(by=None, draining=not options["resume"])
        self.stdout.write(f"{node.name} {'takes jobs again' if options['resume'] else 'takes no more jobs'}.")
