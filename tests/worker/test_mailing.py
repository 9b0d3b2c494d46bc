"""Mail about notifications: when it leaves, what it says, how it is stopped, and that nobody gets it twice."""

import smtplib
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from forum import discussing
from models_hub import publishing
from portal import deciding, inbox, moderating, notifying
from portal.models import Inbox, Letter, Notification, User
from worker import letters, mailing, relay

pytestmark = pytest.mark.django_db
Mail = Notification.Mail


@pytest.fixture(autouse=True)
def site(settings):
    settings.PUBLIC_URL = "https://portal.example"


@pytest.fixture
def reader(alice) -> User:
    """Somebody with a confirmed address, who is not here."""
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    return alice


@pytest.fixture
def talk(reader, bob, make_repo):
    """A discussion that alice began and bob answers."""
    topic = discussing.open_discussion(repo=make_repo(reader), by=reader, title="Which data?", text="Tell us.")
    discussing.comment(topic, by=bob, text="The **reviews** of last year.")
    relay.deliver_events()
    return topic


def wait(**span: float) -> None:
    """Let everybody wait: what is due later is due."""
    back = timezone.now() - timedelta(**(span or {"hours": 1}))
    Notification.objects.filter(mail=Mail.DUE).update(mail_due_at=back, created_at=back)
    Inbox.objects.filter(mailed_at__isnull=False).update(mailed_at=back)
    Inbox.objects.filter(digest_due_at__isnull=False).update(digest_due_at=back)
    Letter.objects.filter(state="waiting").update(not_before=back)


def test_what_was_not_read_in_time_is_one_mail_as_text_and_html(client, reader, bob, charlie, talk):
    notifying.notify("mention", people=[reader], about=f"topic:{talk.pk}", by=charlie)
    mailing.perform()
    assert mail.outbox == []
    wait()
    mailing.perform()
    mailing.perform()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        ["alice@example.org"], "[Small Models Portal] bob answered you: Which data? and 1 more"
    )  # fmt: skip
    assert "The **reviews** of last year." in sent.body
    assert f"https://portal.example{talk.path}#post-2" in sent.body
    assert "<html lang=" in sent.alternatives[0][0]
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = sent.extra_headers["List-Unsubscribe"].strip("<>").removeprefix("https://portal.example")
    assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Inbox.objects.get(user=reader).channels == {"reply": "page", "mention": "page"}
    assert Letter.objects.get().state == "sent"


def test_the_mail_speaks_the_language_of_its_reader(reader, talk):
    User.objects.filter(pk=reader.pk).update(language="zh-hans")
    wait()
    mailing.perform()
    assert '<html lang="zh-hans">' in mail.outbox[0].alternatives[0][0]


def test_what_was_read_meanwhile_is_not_mailed(reader, talk):
    inbox.read_all(reader)
    wait()
    mailing.perform()
    assert (mail.outbox, Letter.objects.count()) == ([], 0)


def test_what_became_private_before_the_letter_left_is_not_in_it(reader, bob, make_repo):
    EmailAddress.objects.create(user=bob, email=bob.email, verified=True, primary=True)
    repo = make_repo(reader, "open")
    topic = discussing.open_discussion(repo=repo, by=bob, title="Hm", text="Hm.")
    discussing.comment(topic, by=reader, text="Secret plans")
    relay.deliver_events()
    wait()
    letters.write_due()
    publishing.set_private(repo, by=reader, private=True)
    mailing.perform()
    assert [one.to for one in mail.outbox] == [["alice@example.org"]]
    assert Letter.objects.get(user=bob).state == "dropped"


def test_a_letter_that_a_killed_relay_had_in_hand_is_not_sent_again(reader, talk):
    wait()
    letters.write_due()
    Letter.objects.update(state="sending", begun_at=timezone.now() - timedelta(hours=1))
    mailing.perform()
    assert (mail.outbox, Letter.objects.get().state) == ([], "unsure")


