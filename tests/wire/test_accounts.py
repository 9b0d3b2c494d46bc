"""People, collections and webhooks as the real client sees them, and `hf auth login` without a token."""

import re
import subprocess
import time
from pathlib import Path

import pytest
import requests

from tests.live import LivePortal, csrf_of
from tests.wire.clients import Machine

pytestmark = pytest.mark.live


@pytest.fixture
def hers(live_portal: LivePortal, tmp_path: Path) -> Machine:
    """Alice's machine with the newest client."""
    return Machine(live_portal, tmp_path / "alice", live_portal.user("alice"))


def test_people_and_what_they_hold(hers, live_portal):
    live_portal.user("fan")
    hers.python(
        """
        from huggingface_hub import HfApi
        api = HfApi()
        me = api.whoami()
        assert (me["name"], me["type"], me["auth"]["accessToken"]["role"]) == ("alice", "user", "write"), me
        assert me["avatarUrl"].endswith("/avatars/alice")
        api.create_repo("alice/held", private=True, exist_ok=True)
        seen = api.get_user_overview("alice")
        assert (seen.username, seen.is_pro, seen.orgs) == ("alice", False, []), seen
        assert seen.num_models >= 1 and seen.num_followers == 0, seen
        assert list(api.list_user_followers("alice")) == list(api.list_user_following("alice")) == []
        mine = {repo.id: repo for repo in api.list_user_repos()}
        assert mine["alice/held"].visibility == "private" and mine["alice/held"].storage > 0, mine
        try:
            api.get_organization_overview("alice")
        except Exception as error:
            assert error.response.status_code == 404, error
        else:
            raise AssertionError("a person is no organization")
        """
    )
    assert "alice/held" in hers.hf("repos", "ls")


def test_an_organization_is_seen_with_members_and_followers(hers, live_portal):
    browser = live_portal.sign_up("founder")
    page = browser.get(f"{live_portal.url}/organizations/new", timeout=30).text
    fields = {"csrfmiddlewaretoken": csrf_of(page), "name": "guild", "title": "The Guild"}
    browser.post(f"{live_portal.url}/organizations/new", fields, timeout=30)
    browser.post(f"{live_portal.url}/settings/following/guild", fields, timeout=30)
    hers.python(
        """
        from huggingface_hub import HfApi
        api = HfApi()
        seen = api.get_organization_overview("guild")
        assert (seen.name, seen.fullname, seen.num_users, seen.num_followers) == ("guild", "The Guild", 1, 1), seen
        assert [user.username for user in api.list_organization_members("guild")] == ["founder"]
        assert [user.username for user in api.list_organization_followers("guild")] == ["founder"]
        """
    )


def test_collections_from_first_to_last(hers):
    hers.python(
        """
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
        api = HfApi()
        for name in ("one", "two"):
            api.create_repo(f"alice/collected-{name}", exist_ok=True)
        api.create_repo("alice/collected-data", repo_type="dataset", exist_ok=True)
        made = api.create_collection("My Tiny Models", namespace="alice", description="small", private=True)
        assert made.url == f"{api.endpoint}/collections/{made.slug}", made
        assert api.create_collection("My Tiny Models", namespace="alice", exists_ok=True).slug == made.slug
        api.add_collection_item(made.slug, "alice/collected-one", "model", note="first")
        api.add_collection_item(made.slug, "alice/collected-two", "model")
        full = api.add_collection_item(made.slug, "alice/collected-data", "dataset")
        assert [item.item_id for item in full.items][-1] == "alice/collected-data" and full.items[0].note == "first"
        api.add_collection_item(made.slug, "alice/collected-one", "model", exists_ok=True)
        for name, status in (("alice/collected-one", 409), ("alice/no-such-model", 404)):
            try:
                api.add_collection_item(made.slug, name, "model")
            except HfHubHTTPError as error:
                assert error.response.status_code == status
            else:
                raise AssertionError(name)
        last = full.items[-1]
        api.update_collection_item(made.slug, last.item_object_id, note="data", position=0)
        assert api.get_collection(made.slug).items[0].note == "data"
        api.delete_collection_item(made.slug, last.item_object_id)
        api.delete_collection_item(made.slug, last.item_object_id, missing_ok=True)
        renamed = api.update_collection_metadata(made.slug, title="Large ones", theme="green", private=False)
        assert renamed.slug != made.slug and renamed.theme == "green" and not renamed.private
        assert api.get_collection(made.slug).title == "Large ones"
        listed = list(api.list_collections(owner="alice", item="models/alice/collected-one", sort="lastModified"))
        assert [one.slug for one in listed] == [renamed.slug]
        api.delete_collection(renamed.slug)
        api.delete_collection(renamed.slug, missing_ok=True)
        assert not list(api.list_collections(owner="alice"))
        """
    )
    assert "cli-made" in hers.hf("collections", "create", "CLI made")
    assert "CLI made" in hers.hf("collections", "ls", "--owner", "alice")


