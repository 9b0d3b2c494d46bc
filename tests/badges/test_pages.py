"""The pages of badges and seasons: what each reader sees and may do, and the picture for elsewhere."""

from xml.etree import ElementTree

import pytest

from portal.badge_catalogue import RULES
from portal.models import BadgeClaim, BadgeGrant, Mentorship, ReputationLine, Season, SeasonPoints, User
from tests.badges import world
from tests.badges.world import ago
from tests.portal.trusted import trusted

pytestmark = pytest.mark.django_db


def grant(user, badge="first-answer", tier=1, **facts) -> BadgeGrant:
    return BadgeGrant.objects.create(user=user, badge=badge, tier=tier, evidence="user:1", **facts)


def test_everybody_sees_all_badges_in_few_queries(client, as_user, alice, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        page = client.get("/badges").text
    assert all(rule.name_zh in page for rule in RULES.values())
    browser = as_user(alice)
    with django_assert_max_num_queries(9):
        assert "0 of 5" in browser.get("/badges").text


@pytest.mark.parametrize("slug", ["first-light", "adopted", "doc-writer", "mentor"])
def test_a_badge_says_its_rule_and_who_has_it(client, as_user, alice, slug):
    grant(alice, slug)
    page = client.get(f"/badges/{slug}").text
    assert "What it takes" in page
    assert "/alice?tab=badges" in page
    assert "How far you are" in as_user(alice).get(f"/badges/{slug}").text
    assert client.get("/badges/nothing").status_code == 404


def test_a_closed_account_is_not_among_the_holders(client, alice):
    grant(alice)
    alice.is_active = False
    alice.save()
    assert "alice" not in client.get("/badges/first-answer").text
    assert client.get("/badges/alice.svg").status_code == 404


def test_the_picture_is_svg_without_scripts_and_escapes_names(client, alice):
    alice.first_name = "<script>alert(1)</script>&\"'"
    alice.save()
    grant(alice, "lineage", 3)
    answer = client.get("/badges/alice.svg")
    assert answer["Content-Type"].startswith("image/svg+xml")
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert "max-age" in answer["Cache-Control"]
    drawn = ElementTree.fromstring(answer.content)
    assert not drawn.findall(".//{http://www.w3.org/2000/svg}script")
    assert "Lineage" in answer.text
    assert "开枝散叶" in client.get("/badges/alice.svg?lang=zh").text


def test_a_profile_shows_badges_tiers_and_the_ledger(client, alice, bob):
    grant(alice)
    secret = world.model(bob, private=True)
    for key in ("user:1", f"repo:{secret.pk}"):
        ReputationLine.objects.create(
            user=alice, giver=bob, kind="answer.accepted", track="help", points=15, at=ago(1), key=key
        )
    page = client.get("/alice?tab=badges").text
    assert "First Answer" in page
    assert "accepted answer" in page
    assert "Novice" in page
    assert secret.name not in page
    assert 'aria-label="First Answer · bronze"' in client.get("/alice").text


def test_the_ledger_names_nobody_who_shows_likes_to_nobody(client, as_user, alice, bob):
    ReputationLine.objects.create(user=alice, giver=bob, kind="repo.liked", track="models", points=3, at=ago(1), key="")
    assert ">bob</a>" in client.get("/alice?tab=badges").text
    User.objects.filter(pk=bob.pk).update(shows_likes=False)
    assert ">bob</a>" not in client.get("/alice?tab=badges").text
    assert ">bob</a>" in as_user(alice).get("/alice?tab=badges").text  # who was told of it anyway


def test_a_contribution_is_asked_for_and_confirmed_by_somebody_else(as_user, alice, bob, charlie):
    trusted(alice), trusted(bob, 3), trusted(charlie, 1)
    on = world.topic(alice)
    asked = as_user(alice).post("/badges/doc-writer/claims", {"address": on.path, "note": "Wrote the guide"})
    assert asked.status_code == 302
    claim = BadgeClaim.objects.get()
    assert "Wrote the guide" in as_user(bob).get("/badges/claims").text
    assert "Nothing waits" in as_user(charlie).get("/badges/claims").text
    for other in (alice, charlie):
        refused = as_user(other).post(f"/badges/claims/{claim.pk}/decision", {"accept": "yes"})
        assert refused.status_code == 403
    as_user(bob).post(f"/badges/claims/{claim.pk}/decision", {"accept": "yes"})
    claim.refresh_from_db()
    assert (claim.state, claim.decided_by) == ("accepted", bob)


@pytest.mark.parametrize(
    ("slug", "address", "note"),
    [("doc-writer", "/no/where", "x"), ("doc-writer", "/bob", ""), ("adopted", "/bob", "x")],
)
def test_a_claim_names_a_page_and_says_something(as_user, alice, bob, slug, address, note):
    answer = as_user(alice).post(f"/badges/{slug}/claims", {"address": address, "note": note})
    assert answer.status_code == 400
    assert not BadgeClaim.objects.exists()


def test_what_somebody_cannot_see_can_neither_be_named_nor_confirmed(as_user, alice, bob, charlie):
    trusted(alice), trusted(bob, 3)
    secret = world.model(charlie, private=True)
    refused = as_user(alice).post("/badges/doc-writer/claims", {"address": secret.path, "note": "x"})
    assert refused.status_code == 400
    claim = BadgeClaim.objects.create(user=charlie, badge="doc-writer", key=f"repo:{secret.pk}", note="Private thing")
    assert "Private thing" not in as_user(bob).get("/badges/claims").text
    assert as_user(bob).post(f"/badges/claims/{claim.pk}/decision", {"accept": "yes"}).status_code == 404


def test_reports_of_dangers_are_confirmed_by_staff_alone(as_user, alice, bob, morgan):
    trusted(alice), trusted(bob, 3), trusted(morgan)
    on = world.topic(alice)
    as_user(alice).post("/badges/security-reporter/claims", {"address": on.path, "note": "A token was leaked"})
    claim = BadgeClaim.objects.get()
    assert "A token was leaked" not in as_user(bob).get("/badges/claims").text
    assert as_user(bob).post(f"/badges/claims/{claim.pk}/decision", {"accept": "yes"}).status_code == 403
    assert "A token was leaked" in as_user(morgan).get("/badges/claims").text


def test_a_mentor_is_offered_and_agreed_to(as_user, alice, bob, charlie):
    trusted(alice, 2), trusted(charlie, 1)
    assert as_user(charlie).post("/badges/mentor/offers", {"person": "bob"}).status_code == 400
    as_user(alice).post("/badges/mentor/offers", {"person": "bob"})
    row = Mentorship.objects.get()
    assert as_user(charlie).post(f"/badges/mentor/offers/{row.pk}", {"agree": "yes"}).status_code == 404
    assert "offers to look after you" in as_user(bob).get("/badges/mentor").text
    as_user(bob).post(f"/badges/mentor/offers/{row.pk}", {"agree": "yes"})
    row.refresh_from_db()
    assert row.agreed_at


def test_a_board_goes_on_where_its_page_ends(client):
    season = Season.objects.create(slug="2020-Q1", starts_at=ago(400), ends_at=ago(300))
    people = world.people(32)
    SeasonPoints.objects.bulk_create(
        [
            SeasonPoints(season=season, user=one, track="help", points=5.5 if number < 31 else 1)
            for number, one in enumerate(people)
        ]
    )
    first = client.get("/seasons/2020-Q1?track=help")
    rows = first.context["page"]
    second = client.get("/seasons/2020-Q1", {"track": "help", "after": first.context["older"]}).context["page"]
    assert [row.user for row in (*rows, *second)] == people
    assert client.get("/seasons/2020-Q1?track=nothing").status_code == 404
    assert client.get("/seasons/2020-Q1?after=x-y").status_code == 200


def test_pages_of_seasons_open_for_everybody_and_forms_for_staff(client, as_user, alice, morgan):
    for address in ("/seasons", "/awards", "/reputation"):
        assert client.get(address).status_code == 200
    assert "Write down" not in as_user(alice).get("/seasons").text
    assert "Write down" in as_user(morgan).get("/seasons").text
    assert as_user(alice).post("/seasons/2020-Q9/awards").status_code == 404
    assert client.post("/badges/mentor/offers", {"person": "alice"}).status_code in {302, 401, 403}
