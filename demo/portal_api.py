"""A small client of the portal's REST API."""

from typing import Any

import requests

from demo.errors import DemoFailed

TIMEOUT = 60  # seconds
CONFLICT = 409


class Refused(DemoFailed):
    """The portal answered with an error."""

    def __init__(self, path: str, status: int, message: str) -> None:
        super().__init__(f"The portal refused “{path}” with status {status}: {message}")
        self.is_conflict = status == CONFLICT


class PortalApi:
    """Speaks JSON with one portal as the owner of one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        # A .netrc of the user must not replace the token.
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def require_alive(self) -> None:
        """Raise DemoFailed unless a portal answers at this address."""
        try:
            self.session.get(f"{self.url}/healthz", timeout=TIMEOUT).raise_for_status()
        except requests.RequestException as error:
            raise DemoFailed(f"No portal answers at {self.url}; start it first. ({error})") from error

    def get(self, path: str) -> dict[str, Any]:
        """Return what is at /api/v1/<path>."""
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send to /api/v1/<path> and return the answer; raises Refused."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            response = self.session.request(method, f"{self.url}/api/v1/{path}", json=body, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise DemoFailed(f"The portal at {self.url} stopped answering: {error}") from error
        if not response.ok:
            raise Refused(path, response.status_code, _reason(response))
        answer: dict[str, Any] = response.json()
        return answer


def _reason(response: requests.Response) -> str:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return response.reason
    reason = str(body.get("error", "")) if isinstance(body, dict) else ""
    fields = f" {body['fields']}" if isinstance(body, dict) and body.get("fields") else ""
    return (reason or response.reason) + fields
