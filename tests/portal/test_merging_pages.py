"""The pages on which two accounts become one."""

import pytest
from django.test import Client

from portal.models import Handover, Job, User
from tests.portal.test_account_settings import confirmed
from tests.worker.performing import perform

pytestmark = pytest.mark.django_db
PAGE = "/settings/account/merging"


def test_offered_by_the_one_and_accepted_by_the_other(alice, bob, make_repo):
    make_repo(alice, "bert")
    hers, his = confirmed(Client(), "alice"), confirmed(Client(), "bob")
    assert "You offered this account" in hers.post(PAGE, {"into": "bob"}, follow=True).text
    page = f"{PAGE}/{Handover.objects.get().pk}"
    assert page in his.get(PAGE).text
    assert "Repositories" in his.get(page).text
    assert hers.get(page).status_code == 404
    assert his.post(page, {"typed": "bob"}).status_code == 400
    assert his.post(page, {"typed": "alice"}, follow=True).status_code == 200
    assert "is being moved" in his.get(page).text
    assert hers.get(PAGE).status_code == 302
    perform(Job.objects.get(kind="end_account").pk)
    assert "It is done" in his.get(page).text
    assert Client().get("/bob/bert").status_code == 200


def test_the_password_is_asked_for_again(as_user, alice, bob):
    assert "/reauthenticate" in as_user(alice).post(PAGE, {"into": "bob"})["Location"]
    assert not Handover.objects.exists()


def test_either_side_leaves_them_apart(alice, bob, as_user):
    for who in (alice, bob):
        confirmed(Client(), "alice").post(PAGE, {"into": "bob"})
        row = Handover.objects.get()
        as_user(who).post(f"{PAGE}/{row.pk}/withdrawal")
        assert not Handover.objects.exists()


def test_bad_names_and_strangers(alice, bob, charlie, client):
    hers = confirmed(Client(), "alice")
    assert hers.post(PAGE, {"into": "nobody"}).status_code == 400
    assert hers.post(PAGE, {"into": "alice"}).status_code == 409
    hers.post(PAGE, {"into": "bob"})
    assert hers.post(PAGE, {"into": "charlie"}).status_code == 409
    page = f"{PAGE}/{Handover.objects.get().pk}"
    assert confirmed(Client(), "charlie").get(page).status_code == 404
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")


def test_an_admin_names_two_accounts(alice, bob, morgan):
    assert confirmed(Client(), "alice").get(f"{PAGE}/proposal").status_code == 403
    User.objects.filter(pk=morgan.pk).update(is_superuser=True)
    admin = confirmed(Client(), "morgan")
    assert admin.post(f"{PAGE}/proposal", {"source": "alice", "into": "bob"}).status_code == 400
    answer = admin.post(f"{PAGE}/proposal", {"source": "alice", "into": "bob", "reason": "Lost key"}, follow=True)
    assert "Lost key" in answer.text
    page = answer.redirect_chain[-1][0]
    assert confirmed(Client(), "bob").get(page).status_code == 404
    assert "is being moved" in admin.post(page, {"typed": "alice"}, follow=True).text
