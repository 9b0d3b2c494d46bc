"""How many requests one caller may make, in the headers by which clients know how long to wait."""

import pytest
from django.contrib.auth.models import AnonymousUser
from huggingface_hub.utils import parse_ratelimit_headers

from portal import rates
from portal.models import AccessToken
from tests.models_hub.wire import Wire

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few(settings, monkeypatch, alice, make_repo):
    """Two calls and one file for nobody, three calls for somebody; the clock stands."""
    settings.REQUEST_RATES = {"api": (2, 3), "resolvers": (1, 0)}
    rates._table[:] = bytes(len(rates._table))
    monkeypatch.setattr("portal.rates.time.time", lambda: 3_000_000.0 + 100)
    make_repo(alice, files={"a.txt": "a"})


def test_a_client_reads_what_is_left_and_when_there_is_more():
    answer = Wire().get("/api/models/alice/bert")
    told = parse_ratelimit_headers(answer.headers)
    assert (told.resource_type, told.remaining, told.limit, told.window_seconds) == ("api", 1, 2, 300)
    assert told.reset_in_seconds == 200


def test_one_request_too_many_is_refused_until_the_window_ends(monkeypatch):
    for _ in range(2):
        assert Wire().get("/api/models/alice/bert").status_code == 200
    refused = Wire().get("/api/models/alice/bert")
    assert (refused.status_code, refused["Retry-After"], refused["RateLimit"]) == (429, "200", '"api";r=0;t=200')
    assert "Too many requests" in refused.json()["error"]
    monkeypatch.setattr("portal.rates.time.time", lambda: 3_000_000.0 + 301)
    assert Wire().get("/api/models/alice/bert").status_code == 200


def test_each_caller_and_each_kind_is_counted_apart(client, alice):
    headers = {"authorization": f"Bearer {AccessToken.issue(user=alice, name='api', role='read')[1]}"}
    for _ in range(3):
        client.get("/api/models/alice/bert")
    assert client.get("/alice/bert/resolve/main/a.txt").status_code == 200
    assert client.get("/alice/bert/resolve/main/a.txt").status_code == 429
    assert client.get("/api/models/alice/bert", headers=headers)["RateLimit"] == '"api";r=2;t=200'
    assert "RateLimit" not in client.get("/alice/bert/resolve/main/a.txt", headers=headers)


def test_the_rest_api_counts_with_it(client):
    assert client.get("/api/v1/models")["RateLimit"] == '"api";r=1;t=200'
    client.get("/api/models")
    refused = client.get("/api/v1/models")
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "too_many_requests", "200")


def test_git_and_its_large_files_count_with_them(client):
    address = "/alice/bert/info/refs?service=git-upload-pack"
    assert client.get(address)["RateLimit"] == '"api";r=1;t=200'
    client.post("/alice/bert/git-upload-pack", b"0000", content_type="application/x-git-upload-pack-request")
    refused = client.get(address)
    assert (refused.status_code, refused["Retry-After"]) == (429, "200")
    assert "Too many requests" in refused.text
    batch, asked = "/alice/bert.git/info/lfs/objects/batch", {"operation": "download", "objects": []}
    statuses = [client.post(batch, asked, content_type="application/vnd.git-lfs+json").status_code for _ in range(2)]
    assert statuses == [200, 429]


def test_addresses_of_one_network_are_one_caller():
    for address in ("2001:db8::1", "2001:db8::2"):
        last = rates.count("api", user=AnonymousUser(), address=address)
    assert last.left == 0
    assert rates.count("api", user=AnonymousUser(), address="2001:db8:1::1").left == 1


def test_a_full_table_forgets_whoever_asked_least(monkeypatch):
    monkeypatch.setattr(rates, "SLOTS", 1)
    monkeypatch.setattr(rates, "PROBES", 1)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        assert rates.count("api", user=AnonymousUser(), address=address).left == 1


def test_those_of_version_4_on_a_server_of_both_are_not_one(client):
    for address in ("::ffff:192.0.2.1", "::ffff:192.0.2.2"):
        assert client.get("/api/models/alice/bert", REMOTE_ADDR=address)["RateLimit"] == '"api";r=1;t=200'
    for address in ("2001:db8::1", "2001:db8::2"):
        told = client.get("/api/models/alice/bert", REMOTE_ADDR=address)["RateLimit"]
    assert told == '"api";r=0;t=200'
