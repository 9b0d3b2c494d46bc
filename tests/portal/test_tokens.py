"""The page of access tokens."""

import re

import pytest
from django.core.management import CommandError, call_command

from portal.models import AccessToken

PAGE = "/settings/tokens"


@pytest.fixture
def token(alice):
    return AccessToken.issue(user=alice, name="laptop", role="write")[0]


def test_a_new_token_is_shown_once_and_works(as_user, alice):
    browser = as_user(alice)
    answer = browser.post(PAGE, {"name": "CI", "role": "read"})
    assert answer.status_code == 201
    secret = re.search(r'value="(hf_\w+)"', answer.text)[1]
    assert AccessToken.find(secret).user == alice
    assert secret not in browser.get(PAGE).text


def test_the_page_with_the_secret_is_not_kept_and_says_how_to_use_it(as_user, alice):
    answer = as_user(alice).post(PAGE, {"name": "CI", "role": "read"})
    assert "no-store" in answer["Cache-Control"]
    assert "export HF_ENDPOINT=http://testserver" in answer.text
    assert "hf auth login" in answer.text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "x"},
        {"name": "", "role": "read"},
        {"name": "x", "role": "admin"},
        {"name": "x" * 81, "role": "read"},
    ],
)
def test_bad_input_creates_nothing_and_says_why(as_user, alice, data):
    answer = as_user(alice).post(PAGE, data)
    assert answer.status_code == 400
    assert "invalid-feedback" in answer.text or "alert-danger" in answer.text
    assert not AccessToken.objects.exists()


def test_the_list_shows_live_tokens_of_ones_own_without_their_digests(as_user, alice, bob, token):
    AccessToken.issue(user=bob, name="bobs-token", role="read")
    AccessToken.issue(user=alice, name="gone-token", role="read")[0].revoke()
    page = as_user(alice).get(PAGE).text
    assert "laptop" in page
    assert token.hint in page
    assert "bobs-token" not in page
    assert "gone-token" not in page
    assert token.digest not in page


def test_the_list_says_when_and_from_where_a_token_was_last_used(as_user, alice, token_of, client):
    header = {"authorization": f"Bearer {token_of(alice)}"}
    client.get("/api/whoami-v2", headers=header, REMOTE_ADDR="203.0.113.7")
    page = as_user(alice).get("/settings/tokens").text
    assert "from 203.0.113.7" in page
    assert "never" not in page.split("last used:")[1].split("created:")[0]


def test_names_are_text_and_never_markup(as_user, alice):
    AccessToken.issue(user=alice, name="<script>x</script>", role="read")
    assert "<script>x" not in as_user(alice).get(PAGE).text


def test_the_owner_revokes_a_token(as_user, alice, token):
    answer = as_user(alice).post(f"{PAGE}/{token.pk}/revocation", follow=True)
    assert "is revoked" in answer.text
    assert not AccessToken.objects.live().exists()


def test_somebody_elses_token_does_not_exist(as_user, charlie, token):
    assert as_user(charlie).post(f"{PAGE}/{token.pk}/revocation").status_code == 404
    assert AccessToken.objects.live().exists()


def test_anonymous_readers_are_sent_to_sign_in_and_back(client, token):
    assert client.get(PAGE)["Location"] == "/accounts/login/?next=%2Fsettings%2Ftokens"
    assert client.post(f"{PAGE}/{token.pk}/revocation").status_code == 302
    assert AccessToken.objects.live().exists()


def test_wrong_methods_are_refused(as_user, alice, token):
    assert as_user(alice).delete(PAGE).status_code == 405
    assert as_user(alice).get(f"{PAGE}/{token.pk}/revocation").status_code == 405


def test_many_tokens_cost_no_more_queries(as_user, alice, django_assert_max_num_queries):
    for n in range(20):
        AccessToken.issue(user=alice, name=f"t{n}", role="read")
    browser = as_user(alice)
    with django_assert_max_num_queries(5):
        browser.get(PAGE)


def test_the_command_prints_a_token_that_works(alice, capsys):
    call_command("create_token", "Alice", role="write")
    found = AccessToken.find(capsys.readouterr().out.strip())
    assert (found.user, found.role) == (alice, "write")
    with pytest.raises(CommandError, match="There is no user “nobody”"):
        call_command("create_token", "nobody")