def test_nothing_goes_to_an_address_that_nobody_confirmed(alice, bob):
    EmailAddress.objects.create(user=alice, email=alice.email, verified=False, primary=True)
    notifying.notify("mention", people=[alice], about=f"user:{bob.pk}", by=bob)
    wait()
    mailing.perform()
    assert (mail.outbox, Letter.objects.count()) == ([], 0)


def test_an_address_that_refuses_gets_no_more_and_its_owner_sees_why(as_user, reader, bob, talk, monkeypatch):
    said = {"alice@example.org": (550, b"no such user")}
    monkeypatch.setattr("django.core.mail.EmailMessage.send", _raising(smtplib.SMTPRecipientsRefused(said)))
    wait()
    mailing.perform()
    assert Letter.objects.get().state == "refused"
    page = as_user(reader).get("/notifications").text
    assert "550 no such user" in page
    assert "Mail to your address was refused" in page
    notifying.notify("mention", people=[reader], about=f"topic:{talk.pk}", by=bob)
    wait()
    mailing.perform()
    assert Letter.objects.count() == 1
    as_user(reader).post("/settings/notifications/address")
    assert Inbox.objects.get(user=reader).refused_address == ""


def test_a_server_that_is_away_is_tried_again_later_and_at_last_no_more(reader, talk, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMessage.send", _raising(ConnectionRefusedError("away")))
    wait()
    mailing.perform()
    letter = Letter.objects.get()
    assert (letter.state, letter.attempts, letter.not_before > timezone.now()) == ("waiting", 1, True)
    mailing.perform()
    assert Letter.objects.get().attempts == 1
    for _again in range(4):
        wait()
        mailing.perform()
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.why) == ("failed", 5, "away")


def test_after_enough_mails_a_day_the_rest_waits_for_the_digest(reader, bob, talk, monkeypatch):
    monkeypatch.setattr(letters, "A_DAY", 1)
    wait()
    mailing.perform()
    notifying.notify("mention", people=[reader], about=f"topic:{talk.pk}", by=bob)
    wait()
    mailing.perform()
    assert len(mail.outbox) == 1
    assert Notification.objects.get(kind="mention").mail == Mail.DIGEST
    wait()
    mailing.perform()
    assert mail.outbox[1].subject == "[Small Models Portal] 1 notification that you have not read"
    assert "No digest any more" in mail.outbox[1].body


def test_a_title_cannot_add_headers(reader, bob, make_repo):
    notifying.notify("trust", people=[reader], about="", by=None, data={"before": 0, "after": 1})
    topic = discussing.open_discussion(repo=make_repo(bob, "x"), by=bob, title="Hm", text="Hm.")
    type(topic).objects.filter(pk=topic.pk).update(title="a\r\nBcc: eve@example.org")
    notifying.notify("mention", people=[reader], about=f"topic:{topic.pk}", by=bob)
    wait()
    mailing.perform()
    assert "\n" not in mail.outbox[0].subject
    assert "Bcc" not in dict(mail.outbox[0].message().items())


def test_without_a_mail_server_nothing_waits_to_be_sent(settings, reader, bob):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    notifying.notify("mention", people=[reader], about=f"user:{bob.pk}", by=bob)
    assert Notification.objects.get().mail == Mail.NONE
    wait()
    mailing.perform()
    assert not Letter.objects.exists()


def _raising(error: Exception):
    def send(*_args: object, **_options: object) -> int:
        raise error

    return send


def test_a_decision_of_moderators_comes_with_its_reason_and_their_words(reader, bob, morgan, talk):
    User.objects.filter(pk=reader.pk).update(language="zh-hans")
    case = moderating.report(f"post:{talk.posts.get(number=1).pk}", by=bob, reason="spam")
    deciding.decide(case, by=morgan, action="hide", version=case.version, text="No advertising, please.")
    relay.deliver_events()
    wait()
    mailing.perform()
    body = next(one.body for one in mail.outbox if "/appeals/" in one.body)
    assert "垃圾信息或广告" in body
    assert "No advertising, please." in body
