"""How people reach git over SSH here, as pages say it: nothing where no SSH server runs."""

from urllib.parse import urlsplit

from django.conf import settings

USER = "git"
SSH_PORT = 22


def address(host: str) -> str:
    """Return `ssh://git@host`, with the port where it is not SSH's own; `host` is that of the page, port and all."""
    if not settings.SSH_PORT:
        return ""
    name, port = settings.SSH_ADDRESS or _host_of(host), settings.SSH_PUBLIC_PORT or settings.SSH_PORT
    return f"ssh://{USER}@{name}" + (f":{port}" if port != SSH_PORT else "")


def login(host: str) -> str:
    """Return the command by which one sees whether a key is known here."""
    if not settings.SSH_PORT:
        return ""
    parts = urlsplit(address(host))
    return f"ssh -T {f'-p {parts.port} ' if parts.port else ''}{USER}@{parts.hostname}"


def _host_of(host: str) -> str:
    name = urlsplit(settings.PUBLIC_URL or f"//{host}").hostname or host
    return f"[{name}]" if ":" in name else name
