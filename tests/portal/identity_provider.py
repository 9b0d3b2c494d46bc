"""An OpenID Connect provider of another site, small and ours: it says of its visitors whatever a test wants."""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "portal", "a secret of two sites, long enough to sign with"


@dataclass
class Visitor:
    """Who is at the provider now, and what it will say."""

    subject: str
    email: str = ""
    email_verified: bool = False
    refuses: bool = False
    stated: dict[str, Any] = field(default_factory=dict)  # of the id token, in the place of what is right


class IdentityProvider:
    """Serves one visitor at a time; codes are good once, for the verifier and the address they were asked with."""

    def __init__(self) -> None:
        self.visitor = Visitor("nobody")
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, Visitor] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(address.query).items()}
                bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
                if address.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider._authorized(asked))
                    self.end_headers()
                elif address.path == "/userinfo":
                    self._say(provider._claims(provider.tokens[bearer]))
                else:
                    self._say(provider._described())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                sent = {name: values[0] for name, values in parse_qs(body).items()}
                token = provider._token(sent)
                self._say(token or {"error": "invalid_grant"}, 200 if token else 400)

            def _say(self, answer: dict[str, Any], status: int = 200) -> None:
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "IdentityProvider":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _described(self) -> dict[str, Any]:
        places = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in _PLACES.items()}
        ways = ["client_secret_post"]
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ways,
            **places,
        }

    def _authorized(self, asked: dict[str, str]) -> str:
        answer = {"error": "access_denied"} if self.visitor.refuses else {"code": secrets.token_urlsafe()}
        if "code" in answer:
            self.codes[answer["code"]] = asked
        return f"{asked['redirect_uri']}?{urlencode(answer | {'state': asked['state']})}"

    def _token(self, sent: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(sent.get("code", ""), {})
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = (
            (sent.get("client_id"), sent.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            and asked.get("code_challenge") == challenge
            and asked.get("redirect_uri") == sent.get("redirect_uri")
        )
        if not fits:
            return None
        token, now = secrets.token_urlsafe(), int(time.time())
        self.tokens[token] = self.visitor
        stated = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 600, **self._claims(self.visitor)}
        signed = jwt.encode(stated | self.visitor.stated, CLIENT_SECRET, algorithm="HS256")
        return {"access_token": token, "token_type": "Bearer", "id_token": signed}

    def _claims(self, visitor: Visitor) -> dict[str, Any]:
        mail = {"email": visitor.email, "email_verified": visitor.email_verified} if visitor.email else {}
        return {"sub": visitor.subject, "preferred_username": visitor.subject, **mail}


_PLACES = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
