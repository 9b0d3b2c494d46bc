"""/api/v1/me/ssh-keys: the caller’s public keys."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import AccessToken, SshKey, User
from portal.models.tokens import Grant
from portal.reach import Level
from tests.api.conftest import Caller
from tests.portal.test_ssh_keys import new_line

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]


def test_a_key_is_added_listed_and_removed(api: Api, alice: User, bob: User) -> None:
    call, text = api(alice), new_line("desk")
    made = call("POST", "me/ssh-keys", {"key": text, "read_only": True})
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["read_only"]) == ("desk", True)
    assert call("POST", "me/ssh-keys", {"key": text}).status_code == 409
    assert call("POST", "me/ssh-keys", {"key": "ssh-dss AAAA x"}).status_code == 400
    [listed] = call("GET", "me/ssh-keys").json()["results"]
    assert listed == made.json()
    place = f"me/ssh-keys/{listed['id']}"
    assert api(bob)("GET", "me/ssh-keys").json()["results"] == []
    assert api(bob)("DELETE", place).status_code == 404
    assert call("DELETE", place).status_code == 204
    assert not SshKey.objects.exists()


def test_neither_a_reader_nor_a_limited_token_adds_a_key(alice: User) -> None:
    read = AccessToken.issue(user=alice, name="r", role="read")[1]
    grant = Grant(alice.namespace, Level.MANAGE, "alice")
    limited = AccessToken.issue_fine_grained(user=alice, name="f", grants=[grant])[1]
    for secret in (read, limited, ""):
        sent: dict[str, Any] = {"key": new_line()}
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        answer = Client().post("/api/v1/me/ssh-keys", sent, content_type="application/json", headers=headers)
        assert answer.status_code in (401, 403)
    assert not SshKey.objects.exists()
