"""The page of a person or an organization, and how people present themselves."""

import pytest

from portal.models import User


def test_a_person_is_presented_to_everybody(client, alice):
    alice.introduce(name="Alice Chen", about="I train small encoders.")
    page = client.get("/alice").text
    assert "Alice Chen" in page
    assert "I train small encoders." in page


def test_repositories_come_from_the_hub_by_a_fragment_with_a_plain_link_as_fallback(client, alice):
    page = client.get("/alice").text
    assert 'hx-get="/fragments/repos?author=alice"' in page
    assert 'href="/models?author=alice"' in page


def test_an_organization_shows_its_members_and_a_member_its_organizations(client, team):
    assert 'href="/bob"' in client.get("/team").text
    assert 'href="/team"' in client.get("/bob").text


def test_another_spelling_leads_to_the_one_address(client, alice):
    assert client.get("/ALICE")["Location"] == "/alice"


@pytest.mark.parametrize("name", ["nobody", "%00", "a%2Fb", "..", ".env", "x" * 300])
def test_who_does_not_exist_is_not_found(client, db, name):
    assert client.get(f"/{name}").status_code == 404


def test_a_closed_account_is_not_found_and_not_listed(client, team):
    User.objects.filter(username="bob").update(is_active=False)
    assert client.get("/bob").status_code == 404
    assert 'href="/bob"' not in client.get("/team").text


def test_only_the_person_sees_the_way_to_edit(as_user, alice, charlie):
    assert 'href="/settings/profile">' in as_user(alice).get("/alice").text.split('id="content"')[1]
    assert 'href="/settings/profile">' not in as_user(charlie).get("/alice").text.split('id="content"')[1]


def test_only_admins_see_the_way_to_manage_an_organization(as_user, alice, bob, team):
    assert "/organizations/team/members" in as_user(alice).get("/team").text
    assert "/organizations/team/members" not in as_user(bob).get("/team").text


def test_no_address_of_mail_is_shown(client, alice):
    assert "alice@example.org" not in client.get("/alice").text


def test_what_people_say_of_themselves_is_text_and_never_markup(client, alice):
    alice.introduce(name="<img src=x>", about="<script>x</script>")
    page = client.get("/alice").text
    assert "<img src=x>" not in page
    assert "<script>x" not in page


def test_many_members_cost_no_more_queries(client, alice, team, django_assert_max_num_queries):
    for n in range(20):
        team.add(User.objects.create_user(f"member{n}"), role="read", by=alice)
    with django_assert_max_num_queries(5):
        client.get("/team")


def test_profiles_are_for_reading(client, alice):
    assert client.post("/alice").status_code == 405


def test_people_change_how_they_are_presented(as_user, alice):
    data = {"name": " Alice Chen ", "about": "Encoders.", "language": "en"}
    assert as_user(alice).post("/settings/profile", data).status_code == 302
    alice.refresh_from_db()
    assert (alice.display_name, alice.about) == ("Alice Chen", "Encoders.")


def test_the_chosen_language_is_spoken_at_once_and_from_then_on(as_user, alice):
    browser = as_user(alice)
    browser.post("/settings/profile", {"name": "", "about": "", "language": "zh-hans"})
    assert '<html lang="zh-hans">' in browser.get("/settings/profile").text
    assert browser.cookies["django_language"]["max-age"]


@pytest.mark.parametrize(
    "data", [{"language": "xx"}, {"language": "en", "about": "x" * 4001}, {"language": "en", "name": "x" * 151}]
)
def test_bad_input_changes_nothing(as_user, alice, data):
    assert as_user(alice).post("/settings/profile", data).status_code == 400
    alice.refresh_from_db()
    assert (alice.first_name, alice.about) == ("", "")


def test_settings_are_for_people_who_are_signed_in(client, db):
    assert client.get("/settings/profile")["Location"] == "/accounts/login/?next=%2Fsettings%2Fprofile"


def test_settings_refuse_other_methods(as_user, alice):
    assert as_user(alice).delete("/settings/profile").status_code == 405
