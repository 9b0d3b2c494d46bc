"""Reports become cases, cases are decided, and whoever is concerned hears why and may appeal."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from forum import discussing
from portal import appealing, casework, deciding, flagging, moderated, moderating, restraining, transparency
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import (
    Appeal,
    Case,
    Decision,
    Event,
    LogEntry,
    Notice,
    Reason,
    Report,
    ReporterScore,
    Restraint,
)
from tests.conftest import make_user

SPAM = "Buy cheap followers at https://spam.example now, today only"


@pytest.fixture
def post(alice, bob, make_repo):
    """Something that bob said about a model of alice's."""
    topic = discussing.open_discussion(repo=make_repo(alice), by=bob, title="Hello", text=SPAM)
    return topic.posts.get(number=1)


@pytest.fixture
def maria(db):
    return make_user("maria", is_staff=True)


def key(post) -> str:
    return f"post:{post.pk}"


def decide(case, by, action, **more):
    case.refresh_from_db()
    return deciding.decide(case, by=by, action=action, version=case.version, **more)


def test_reports_of_one_thing_are_one_case(post, alice, charlie):
    first = moderating.report(key(post), by=alice, reason="spam")
    second = moderating.report(key(post), by=charlie, reason="off-topic", text="Not about the model.")
    assert first.pk == second.pk
    assert (second.reports_count, second.reasons) == (2, {"spam": 1, "off-topic": 1})
    assert (second.author, second.title) == (post.author, "Hello")
    with pytest.raises(Conflict):
        moderating.report(key(post), by=charlie, reason="spam")


def test_a_decided_case_is_opened_again_and_not_doubled(post, alice, charlie, morgan):
    case = moderating.report(key(post), by=charlie, reason="spam")
    decide(case, morgan, "ignore")
    again = moderating.report(key(post), by=alice, reason="spam")
    assert again.pk == case.pk
    assert (again.status, again.reports_count, again.score) == ("open", 1, 1.0)


def test_nobody_reports_what_is_theirs(post, bob):
    with pytest.raises(InvalidInput):
        moderating.report(key(post), by=bob, reason="spam")


@pytest.mark.parametrize(("agreed", "disagreed", "bonus"), [(3, 2, 0), (6, 0, 6.46), (0, 6, -6.46), (7, 3, 0)])
def test_having_been_right_or_wrong_weighs_after_some_reports(agreed, disagreed, bonus):
    assert flagging.accuracy_bonus(agreed, disagreed) == pytest.approx(bonus, abs=0.01)


def test_enough_weight_hides_a_post_and_a_machine_says_so(post, charlie, morgan, as_user, bob):
    ReporterScore.objects.create(person=charlie, agreed=20)
    case = moderating.report(key(post), by=charlie, reason="spam")
    assert case.score > flagging.HIDE
    post.refresh_from_db()
    assert post.is_hidden
    notice = Notice.objects.get(person=bob)
    assert notice.decision.by_machine
    page = as_user(bob).get(notice.path).text
    assert "A machine:" in page
    assert "spam or advertising" in page
    decide(case, morgan, "dismiss")
    post.refresh_from_db()
    assert not post.is_hidden
    assert ReporterScore.objects.get(person=charlie).disagreed == 1


def test_several_reports_of_bulk_silence_a_new_person_until_somebody_looked(post, alice, charlie, morgan, bob):
    people = [alice, charlie, make_user("nora")]
    for one in people:
        case = moderating.report(key(post), by=one, reason="spam")
    silence = restraining.silence_of(bob)
    assert silence.decision.by_machine
    assert Notice.objects.get(person=bob).decision == silence.decision
    decide(case, morgan, "dismiss")
    assert restraining.silence_of(bob) is None


