"""manage.py create_token NAME: an access token for scripts and first steps on a server."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.errors import DomainError
from portal.models import AccessToken, User


class Command(BaseCommand):
    help = "Create an access token for a user and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", default=AccessToken.Role.WRITE.value, choices=AccessToken.Role.values)
        parser.add_argument("--name", default="command line")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.named(options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['username']}”.")
        try:
            _token, secret = AccessToken.issue(user=user, name=options["name"], role=options["role"])
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(secret)
