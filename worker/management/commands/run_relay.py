"""manage.py run_relay: hand jobs to workers and deliver events until stopped."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from worker.relay import Relay


class Command(BaseCommand):
    help = "Hand due jobs to workers, take jobs from dead ones, deliver events; runs until stopped."
    requires_system_checks = ()  # they would load all pages; `migrate` and the web process check as much

    def handle(self, *args: Any, **options: Any) -> None:
        relay = Relay()

        def stop(number: int, frame: FrameType | None) -> None:
            relay.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        relay.run()