def test_hiding_tells_the_author_and_the_reporter(post, charlie, morgan, bob, as_user):
    case = moderating.report(key(post), by=charlie, reason="spam")
    decide(case, morgan, "hide", text="Please no advertising.")
    post.refresh_from_db()
    assert (post.is_hidden, post.hidden_by, post.hidden_why) == (True, morgan, "spam or advertising")
    assert "Please no advertising." in as_user(bob).get(Notice.objects.get().path).text
    assert "moderators acted" in as_user(charlie).get("/reports").text
    assert ReporterScore.objects.get(person=charlie).agreed == 1
    assert charlie.notifications.filter(kind="report").exists()


def test_of_two_moderators_the_second_hears_of_the_first(post, charlie, morgan, maria):
    case = moderating.report(key(post), by=charlie, reason="spam")
    seen = case.version
    deciding.decide(case, by=morgan, action="hide", version=seen)
    with pytest.raises(Conflict):
        deciding.decide(Case.objects.get(), by=maria, action="dismiss", version=seen)


def test_nobody_judges_what_is_theirs(alice, charlie, morgan, team, post):
    own = discussing.open_discussion(repo=post.topic.repo, by=morgan, title="Mine", text="Some words of a moderator.")
    case = moderating.report(f"topic:{own.pk}", by=charlie, reason="spam")
    with pytest.raises(NotAllowed):
        decide(case, morgan, "dismiss")
    team.add(morgan, role="read", by=alice)
    of_team = moderating.report(f"organization:{team.pk}", by=charlie, reason="spam")
    with pytest.raises(NotAllowed):
        decide(of_team, morgan, "dismiss")


def test_a_silenced_person_reads_and_writes_nothing(post, charlie, morgan, bob, as_user):
    case = moderating.report(key(post), by=charlie, reason="harassment")
    decision = decide(case, morgan, "silence", hours=72)
    with pytest.raises(NotAllowed):
        discussing.comment(post.topic, by=bob, text="But I want to say this.")
    assert as_user(bob).get("/alice/bert").status_code == 200
    assert decision.until is not None
    deciding.undo(decision, by=morgan)
    discussing.comment(post.topic, by=bob, text="Thank you for undoing this.")


def test_a_silence_ends_by_itself(bob):
    Restraint.objects.create(person=bob, kind="silence", until=timezone.now() - timedelta(hours=1))
    restraining.require_voice(bob)


