"""Texts that want to run in what moderation and standing know: reports, decisions, appeals, words, claims, awards."""

from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from forum import founding, opening
from forum.models import Category, Post, Topic
from forum.opening import NewTopic
from portal import appealing, claiming, deciding, moderating, seasons, trusting, watched_words
from portal.badge_catalogue import RULES
from portal.models import Award, BadgeClaim, Notice, Organization, Placing, User, WatchedWord
from portal.notifying import notify
from tests.pages import hostile_challenges
from tests.pages.payloads import document


def fill(eve: User, gang: Organization, topic: Topic, titles: list[str]) -> dict[str, str]:
    """Fill it in; returns what addresses name, and the session of a moderator who looks at it."""
    founding.found()
    maya, victor, judge = (
        User.objects.create_user(name, f"{name}@example.org", is_staff=name != "victor", first_name=titles[0][:100])
        for name in ("maya", "victor", "judge")
    )
    User.objects.filter(pk=maya.pk).update(is_superuser=True)
    Authenticator.objects.create(user=maya, type="totp", data={})
    room = Category.objects.get(slug="questions")
    said = opening.open_topic(category=room, by=victor, new=NewTopic(titles[0], f"By victor: {document()}"))
    own = opening.open_topic(category=room, by=eve, new=NewTopic(titles[1], f"To be hidden: {document()}"))
    hostile = document()[:3900]
    for about, by in ((f"topic:{said.pk}", eve), (f"post:{_first(topic).pk}", victor), (f"user:{victor.pk}", eve)):
        case = moderating.report(about, by=by, reason="spam", text=hostile)
    claim = moderating.report(
        f"topic:{own.pk}", by=victor, reason="copyright", kind="copyright", text=hostile,
        data={"work": titles[1], "contact": titles[2], titles[0][:40]: titles[3]},
    )  # fmt: skip
    deciding.decide(
        claim, by=judge, action="hide", version=claim.version, text=hostile, internal=hostile, reason="copyright"
    )
    notice = Notice.objects.get(person=eve)
    made = appealing.appeal(notice, by=eve, text=hostile, is_counter_notice=True, data={"signature": titles[0]})
    for number, title in enumerate(titles):
        WatchedWord.objects.create(
            word=title[:100], folded=f"{number}", action="replace", value=title[:300], created_by=maya
        )
    watched_words.current()
    notify("moderation", people=[eve], about="", by=None, data={"said": titles[0], "path": "/appeals"})
    rule = next(one for one in RULES.values() if one.claimed and not one.slug.startswith("security"))
    asked = claiming.claim(rule, by=eve, key=f"topic:{topic.pk}", note=titles[0][:500])
    BadgeClaim.objects.create(
        user=eve, badge=rule.slug, key=f"user:{eve.pk}", note=titles[1][:500], state="refused", reason=titles[2][:300],
        decided_at=timezone.now(),
    )  # fmt: skip
    season, key = seasons.current(), f"topic:{topic.pk}"
    Award.objects.create(season=season, kind="helper", user=eve, key=key, reason=titles[0][:500], given_by=maya)
    Placing.objects.create(season=season, kind="challenge", board=titles[1][:100], rank=1, user=eve, key=key, code=key)
    hostile_challenges.fill(eve, victor, titles)
    trusting.appoint(victor, by=maya, reason=titles[2][:300])
    browser = Client()
    browser.force_login(maya, backend="allauth.account.auth_backends.AuthenticationBackend")
    return {"case": str(case.pk), "claim": str(claim.pk), "notice": str(notice.pk), "appeal": str(made.pk),
            "asked": str(asked.pk), "season": season.slug, "victor": str(victor.pk), "badge": rule.slug,
            "moderator": browser.cookies["sessionid"].value, "reported": str(said.pk)}  # fmt: skip


def _first(topic: Topic) -> Post:
    return topic.posts.order_by("number")[0]
