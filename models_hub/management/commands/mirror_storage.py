"""manage.py mirror_storage: how much of the upstream hub's content lies here, and what of it may go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from models_hub import making_room
from portal.templatetags.ui import bytesize


class Command(BaseCommand):
    help = "Say how many bytes are kept of the large files of the upstream hub, against UPSTREAM_KEEP_GB."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--make-room", action="store_true", help="let go now of what is beyond the limit")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["make_room"]:
            gone = making_room.make_room()
            self.stdout.write(f"Let go: {gone.contents} files, {bytesize(gone.bytes)}")
        kept = making_room.kept()
        limit = bytesize(kept.limit) if kept.limit else "none (UPSTREAM_KEEP_GB)"
        self.stdout.write(f"Kept:   {kept.contents} files, {bytesize(kept.bytes)} ({kept.bytes} bytes)")
        self.stdout.write(f"Limit:  {limit}")
        self.stdout.write(f"May go: {bytesize(kept.loose)}; the rest is read by jobs, or cannot be fetched again")
        if kept.oldest:
            self.stdout.write(f"Least used: last asked for on {kept.oldest:%Y-%m-%d}")
