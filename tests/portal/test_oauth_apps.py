"""Signing in to somebody's app: consent, code, tokens, and how each can be misused."""

import base64
import hashlib
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.utils import timezone

from portal.models import AccessToken, Authorization, AuthorizationCode, OAuthApp
from portal.oauth.registering import register

BACK = "https://app.example/callback"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def app(morgan):
    return register(by=morgan, name="Gradio demo", redirect_uris=[BACK])


@pytest.fixture
def asked(app):
    return {
        "client_id": app[0].client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile email read-repos",
        "state": "s1",
        "nonce": "n1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def address(asked, **changes):
    from urllib.parse import urlencode

    return f"/oauth/authorize?{urlencode({k: v for k, v in (asked | changes).items() if v is not None})}"


def allowed(browser, asked, **changes):
    """Agree, and return the code that came back."""
    answer = browser.post(address(asked, **changes), {"decision": "allow"})
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer["Location"]).query)["code"][0]


def exchange(client, app, value, **changes):
    fields = {
        "grant_type": "authorization_code",
        "code": value,
        "redirect_uri": BACK,
        "client_id": app[0].client_id,
        "client_secret": app[1],
        "code_verifier": VERIFIER,
    }
    return client.post("/oauth/token", fields | changes)


def test_a_person_sees_who_asks_for_what_and_agrees(client, as_user, alice, app, asked):
    browser = as_user(alice)
    page = browser.get(address(asked))
    assert "Gradio demo" in page.text
    assert "See your email address" in page.text
    assert "https://app.example" in page["Content-Security-Policy"]
    answer = browser.post(address(asked), {"decision": "allow"})
    assert answer["Location"].startswith(f"{BACK}?code=")
    assert "state=s1" in answer["Location"]
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    tokens = exchange(client, app, code).json()
    assert tokens["token_type"] == "bearer"
    assert tokens["scope"] == asked["scope"]
    told = client.get("/oauth/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert (told["preferred_username"], told["email"]) == ("alice", "alice@example.org")


def test_the_id_token_is_signed_by_the_published_key_and_meant_for_the_app(client, as_user, alice, app, asked):
    tokens = exchange(client, app, allowed(as_user(alice), asked)).json()
    found = client.get("/.well-known/openid-configuration").json()
    key = client.get(urlsplit(found["jwks_uri"]).path).json()["keys"][0]
    claims = jwt.decode(
        tokens["id_token"], jwt.PyJWK(key).key, algorithms=["ES256"], audience=app[0].client_id, issuer=found["issuer"]
    )
    assert (claims["nonce"], claims["preferred_username"]) == ("n1", "alice")
    assert "d" not in key


@pytest.mark.parametrize(
    "redirect", ["https://evil.example/callback", f"{BACK}/x", f"{BACK}?x=1", "https://app.example/Callback", ""]
)
def test_only_a_registered_address_is_ever_led_to(as_user, alice, morgan, app, asked, redirect):
    app[0].redirect_uris = [BACK, "https://app.example/other"]
    app[0].save()
    answer = as_user(alice).post(address(asked, redirect_uri=redirect), {"decision": "allow"})
    assert answer.status_code == 400
    assert "redirect_uri" in answer.text
    assert not AuthorizationCode.objects.exists()


def test_refusal_leads_back_with_an_error(as_user, alice, asked):
    answer = as_user(alice).post(address(asked), {"decision": "deny"})
    assert answer["Location"].startswith(f"{BACK}?error=access_denied")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_what_is_not_given_here_is_said_to_the_app(as_user, alice, asked, changes, error):
    answer = as_user(alice).get(address(asked, **changes))
    assert f"error={error}" in answer["Location"]


def test_a_code_that_comes_twice_ends_what_it_was_exchanged_for(client, as_user, alice, app, asked):
    code = allowed(as_user(alice), asked)
    first = exchange(client, app, code).json()["access_token"]
    assert exchange(client, app, code).json()["error"] == "invalid_grant"
    assert AccessToken.find(first) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 50},
        {"code_verifier": ""},
        {"redirect_uri": "https://app.example/other"},
        {"client_secret": "wrong"},
        {"code": "wrong"},
    ],
)
def test_a_code_alone_is_worth_nothing(client, as_user, alice, app, asked, changes):
    answer = exchange(client, app, allowed(as_user(alice), asked), **changes)
    assert answer.status_code in {400, 401}
    assert not AccessToken.objects.exists()


def test_a_code_expires(client, as_user, alice, app, asked):
    code = allowed(as_user(alice), asked)
    AuthorizationCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert exchange(client, app, code).json()["error"] == "invalid_grant"


