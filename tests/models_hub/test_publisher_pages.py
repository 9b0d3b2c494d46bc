"""Trusted publishers on the pages of a repository and of an owner, and over the REST API."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models_hub import trusting
from models_hub.models import Repo
from portal.models import Organization, TrustedPublisher, User
from portal.oauth import publishers

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
FORM = {"provider": "github", "home": "octo/weights", "level": "2"}


def test_a_publisher_is_trusted_shown_and_removed(as_user: Any, alice: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "cars", kind="dataset", private=True)
    browser, page = as_user(alice), "/datasets/alice/cars/settings/publishers"
    assert browser.get("/datasets/alice/cars/settings").content.count(page.encode()) == 1
    sent = {**FORM, "workflow": "publish.yml", "environment": "release", "ref": "main", "more": "repository_id = 5"}
    assert browser.post(page, sent)["Location"] == page
    row = TrustedPublisher.objects.get()
    assert row.claims == {
        "repository": "octo/weights", "environment": "release", "ref": "refs/heads/main", "repository_id": "5",
        "workflow": "publish.yml",
    }  # fmt: skip
    assert (row.audience, row.issuer) == ("http://testserver", "https://token.actions.githubusercontent.com")
    shown = browser.get(page).content.decode()
    for text in ("octo/weights", "refs/heads/main", "HF_OIDC_RESOURCE: datasets/alice/cars",
                 "--repo-type dataset", "Never used."):  # fmt: skip
        assert text in shown
    assert browser.post(f"{page}/{row.pk}/removal").status_code == 302
    assert browser.post(f"{page}/{row.pk}/removal").status_code == 404
    assert not TrustedPublisher.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"home": "weights"}, "home"),
        ({"provider": "other", "home": "a*", "issuer": "https://gitlab.com"}, "issuer"),
        ({"issuer": "https://evil.example"}, "issuer"),
        ({"provider": "gitlab", "workflow": "x.yml"}, "workflow"),
        ({"more": "nonsense"}, "more"),
        ({"more": "a b=c"}, "more"),
        ({"level": "3"}, "level"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    as_user: Any, alice: User, make_repo: MakeRepo, changes: dict[str, str], field: str
) -> None:
    make_repo(alice, "bert")
    answer = as_user(alice).post("/alice/bert/settings/publishers", {**FORM, **changes})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]


def test_an_organization_and_a_person_trust_for_all_they_have(
    as_user: Any, alice: User, bob: User, team: Organization
) -> None:
    browser = as_user(alice)
    for page in ("/organizations/team/publishers", "/settings/publishers"):
        assert browser.post(page, FORM)["Location"] == page
        assert "octo/weights" in browser.get(page).content.decode()
    of_team = publishers.of(trusting.resource_of_owner(team.namespace))[0]
    assert as_user(bob).get("/organizations/team/publishers").status_code == 403
    assert as_user(bob).post(f"/settings/publishers/team/{of_team.pk}/removal").status_code == 403
    assert as_user(bob).post(f"/settings/publishers/bob/{of_team.pk}/removal").status_code == 404
    assert browser.post(f"/settings/publishers/team/{of_team.pk}/removal").status_code == 302
    assert TrustedPublisher.objects.count() == 1


def test_the_rest_api_does_the_same(as_user: Any, alice: User, bob: User, charlie: User, team: Organization,
                                    make_repo: MakeRepo) -> None:  # fmt: skip
    make_repo(alice, "bert", namespace="team")
    wish = {"provider": "gitlab", "claims": {"project_path": "octo/weights", "ref": "main"}, "level": "read"}

    def post(user: User, place: str, body: dict[str, Any]) -> Any:
        return as_user(user).post(f"/api/v1/{place}", json.dumps(body), content_type="application/json")

    for place in ("models/team/bert/publishers", "publishers/team"):
        made = post(alice, place, wish)
        assert made.status_code == 201, made.content
        assert made.json()["claims"] == {"project_path": "octo/weights", "ref_path": "refs/heads/main"}
        assert [one["level"] for one in as_user(alice).get(f"/api/v1/{place}").json()] == ["read"]
        for user in (bob, charlie):
            assert post(user, place, wish).status_code == as_user(user).get(f"/api/v1/{place}").status_code == 403
        assert post(alice, place, {**wish, "claims": {}}).status_code == 400
        assert post(alice, place, {**wish, "level": "manage"}).status_code == 400
        one = f"/api/v1/{place}/{made.json()['id']}"
        assert as_user(bob).delete(one).status_code == 403
        assert as_user(alice).delete(one).status_code == 204
        assert as_user(alice).delete(one).status_code == 404
