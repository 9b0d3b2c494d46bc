"""manage.py run_ssh: git over SSH, until stopped."""

import asyncio
import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from models_hub.git.ssh.server import Server
from portal.config import env, heap


class Command(BaseCommand):
    help = "Serve git over SSH on SSH_HOST and SSH_PORT; runs until stopped."
    requires_system_checks = ()  # they would load all pages; `migrate` and the web process check as much

    def handle(self, *args: Any, **options: Any) -> None:
        port = settings.SSH_PORT
        if not port:
            raise CommandError("Set SSH_PORT to the port on which git over SSH is to be reached.")
        if not (settings.PUBLIC_URL or env.number("PORT", 0)):
            raise CommandError("Set PUBLIC_URL to the address of the portal: git-lfs is sent there.")
        logging.getLogger("asyncssh").setLevel(logging.WARNING)  # else some lines for each connection
        heap.give_back()
        try:
            asyncio.run(_serve(port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {settings.SSH_HOST} cannot be listened on: {error.strerror}."
            ) from error


async def _serve(port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await Server(site_of=_site).run(settings.SSH_HOST, port, stopping)


def _site(called: str) -> str:
    """Return the portal’s address over HTTP; without PUBLIC_URL it is on the machine that was called."""
    host = f"[{called}]" if ":" in called else called
    return settings.PUBLIC_URL or f"http://{host}:{env.number('PORT', 0)}"