def test_the_secret_may_come_in_the_header(client, as_user, alice, app, asked):
    basic = base64.b64encode(f"{app[0].client_id}:{app[1]}".encode()).decode()
    fields = {
        "grant_type": "authorization_code",
        "code": allowed(as_user(alice), asked),
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    assert client.post("/oauth/token", fields, headers={"Authorization": f"Basic {basic}"}).status_code == 200


def test_a_public_app_must_use_pkce(as_user, alice, morgan, asked):
    app, secret = register(by=morgan, name="SPA", redirect_uris=[BACK], public=True)
    assert secret == ""
    answer = as_user(alice).get(address(asked, client_id=app.client_id, code_challenge=None))
    assert "error=invalid_request" in answer["Location"]


def test_a_refresh_token_is_good_once_and_its_second_use_ends_everything(client, as_user, alice, app, asked):
    first = exchange(client, app, allowed(as_user(alice), asked)).json()
    fields = {"grant_type": "refresh_token", "client_id": app[0].client_id, "client_secret": app[1]}
    second = client.post("/oauth/token", fields | {"refresh_token": first["refresh_token"]}).json()
    assert AccessToken.find(second["access_token"])
    replay = client.post("/oauth/token", fields | {"refresh_token": first["refresh_token"]})
    assert replay.json()["error"] == "invalid_grant"
    assert AccessToken.find(second["access_token"]) is None
    assert Authorization.objects.get().revoked_at


def test_scopes_bound_what_the_token_may_do(client, as_user, alice, app, asked, make_repo):
    make_repo(alice, "secret", private=True)
    only_name = exchange(client, app, allowed(as_user(alice), asked, scope="openid profile")).json()["access_token"]
    reader = exchange(client, app, allowed(as_user(alice), asked)).json()["access_token"]

    def call(method, path, token, body=None):
        headers = {"Authorization": f"Bearer {token}"}
        return client.generic(method, path, json.dumps(body or {}), "application/json", headers=headers)

    assert call("GET", "/api/models/alice/secret", only_name).status_code == 404
    assert call("GET", "/api/models/alice/secret", reader).status_code == 200
    assert call("POST", "/api/repos/create", reader, {"name": "x"}).status_code == 403
    assert "email" not in call("GET", "/oauth/userinfo", only_name).json()


def test_an_authorization_is_listed_and_revoked_on_the_page_of_tokens(client, as_user, alice, charlie, app, asked):
    secret = exchange(client, app, allowed(as_user(alice), asked)).json()["access_token"]
    page = as_user(alice).get("/settings/tokens").text
    assert "Gradio demo" in page
    assert secret[-4:] not in page  # it is no token of hers, but an app that may act
    path = f"/settings/authorizations/{Authorization.objects.get().pk}/revocation"
    assert as_user(charlie).post(path).status_code == 404
    as_user(alice).post(path)
    assert AccessToken.find(secret) is None


def test_an_app_is_registered_with_a_secret_that_is_shown_once(as_user, alice):
    browser = as_user(alice)
    fields = {"name": "Mine", "redirect_uris": "https://a.example/cb\nhttp://localhost:7860/cb"}
    answer = browser.post("/settings/apps", fields)
    assert answer.status_code == 201
    app = OAuthApp.objects.get()
    assert app.redirect_uris == ["https://a.example/cb", "http://localhost:7860/cb"]
    assert "hfs_" in answer.text
    assert "hfs_" not in browser.get("/settings/apps").text
    browser.post(f"/settings/apps/{app.pk}/removal")
    assert not OAuthApp.objects.exists()


@pytest.mark.parametrize(
    "bad", ["http://a.example/cb", "javascript:alert(1)", "https://a.example/#x", "https://u@a.example/", "cb", "//a"]
)
def test_an_address_that_would_leak_codes_is_refused(as_user, alice, bad):
    answer = as_user(alice).post("/settings/apps", {"name": "Mine", "redirect_uris": bad})
    assert answer.status_code == 400
    assert not OAuthApp.objects.exists()


def test_somebody_elses_app_does_not_exist(as_user, charlie, app):
    assert as_user(charlie).post(f"/settings/apps/{app[0].pk}/removal").status_code == 404


def test_what_is_no_statement_of_an_issuer_is_not_exchanged(client, db):
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "x.y.z",
        "resource": "alice/bert",
    }
    answer = client.post("/oauth/token", json.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/userinfo", "/.well-known/openid-configuration"])
def test_programs_in_browsers_may_call(client, db, path):
    assert client.options(path)["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("token", ["", "Bearer hf_wrong"])
def test_userinfo_needs_a_token(client, db, token):
    answer = client.get("/oauth/userinfo", headers={"Authorization": token} if token else {})
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"


def test_many_authorizations_cost_no_more_queries(as_user, alice, app, django_assert_max_num_queries):
    Authorization.objects.bulk_create(Authorization(app=app[0], user=alice, scope="openid") for _ in range(20))
    browser = as_user(alice)
    with django_assert_max_num_queries(5):
        browser.get("/settings/tokens")


def test_a_renewal_leaves_no_dead_tokens_behind(client, as_user, alice, app, asked):
    first = exchange(client, app, allowed(as_user(alice), asked)).json()
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    fields = {"grant_type": "refresh_token", "client_id": app[0].client_id, "client_secret": app[1]}
    second = client.post("/oauth/token", fields | {"refresh_token": first["refresh_token"]}).json()
    assert AccessToken.objects.get() == AccessToken.find(second["access_token"])
