"""manage.py load_showcase: boards with many small models, trained and scored by the workers of a running portal."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from demo.showcase import load, read_world
from portal.models import AccessToken, User


class Command(BaseCommand):
    help = "Publish real data sets, have two dozen small models trained on them, and rank them. Takes its time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="address of the running portal, which needs a worker")
        parser.add_argument("--data", type=Path, required=True, help="folder that holds datasets.json and the sets")
        parser.add_argument("--user", default="showcase", help="the account that owns all of it; made where missing")
        parser.add_argument("--sets", default="", help="names of sets with commas between them; without, all")

    def handle(self, *args: Any, **options: Any) -> None:
        world = read_world()
        if options["sets"]:
            world = world.of_sets(frozenset(name.strip() for name in options["sets"].split(",")))
        user = User.objects.filter(username=options["user"]).first() or User.objects.create_user(options["user"])
        was_staff = user.is_staff
        # Founding boards takes staff rights; the token dies with this command.
        User.objects.filter(pk=user.pk).update(is_staff=True)
        token, secret = AccessToken.issue(user=user, name="load_showcase", role=AccessToken.Role.WRITE)
        try:
            load(world, options["data"], Path(settings.DATA_DIR) / "showcase", options["url"], secret, self._say)
        finally:
            token.revoke()
            User.objects.filter(pk=user.pk).update(is_staff=was_staff)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
