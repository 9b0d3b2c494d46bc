"""manage.py load_demo: builds, trains and publishes the demo over HTTP, as any user would; the worker scores it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

import demo
from portal.models import AccessToken, User

DEMO_USER = "demo"


class Command(BaseCommand):
    help = "Load the demo: a bilingual sentiment data set and models trained on it here and now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="address of the running portal")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.DATA_DIR) / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / "unfinished"
        marker.touch()  # a killed load goes on at the next start of the portal
        content = demo.build(folder, self.stdout.write)
        user = User.objects.filter(username=DEMO_USER, is_demo=True).first() or User.objects.create_user(
            DEMO_USER, is_demo=True, first_name="Demo"
        )
        for left in AccessToken.objects.live().filter(user=user):  # of a load that was killed
            left.revoke()
        # Founding a suite takes staff rights; the account has no password, and its token dies with this command.
        User.objects.filter(pk=user.pk).update(is_staff=True)
        token, secret = AccessToken.issue(user=user, name="load_demo", role=AccessToken.Role.WRITE)
        try:
            demo.publish(content, options["url"], secret, self.stdout.write)
        finally:
            token.revoke()
            User.objects.filter(pk=user.pk).update(is_staff=False)
        marker.unlink()
        self.stdout.write("The demo is published; the worker is scoring it.")
