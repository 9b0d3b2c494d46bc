"""manage.py rebuild_search: make the words of every repository anew."""

from typing import Any

from django.core.management.base import BaseCommand

from models_hub import redescribing
from models_hub.models import Repo


class Command(BaseCommand):
    help = "Read every repository anew and index what it is found by."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for pk in Repo.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=1000):
            redescribing.describe_again(pk)
            count += 1
        self.stdout.write(f"{count} repositories indexed.")
