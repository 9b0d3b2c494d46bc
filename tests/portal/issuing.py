"""An issuer in the process of the tests: its keys, what it signs, and what its addresses answer."""

import json
import time
import warnings
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from portal.outbound import Answer

GITHUB = "https://token.actions.githubusercontent.com"
SITE = "http://testserver"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """What the tests change: the address, the keys by number, and the answers."""

    def __init__(self, address: str = GITHUB) -> None:
        self.address = address
        self.keys: dict[str, Any] = {"one": RSA_KEY}
        self.calls: list[str] = []
        self.more: dict[str, Any] = {}  # of the discovery document
        self.number = 0

    def send(self, method: str, url: str, *, headers: Any, body: bytes = b"") -> Answer:
        """Stand for `portal.outbound.send`."""
        self.calls.append(url)
        if url == f"{self.address}/.well-known/openid-configuration":
            found: Any = {"issuer": self.address, "jwks_uri": f"{self.address}/jwks", **self.more}
        elif url == f"{self.address}/jwks":
            found = {"keys": [self._public(number, key) for number, key in self.keys.items()]}
        else:
            return Answer(404, {}, b"")
        return Answer(200, {}, json.dumps(found).encode())

    def _public(self, number: str, key: Any) -> dict[str, Any]:
        if isinstance(key, dict):
            return key
        made = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        return {**json.loads(made.to_jwk(key.public_key())), "kid": number, "use": "sig"}

    def state(self, *, kid: str = "one", key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """Return a signed statement of a GitHub job, with other claims where named; None leaves one out."""
        self.number += 1
        now = int(time.time())
        stated = {
            "iss": self.address, "aud": SITE, "sub": "repo:octo/weights:ref:refs/heads/main", "iat": now, "nbf": now,
            "exp": now + 600, "jti": f"n{self.number}", "repository": "octo/weights", "repository_id": "11",
            "repository_owner_id": "7", "ref": "refs/heads/main", "environment": "release",
            "job_workflow_ref": "octo/weights/.github/workflows/publish.yml@refs/heads/main", **claims,
        }  # fmt: skip
        kept = {name: value for name, value in stated.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a key that is too short
            return jwt.encode(kept, key or self.keys[kid], algorithm=algorithm, headers={"kid": kid})