def test_webhooks_from_first_to_last(hers):
    hers.python(
        """
        from huggingface_hub import HfApi, WebhookWatchedItem
        api = HfApi()
        watched = [{"type": "user", "name": "julien-c"}, WebhookWatchedItem(type="org", name="HuggingFaceH4")]
        made = api.create_webhook(url="https://example.org/in", watched=watched, domains=["repo"], secret="my-secret")
        assert (made.secret, made.domains, made.disabled) == ("my-secret", ["repo"], False), made
        assert [item.name for item in made.watched] == ["julien-c", "HuggingFaceH4"]
        assert [hook.id for hook in api.list_webhooks()] == [made.id]
        got = api.get_webhook(made.id)
        assert (got.url, got.secret) == (made.url, None), got
        changed = api.update_webhook(made.id, url="https://example.org/2", domains=["repo", "discussion"])
        assert (changed.url, changed.domains) == ("https://example.org/2", ["repo", "discussion"]), changed
        assert api.disable_webhook(made.id).disabled and not api.enable_webhook(made.id).disabled
        api.delete_webhook(made.id)
        assert api.list_webhooks() == []
        """
    )


def test_login_by_a_code_that_a_person_types_in_a_browser(live_portal, tmp_path):
    browser = live_portal.sign_up("devices")
    machine = Machine(live_portal, tmp_path)
    tmp_path.mkdir(exist_ok=True)
    env = machine.env | {"PYTHONUNBUFFERED": "1"}
    command = [machine.program("hf"), "auth", "login"]
    pipe, closed = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, env=env, stdin=closed, stdout=pipe, stderr=subprocess.STDOUT, text=True) as login:
        assert login.stdout is not None
        shown = ""
        while not (code := re.search(r"code: (\S+)", shown)):
            line = login.stdout.readline()
            assert line, shown
            shown += line
        answer = _allow(browser, live_portal.url, re.search(r"http://\S+", shown)[0])
        assert "signed in" in answer.text, answer.text
        rest, _nothing = login.communicate(timeout=60)
        assert login.returncode == 0, shown + rest
    assert code[1] in shown
    assert "devices" in machine.hf("auth", "whoami")
    assert machine.python("from huggingface_hub import HfApi; print(HfApi().create_repo('by-device').repo_id)")
    _renew(machine)


def _allow(browser: requests.Session, site: str, address: str) -> requests.Response:
    """Open the address that the program shows, look at what it asks for, and agree."""
    page = browser.get(address, timeout=30).text
    typed = re.search(r'name="user_code" value="([^"]+)"', page)[1]
    fields = {"csrfmiddlewaretoken": csrf_of(page), "user_code": typed}
    asked = browser.post(f"{site}/oauth/device/request", fields, timeout=30)
    assert "hf command line" in asked.text
    fields = {"csrfmiddlewaretoken": csrf_of(asked.text), "user_code": typed, "decision": "allow"}
    return browser.post(f"{site}/oauth/device/decision", fields, timeout=30)


def _renew(machine: Machine) -> None:
    """A token that is about to end is renewed by the client itself, unnoticed."""
    stored = machine.home / "hf" / "stored_tokens"
    before = stored.read_text()
    soon = int(time.time()) + 60
    stored.write_text(re.sub(r"expires_at = \d+", f"expires_at = {soon}", before))
    assert "devices" in machine.hf("auth", "whoami")
    after = stored.read_text()
    assert re.search(r"hf_token = (\S+)", before)[1] != re.search(r"hf_token = (\S+)", after)[1]
