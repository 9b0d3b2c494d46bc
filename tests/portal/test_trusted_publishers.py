"""Programs that publish without a stored secret: which statements are exchanged, for what, and which are refused."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import huggingface_hub
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.utils import timezone
from huggingface_hub import HfApi
from huggingface_hub.errors import BadRequestError
from huggingface_hub.utils._http import default_client_factory

from models_hub import moving, publishing, trusting
from models_hub.models import Repo
from portal import outbound
from portal.errors import InvalidInput, NotAllowed
from portal.models import AccessToken, AuditEntry, Membership, Organization, SpentStatement, TrustedPublisher, User
from portal.oauth import issuers, publishers
from tests.models_hub.wire import Wire, file_row
from tests.portal.issuing import EC_KEY, GITHUB, RSA_KEY, SITE, Issuer

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    cache.clear()
    made = Issuer()
    monkeypatch.setattr(outbound, "send", made.send)
    return made


@pytest.fixture
def repo(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, "bert", private=True, files={"a.txt": "a"})


def trust(repo: Repo, by: User, *, provider: str = "github", **values: Any) -> TrustedPublisher:
    claims = values.pop("claims", {"repository": "Octo/Weights"})
    resource = trusting.resource_of(repo)
    return publishers.add(resource, by=by, provider=provider, claims=claims, audience=SITE, **values)


def exchange(token: str, resource: str = "alice/bert", **fields: Any) -> Any:
    sent = {"grant_type": GRANT, "subject_token_type": ID_TOKEN, "subject_token": token, "resource": resource, **fields}
    return Client().post("/oauth/token", json.dumps(sent), content_type="application/json")


def test_a_job_gets_a_token_for_one_repository_and_an_hour(
    issuer: Issuer, alice: User, repo: Repo, make_repo: MakeRepo
) -> None:
    make_repo(alice, "other", private=True)
    trust(repo, alice)
    answer = exchange(issuer.state())
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told.keys() == {"access_token", "issued_token_type", "token_type", "expires_in"}
    assert (told["token_type"], told["expires_in"]) == ("bearer", 3600)
    assert (told["access_token"][:3], answer["Cache-Control"]) == ("hf_", "no-store")
    wire = Wire(told["access_token"])
    assert wire.commit("models/alice/bert", file_row("b.txt", b"b")).status_code == 200
    assert wire.get("/api/models/alice/other").status_code == 404
    assert wire.call("PUT", "/api/models/alice/bert/settings", {"private": False}).status_code == 403
    assert wire.post("/api/repos/create", {"name": "new"}).status_code == 403
    assert wire.get("/api/whoami-v2").json()["auth"]["accessToken"]["role"] == "fineGrained"
    token = AccessToken.objects.get()
    assert told["access_token"] not in str(vars(token))
    assert token.expires_at is not None
    assert token.expires_at < timezone.now() + timedelta(minutes=61)


def test_a_program_elsewhere_learns_no_address_of_mail(issuer: Issuer, alice: User, repo: Repo) -> None:
    trust(repo, alice)
    bearer = {"authorization": f"Bearer {exchange(issuer.state()).json()['access_token']}"}
    answers = [Client().get(path, headers=bearer) for path in ("/api/whoami-v2", "/oauth/userinfo")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [alice.email in answer.text for answer in answers] == [False, False]


def test_a_form_is_taken_like_json_and_the_ways_to_name_it_are_the_same(
    issuer: Issuer, alice: User, repo: Repo, make_repo: MakeRepo
) -> None:
    trust(repo, alice)
    sent = {"grant_type": GRANT, "subject_token": issuer.state(), "resource": "models/Alice/Bert"}
    assert Client().post("/oauth/token", sent).status_code == 200
    data = make_repo(alice, "cars", kind="dataset", private=True)
    trust(data, alice)
    assert exchange(issuer.state(), "datasets/alice/cars").status_code == 200
    assert exchange(issuer.state(), "alice/cars").status_code == 400


def test_a_reading_publisher_cannot_write(issuer: Issuer, alice: User, repo: Repo) -> None:
    trust(repo, alice, level=TrustedPublisher.Levels.READ)
    wire = Wire(exchange(issuer.state()).json()["access_token"])
    assert wire.get("/api/models/alice/bert").status_code == 200
    assert wire.commit("models/alice/bert", file_row("b.txt", b"b")).status_code == 403


def test_a_statement_is_good_once(issuer: Issuer, alice: User, repo: Repo, make_repo: MakeRepo) -> None:
    trust(repo, alice)
    trust(make_repo(alice, "gpt"), alice)
    for numbered in (issuer.state(), issuer.state(jti=None)):
        assert exchange(numbered).status_code == 200
        for resource in ("alice/bert", "alice/gpt"):
            again = exchange(numbered, resource)
            assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
            assert "exchanged before" in again.json()["error_description"]
    SpentStatement.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert exchange(issuer.state()).status_code == 200
    assert SpentStatement.objects.count() == 1


WRONG: dict[str, dict[str, Any]] = {
    "another repository": {"repository": "octo/other"},
    "a fork": {"repository": "mallory/weights"},
    "a longer name": {"repository": "octo/weights2"},
    "another audience": {"aud": "https://pypi.org"},
    "several audiences": {"aud": [SITE, "https://pypi.org"]},
    "no audience": {"aud": None},
    "over": {"exp": int(time.time()) - 120},
    "not yet": {"nbf": int(time.time()) + 3000},
    "issued in future": {"iat": int(time.time()) + 3000, "exp": int(time.time()) + 4000},
    "without end": {"exp": None},
    "without beginning": {"iat": None},
    "for a week": {"exp": int(time.time()) + 7 * 86400},
    "without subject": {"sub": None},
    "absurd end": {"exp": 10**30},
}


def test_what_is_stated_wrongly_is_refused(issuer: Issuer, alice: User, repo: Repo) -> None:
    trust(repo, alice)
    for what, claims in WRONG.items():
        answer = exchange(issuer.state(**claims))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), (what, answer.content)
    assert not AccessToken.objects.exists()
    assert not SpentStatement.objects.exists()


def _unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"one"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def test_signatures_that_anybody_could_make_are_refused(issuer: Issuer, alice: User, repo: Repo) -> None:
    trust(repo, alice)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    issuer.keys |= {"weak": weak, "shared": {"kty": "oct", "kid": "shared", "k": "c2VjcmV0" * 8}, "curve": EC_KEY}
    body = jwt.decode(issuer.state(), options={"verify_signature": False})
    with_shared = jwt.encode(body, "secret" * 8, algorithm="HS256", headers={"kid": "shared"})
    forged = {
        "by a stranger": issuer.state(key=stranger),
        "unsigned": _unsigned(issuer.state()),
        "with a shared key": with_shared,
        "changed": issuer.state()[:-6] + "AAAAAA",
        "by a weak key": issuer.state(kid="weak"),
        "by an unknown key": issuer.state(kid="elsewhere", key=stranger),
        "nothing": "x",
        "not three parts": "a.b",
        "too long": "a" * 20_000,
        "no text": "é.é.é",
    }
    for what, token in forged.items():
        answer = exchange(token)
        assert answer.status_code == 400, what
        assert answer.json()["error"] in ("invalid_grant", "invalid_request"), what
    assert exchange(issuer.state(kid="curve", key=EC_KEY, algorithm="ES256")).status_code == 200
    assert exchange(issuer.state(algorithm="PS256", key=RSA_KEY)).status_code == 200


def test_keys_are_kept_and_a_new_one_is_fetched(issuer: Issuer, alice: User, repo: Repo) -> None:
    trust(repo, alice)
    for _time in range(3):
        assert exchange(issuer.state()).status_code == 200
    assert len(issuer.calls) == 2
    issuer.keys = {"two": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
    assert exchange(issuer.state(kid="two")).status_code == 400  # asked a moment ago
    assert len(issuer.calls) == 2
    cache.delete(f"oidc:{hashlib.sha256(GITHUB.encode()).hexdigest()}:asked")
    assert exchange(issuer.state(kid="two")).status_code == 200
    assert exchange(issuer.state(kid="one", key=RSA_KEY)).status_code == 400  # taken back


@pytest.mark.parametrize(
    "more",
    [{"issuer": "https://evil.example"}, {"jwks_uri": "http://token.actions.githubusercontent.com/jwks"},
     {"jwks_uri": 5}, {"jwks_uri": f"{GITHUB}/gone"}],
)  # fmt: skip
def test_an_issuer_that_answers_oddly_is_not_believed(
    issuer: Issuer, alice: User, repo: Repo, more: dict[str, Any]
) -> None:
    trust(repo, alice)
    issuer.more = more
    answer = exchange(issuer.state())
    assert (answer.status_code, answer.json()["error"]) == (400, "temporarily_unavailable")


def test_no_address_is_called_that_nobody_trusts_or_the_operator_did_not_name(
    issuer: Issuer, alice: User, repo: Repo, settings: Any
) -> None:
    assert exchange(issuer.state()).status_code == 400
    trust(repo, alice)
    assert exchange(issuer.state(iss="http://10.0.0.1")).status_code == 400
    settings.OIDC_ISSUERS = []
    assert exchange(issuer.state()).status_code == 400
    assert issuer.calls == []
    settings.OIDC_ISSUERS = ["*"]
    assert exchange(issuer.state()).status_code == 200
    assert not issuers.is_allowed("http://ci.lan")


def test_a_private_repository_is_like_a_missing_one(
    issuer: Issuer, alice: User, charlie: User, repo: Repo, make_repo: MakeRepo
) -> None:
    trust(repo, alice)
    trust(make_repo(charlie, "own"), charlie, claims={"repository": "mallory/tool"})
    states = [issuer.state(repository="mallory/tool") for _place in range(5)]
    places = ("alice/bert", "alice/nothing", "nobody/x", "alice", "\0/x")
    answers = [exchange(token, place) for token, place in zip(states, places, strict=True)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(400, answers[0].content)}
    assert "alice" not in answers[0].content.decode()


def test_every_claim_that_was_asked_for_must_fit(issuer: Issuer, alice: User, repo: Repo) -> None:
    wanted = {"repository": "octo/weights", "workflow": "publish.yml", "environment": "Release", "ref": "main"}
    publisher = trust(repo, alice, claims=wanted)
    assert publisher.claims["ref"] == "refs/heads/main"
    elsewhere = "octo/weights/.github/workflows/publish.yml.x@refs/heads/main"
    for claims in ({"ref": "refs/heads/dev"}, {"ref": "refs/tags/main"}, {"environment": None},
                   {"job_workflow_ref": elsewhere}, {"workflow": "publish.yml", "job_workflow_ref": None},
                   {"job_workflow_ref": "mallory/x/.github/workflows/publish.yml@refs/heads/main"}):  # fmt: skip
        answer = exchange(issuer.state(**claims))
        assert answer.status_code == 400, claims
        assert "claim" in answer.json()["error_description"]
    publisher.refresh_from_db()
    assert publisher.refused_claim == "workflow"
    assert exchange(issuer.state()).status_code == 200


def test_a_name_that_passes_to_somebody_else_gains_nothing(issuer: Issuer, alice: User, repo: Repo) -> None:
    publisher = trust(repo, alice)
    assert exchange(issuer.state()).status_code == 200
    publisher.refresh_from_db()
    assert publisher.pinned == {"repository_id": "11", "repository_owner_id": "7"}
    for claims in ({"repository_owner_id": "8"}, {"repository_id": "12"}, {"repository_id": None}):
        assert exchange(issuer.state(**claims)).status_code == 400
    assert exchange(issuer.state()).status_code == 200


def test_gitlab_and_others_are_known_by_their_claims(
    alice: User, repo: Repo, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    settings.OIDC_ISSUERS = ["https://gitlab.com", "https://ci.example"]
    trust(repo, alice, provider="gitlab", claims={"project_path": "octo/weights", "ref": "main"})
    trust(repo, alice, provider="other", issuer="https://ci.example", claims={"sub": "pipeline:octo:*:main"})
    lab, other = Issuer("https://gitlab.com"), Issuer("https://ci.example")
    monkeypatch.setattr(outbound, "send", lab.send)
    plain: dict[str, Any] = {"repository": None, "project_path": "octo/weights", "project_id": "5", "namespace_id": "3"}
    assert exchange(lab.state(**plain, ref_path="refs/tags/main", ref="main")).status_code == 400
    assert exchange(lab.state(**plain, ref_path="refs/heads/main", ref="main")).status_code == 200
    assert exchange(lab.state(**{**plain, "namespace_id": "4"}, ref_path="refs/heads/main")).status_code == 400
    monkeypatch.setattr(outbound, "send", other.send)
    assert exchange(other.state(sub="pipeline:octo:7:main")).status_code == 200
    assert exchange(other.state(sub="pipeline:octo:7:dev")).status_code == 400
    assert exchange(other.state(sub="x:pipeline:octo:7:main")).status_code == 400


def test_it_ends_with_the_rights_of_whoever_trusted_it(
    issuer: Issuer, alice: User, team: Organization, make_repo: MakeRepo
) -> None:
    repo = make_repo(alice, "bert", namespace="team", private=True)
    publisher = trust(repo, alice)
    wire = Wire(exchange(issuer.state(), "team/bert").json()["access_token"])
    assert wire.get("/api/models/team/bert").status_code == 200
    Membership.objects.filter(user=alice).update(role=Membership.Role.READ)
    assert wire.commit("models/team/bert", file_row("b.txt", b"b")).status_code == 403
    assert exchange(issuer.state(), "team/bert").status_code == 400
    Membership.objects.filter(user=alice).update(role=Membership.Role.ADMIN)
    assert exchange(issuer.state(), "team/bert").status_code == 200
    publishers.remove(publisher, trusting.resource_of(repo), by=alice)
    assert wire.get("/api/models/team/bert").status_code in (401, 404)
    assert exchange(issuer.state(), "team/bert").status_code == 400


def test_it_follows_its_repository_and_not_the_name(
    issuer: Issuer, alice: User, repo: Repo, make_repo: MakeRepo
) -> None:
    trust(repo, alice)
    moving.move_repo(repo, by=alice, namespace="alice", name="roberta")
    assert exchange(issuer.state(), "alice/bert").status_code == 200
    make_repo(alice, "bert")
    assert exchange(issuer.state(), "alice/bert").status_code == 400
    assert exchange(issuer.state(), "alice/roberta").status_code == 200
    publishing.delete_repo(repo, by=alice)
    assert exchange(issuer.state(), "alice/roberta").status_code == 400


def test_an_owner_trusts_for_all_repositories_and_each_token_is_for_one(
    issuer: Issuer, alice: User, repo: Repo, make_repo: MakeRepo
) -> None:
    make_repo(alice, "other", private=True)
    owner = trusting.resource_of_owner(alice.namespace)
    publishers.add(owner, by=alice, provider="github", claims={"repository": "octo/weights"}, audience=SITE)
    wire = Wire(exchange(issuer.state()).json()["access_token"])
    assert wire.commit("models/alice/bert", file_row("b.txt", b"b")).status_code == 200
    assert wire.get("/api/models/alice/other").status_code == 404
    reader = Wire(exchange(issuer.state(), "alice").json()["access_token"])
    assert reader.get("/api/models/alice/other").status_code == 200
    assert reader.commit("models/alice/other", file_row("b.txt", b"b")).status_code == 403


def test_refusals_have_the_form_of_oauth(issuer: Issuer, alice: User, repo: Repo) -> None:
    trust(repo, alice)
    wrong: list[dict[str, Any]] = [
        {"subject_token": ""},
        {"resource": ""},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"subject_token": 5},
    ]
    for fields in wrong:
        answer = exchange(issuer.state(), **fields)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), fields
        assert answer.json()["error_description"]
    assert GRANT in Client().get("/.well-known/openid-configuration").json()["grant_types_supported"]


def test_what_nobody_should_trust_is_refused(alice: User, repo: Repo, settings: Any) -> None:
    settings.OIDC_ISSUERS = [GITHUB, "https://gitlab.com", "https://ci.example"]
    refused: list[dict[str, Any]] = [
        {"claims": {}},
        {"claims": {"repository": "weights"}},
        {"claims": {"workflow": "publish.yml"}},
        {"provider": "other", "issuer": GITHUB, "claims": {"sub": "repo:octo/*"}},
        {"provider": "gitlab", "issuer": GITHUB, "claims": {"project_path": "a/b"}},
        {"provider": "other", "issuer": "https://ci.example", "claims": {"sub": "*"}},
        {"provider": "other", "issuer": "https://ci.example", "claims": {"sub": "ab*"}},
        {"provider": "other", "issuer": "https://ci.example", "claims": {"sub": "a*b*c*d*e"}},
        {"provider": "other", "issuer": "https://elsewhere.example", "claims": {"sub": "abcdef"}},
        {"provider": "other", "issuer": "http://ci.example", "claims": {"sub": "abcdef"}},
        {"provider": "other", "claims": {"sub": "abcdef"}},
        {"claims": {"repository": "a/b", "not a name": "x"}},
        {"claims": {"repository": "a/b", "ref": "x" * 400}},
        {"level": 3},
        {"provider": "svn"},
    ]
    for values in refused:
        with pytest.raises(InvalidInput):
            trust(repo, alice, **values)
    trust(repo, alice)
    with pytest.raises(InvalidInput):
        trust(repo, alice)
    limited = AccessToken.opened(
        pk=AccessToken.issue_fine_grained(user=alice, name="y", grants=[], permissions=["jobs"])[0].pk
    )
    assert limited is not None
    with pytest.raises(NotAllowed):
        trust(repo, limited.user, claims={"repository": "a/b"})


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [("a*c", "abc", True), ("a*c", "ac", True), ("a*c", "abcd", False), ("a*a", "a", False), ("*b*", "abc", True),
     ("a*b*c", "a-c-b", False), ("a*b*c", "axbxc", True), ("abc", "abc", True), ("abc", "abcd", False)],
)  # fmt: skip
def test_patterns(pattern: str, text: str, fits: bool) -> None:
    assert publishers.matches(pattern, text) is fits


def test_it_is_noted_who_trusted_and_used_it(issuer: Issuer, alice: User, repo: Repo) -> None:
    publisher = trust(repo, alice)
    exchange(issuer.state())
    publishers.remove(publisher, trusting.resource_of(repo), by=alice)
    kinds = set(AuditEntry.objects.filter(account=alice).values_list("kind", flat=True))
    assert kinds >= {"publisher.added", "publisher.removed", "token.created"}
    assert not AccessToken.objects.exists()


def test_tokens_of_publishers_are_not_among_ones_own(issuer: Issuer, alice: User, repo: Repo, as_user: Any) -> None:
    trust(repo, alice)
    exchange(issuer.state())
    assert "GitHub Actions" not in as_user(alice).get("/settings/tokens").content.decode()
    token = AccessToken.objects.get()
    AccessToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    exchange(issuer.state())
    assert not AccessToken.objects.filter(pk=token.pk).exists()


@pytest.fixture
def client_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HfApi]:
    """The real client, as it is in a CI job, whose calls come here without a network."""
    handler = WSGIHandler()

    def answered(environ: dict[str, Any], start_response: Any) -> Any:
        return handler({**environ, "RAW_URI": environ["PATH_INFO"]}, start_response)

    for name in ("HF_TOKEN", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", SITE)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(huggingface_hub.utils._auth, "_OIDC_TOKEN_CACHE", None)
    huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=httpx2.WSGITransport(app=answered)))
    yield HfApi(endpoint=SITE)
    huggingface_hub.set_client_factory(default_client_factory)


def test_the_client_exchanges_by_itself(
    issuer: Issuer, alice: User, repo: Repo, client_in_ci: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(repo, alice)
    monkeypatch.setenv("HF_OIDC_RESOURCE", "alice/bert")
    monkeypatch.setenv("HF_OIDC_ID_TOKEN", issuer.state())
    assert client_in_ci.model_info("alice/bert").private
    assert client_in_ci.file_exists("alice/bert", "a.txt")  # with the token that it keeps
    assert AccessToken.objects.count() == 1
    monkeypatch.setenv("HF_OIDC_RESOURCE", "alice/other")
    with pytest.raises(BadRequestError, match="No trusted publisher"):
        client_in_ci.model_info("alice/bert")