def test_a_suspended_person_appeals_from_the_sign_in_page(post, charlie, morgan, bob, client, token_of, make_repo):
    make_repo(bob, "kept")
    secret = token_of(bob)
    case = moderating.report(key(post), by=charlie, reason="harassment")
    decide(case, morgan, "suspend", hours=720)
    refused = client.post("/accounts/login/", {"login": "bob", "password": "correct horse battery staple"})
    assert refused["Location"].startswith("/appeals/from-sign-in/")
    page = client.get(refused["Location"])
    assert "may not sign in" in page.text
    client.post(refused["Location"], {"text": "It was somebody else who used my account."})
    assert Appeal.objects.get().notice.person == bob
    assert client.get("/settings/profile")["Location"].startswith("/accounts/login/")
    answer = client.get("/api/whoami-v2", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert client.get("/bob/kept").status_code == 200


def test_an_appeal_is_decided_by_somebody_else(post, charlie, morgan, maria, bob):
    case = moderating.report(key(post), by=charlie, reason="spam")
    decide(case, morgan, "hide")
    appeal = appealing.appeal(Notice.objects.get(), by=bob, text="It was no advertising.")
    with pytest.raises(NotAllowed):
        appealing.decide(appeal, by=morgan, status="overturned", answer="Sorry.")
    appealing.decide(appeal, by=maria, status="overturned", answer="You are right.")
    post.refresh_from_db()
    assert not post.is_hidden
    score = ReporterScore.objects.get(person=charlie)
    assert (score.agreed, score.disagreed) == (0, 1)
    assert Report.objects.get().verdict == "disagreed"
    assert Event.objects.get(kind="appeal.decided").payload["person"] == bob.pk


def test_an_appeal_may_end_with_something_milder(post, charlie, morgan, maria, bob):
    case = moderating.report(key(post), by=charlie, reason="harassment")
    decide(case, morgan, "silence", hours=720)
    appeal = appealing.appeal(Notice.objects.get(), by=bob, text="A month is too long.")
    appealing.decide(appeal, by=maria, status="changed", answer="A day will do.", instead="silence", hours=24)
    left = restraining.silence_of(bob)
    assert left.until < timezone.now() + timedelta(hours=25)


def test_one_appeals_once_and_in_time(post, charlie, morgan, bob):
    decide(moderating.report(key(post), by=charlie, reason="spam"), morgan, "hide")
    notice = Notice.objects.get()
    with pytest.raises(NotAllowed):
        appealing.appeal(notice, by=charlie, text="I have something to say.")
    Notice.objects.update(created_at=timezone.now() - timedelta(days=190))
    notice.refresh_from_db()
    with pytest.raises(Conflict):
        appealing.appeal(notice, by=bob, text="It is late, I know.")


def test_the_log_is_a_chain_that_the_database_keeps(post, charlie, morgan):
    decide(moderating.report(key(post), by=charlie, reason="spam"), morgan, "hide", internal="seen before")
    moderating.note("test.noted", by=morgan, target="post:1", after={"a": [1, "ü"]})
    call_command("verify_audit")
    with pytest.raises(DatabaseError), transaction.atomic():
        LogEntry.objects.filter(seq=1).update(text="another")
    with pytest.raises(DatabaseError), transaction.atomic():
        LogEntry.objects.filter(seq=1).delete()


def test_a_changed_line_of_the_log_is_found(morgan):
    for number in range(3):
        moderating.note("test.noted", by=morgan, target=f"post:{number}")
    entries = list(LogEntry.objects.order_by("seq"))
    entries[1].text = "another"
    from portal import mod_log

    assert mod_log.verify(iter(entries)) == mod_log.Broken(2, "changed after it was written")
    assert mod_log.verify(iter([entries[0], entries[2]])) == mod_log.Broken(2, "missing")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER mod_log_keeps_update")
            cursor.execute("UPDATE portal_logentry SET text='x' WHERE seq=2")
            with pytest.raises(CommandError, match="line 2"):
                call_command("verify_audit")


def test_months_are_counted_from_rows(post, charlie, morgan, maria, bob, client):
    decide(moderating.report(key(post), by=charlie, reason="spam"), morgan, "hide")
    appealing.decide(
        appealing.appeal(Notice.objects.get(), by=bob, text="No."), by=maria, status="overturned", answer="Yes."
    )
    month = transparency.months(1)[0]
    assert (month.reports, month.appeals, month.overturn_rate) == (1, 1, 1.0)
    assert [(action.name, n) for action, n in month.actions] == [("hide", 1)]
    page = client.get("/transparency").text
    assert "100 %" in page
    assert ">bob<" not in page


def test_every_action_belongs_to_a_kind_that_can_do_it(post, charlie, morgan, make_repo, alice):
    for about in (key(post), f"topic:{post.topic_id}", f"repo:{post.topic.repo_id}", f"user:{alice.pk}"):
        assert moderated.load(about) is not None
        assert {"nudge", "warn"} <= set(moderated.actions_of(about))
    assert Reason.values


def test_a_claim_has_its_own_fields_and_its_own_case(post, charlie, as_user, alice):
    repo = post.topic.repo
    address = f"/reports/new?about=repo:{repo.pk}&claim=copyright"
    browser = as_user(charlie)
    assert browser.post(address, {"text": "It is mine."}).status_code == 400
    facts = {
        "text": "It is mine.", "work": "My corpus", "contact": "charlie@example.org", "good_faith": "on",
        "accurate": "on", "signature": "Charlie",
    }  # fmt: skip
    assert browser.post(address, facts)["Location"] == "/reports"
    case = Case.objects.get(kind="copyright")
    assert case.reports.get().data["signature"] == "Charlie"
    assert case.due_at < timezone.now() + timedelta(hours=25)


def test_a_claim_is_answered_by_a_counter_notice(post, charlie, morgan, maria, alice, as_user):
    case = moderating.report(
        f"repo:{post.topic.repo_id}", by=charlie, reason="copyright", kind="copyright", text="It is mine.",
        data={"work": "My corpus", "contact": "hidden@example.org"},
    )  # fmt: skip
    decide(case, morgan, "disable")
    notice = Notice.objects.get(person=alice)
    browser = as_user(alice)
    page = browser.get(notice.path).text
    assert "My corpus" in page
    assert "hidden@example.org" not in page
    facts = {"text": "I wrote it.", "contact": "Street 1", "mistake": "on", "court": "on", "signature": "Alice"}
    browser.post(notice.path, facts)
    appeal = Appeal.objects.get()
    assert appeal.is_counter_notice
    first, last = appealing.restoring_after(appeal)
    assert first < last
    assert first in as_user(maria).get(appeal.path).text


def test_strangers_see_neither_queue_nor_case(post, charlie, as_user, client, alice):
    case = moderating.report(key(post), by=charlie, reason="spam")
    for address in ("/moderation", case.path, "/moderation/words", "/moderation/log", "/moderation/appeals"):
        assert as_user(alice).get(address).status_code == 403
        assert client.get(address).status_code == 302
    assert as_user(alice).get("/reports/new?about=post:999999").status_code == 404


def test_what_is_private_cannot_be_reported_by_who_does_not_see_it(alice, charlie, make_repo, as_user):
    repo = make_repo(alice, "secret", private=True)
    assert as_user(charlie).get(f"/reports/new?about=repo:{repo.pk}").status_code == 404


def test_the_queue_and_its_bulk_actions(post, charlie, morgan, as_user, django_assert_max_num_queries):
    case = moderating.report(key(post), by=charlie, reason="spam")
    browser = as_user(morgan)
    with django_assert_max_num_queries(9):
        page = browser.get("/moderation").text
    assert SPAM[:40] in page
    assert "Nothing waits here" in browser.get("/moderation?reason=malware").text
    done = browser.post("/moderation/bulk", {"case": f"{case.pk}:{case.version}", "action": "hide"}, follow=True)
    assert "1 case is decided." in done.text
    post.refresh_from_db()
    assert post.is_hidden
    assert (
        "1 was left as it is"
        in browser.post("/moderation/bulk", {"case": f"{case.pk}:{case.version}", "action": "hide"}, follow=True).text
        or Case.objects.get().status == "closed"
    )


def test_what_endangers_people_comes_before_what_is_heavier(post, alice, charlie, morgan):
    talk = discussing.open_discussion(repo=post.topic.repo, by=alice, title="Which?", text="One, two or three?")
    others = [discussing.comment(talk, by=alice, text=text) for text in ("One", "Two", "Three")]
    wanted = [
        moderating.report(key(others[0]), by=charlie, reason="privacy"),
        moderating.report(key(others[1]), by=morgan, reason="spam"),
        moderating.report(key(others[2]), by=charlie, reason="off-topic"),
    ]
    seen, filters = [], casework.Filters()
    while True:
        page = casework.page_of(filters, user=morgan, size=1)
        seen += page.cases
        if not page.next_before:
            break
        filters = casework.Filters(before=page.next_before)
    assert seen == wanted


def test_the_page_of_a_case_has_the_similar_ones(post, alice, charlie, morgan, as_user):
    other = discussing.open_discussion(repo=post.topic.repo, by=alice, title="Same", text=SPAM).posts.get()
    first = moderating.report(key(post), by=charlie, reason="spam")
    second = moderating.report(key(other), by=charlie, reason="spam")
    browser = as_user(morgan)
    page = browser.get(first.path).text
    assert second.path in page
    assert "the same text" in page
    assert f"/reports/new?about=topic:{post.topic_id}" in page
    browser.post(f"{first.path}/claim")
    assert "morgan looks at it" in browser.get("/moderation").text
    assert browser.post(f"{first.path}/decision", {"action": "nudge", "version": 1}).status_code == 400
    first.refresh_from_db()
    done = browser.post(
        f"{first.path}/decision",
        {"action": "hide", "reason": "spam", "hours": "24", "text": "", "internal": "", "version": first.version},
    )
    assert done["Location"] == "/moderation"


def test_a_case_shows_what_was_said_around_a_post(post, alice, charlie, morgan, as_user, django_assert_num_queries):
    topic = post.topic
    said = [discussing.comment(topic, by=alice, text=f"said  as {word}") for word in ("two", "three", "four")]
    judged = discussing.comment(topic, by=charlie, text=SPAM, reply_to=post)
    said += [discussing.comment(topic, by=alice, text=f"said as {word}") for word in ("six", "seven", "eight")]
    discussing.hide(said[2], by=morgan)
    target = moderated.load(key(judged))
    with django_assert_num_queries(3):
        around = target.around()
    assert [(one.number, one.text) for one in (*around.before, *around.after)] == [
        (1, SPAM), (3, "said as three"), (4, "said as four"), (6, "said as six"), (7, "said as seven"),
    ]  # fmt: skip
    assert [one.number for one in around.before if one.is_answered] == [1]
    assert [one.number for one in (*around.before, *around.after) if one.state] == [4]
    case = moderating.report(key(judged), by=alice, reason="spam")
    page = as_user(morgan).get(case.path).text
    section = page[page.index('id="around"') : page.index('id="said"')]
    assert [section.index(one.path) for one in (post, said[1], said[2], said[3], said[4])] == sorted(
        section.index(one.path) for one in (post, *said[1:5])
    )
    assert "is answered by it" in section
    assert "hidden" in section
    assert "said as two" not in page


def test_what_a_post_answers_in_another_topic_is_not_shown(post, alice, bob, make_repo):
    """A steward of one room may not read the room from which a post was moved."""
    elsewhere = discussing.open_discussion(repo=make_repo(alice, "closed"), by=alice, title="Closed", text="A secret")
    moved = discussing.comment(post.topic, by=bob, text="I agree")
    moved.reply_to = elsewhere.posts.get()
    moved.save()
    assert [one.number for one in moderated.load(key(moved)).around().before] == [1]


def test_a_repository_is_excerpted_from_below_its_metadata(alice, charlie, morgan, make_repo, as_user):
    card = "---\nlicense: mit\nhomepage: https://spam.example\n---\n# Buy followers\n\nNow cheap.\n"
    repo = make_repo(alice, files={"README.md": card})
    case = moderating.report(f"repo:{repo.pk}", by=charlie, reason="spam")
    assert case.excerpt == "# Buy followers Now cheap."
    assert [row.host for row in case.hosts.all()] == ["spam.example"]
    page = as_user(morgan).get(case.path).text
    assert page.index("Now cheap.") < page.index("license: mit")


def test_everybody_sees_the_lines_of_the_log_about_oneself(post, charlie, morgan, bob, as_user, alice):
    decide(moderating.report(key(post), by=charlie, reason="spam"), morgan, "hide", internal="a secret thought")
    mine = as_user(bob).get("/appeals").text
    assert f"Hide “{post.topic.title}”" in mine
    assert "a secret thought" not in mine
    assert key(post) not in as_user(alice).get("/appeals").text
    assert as_user(alice).get(Notice.objects.get().path).status_code == 404


def test_a_notice_says_when_a_watched_word_decided(bob, as_user):
    decision = Decision(about=f"user:{bob.pk}", action="silence", reason="spam", by_machine=True, person=bob)
    deciding.carry_out(decision, by=None)
    page = as_user(bob).get(Notice.objects.get().path).text
    assert "A machine: a watched word" in page
    assert "reports of readers" not in page


def test_rules_are_read_by_everybody(client):
    page = client.get("/rules").text
    assert "Be kind" in page
    assert 'id="rights"' in page
