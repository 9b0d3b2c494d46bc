"""Messages to devices: when they leave, what they say, to whom not, and what becomes of devices that never answer."""

import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from forum import discussing
from portal import inbox, notifying, outbound, push_messages, pushing
from portal.models import Inbox, Notification, Push, PushDevice, User
from portal.outbound import AddressRefused, Answer, Unreachable
from tests.portal.test_devices import GIVEN
from worker import pushing as sending
from worker import relay

pytestmark = pytest.mark.django_db


class Service:
    """The service of a browser’s maker, which answers what it is told."""

    def __init__(self) -> None:
        self.texts: list[dict[str, str]] = []
        self.headers: dict[str, str] = {}
        self.outcome: Answer | Unreachable = Answer(201, {}, b"")

    def send(self, _method, _url, *, headers, body):
        self.headers = dict(headers)
        if isinstance(self.outcome, Unreachable):
            raise self.outcome
        return self.outcome

    def encrypt(self, text, **_keys):
        self.texts.append(json.loads(text))
        return text


@pytest.fixture
def service(monkeypatch) -> Service:
    found = Service()
    monkeypatch.setattr(outbound, "send", found.send)
    monkeypatch.setattr(push_messages, "encrypt", found.encrypt)
    return found


@pytest.fixture
def device(alice) -> PushDevice:
    return pushing.add(alice, **GIVEN, agent="Firefox/140.0")


@pytest.fixture
def talk(alice, bob, make_repo, device):
    """A discussion that alice began and bob answers."""
    topic = discussing.open_discussion(repo=make_repo(alice), by=alice, title="Which data?", text="Tell us.")
    discussing.comment(topic, by=bob, text="The **reviews** of last year.")
    relay.deliver_events()
    return topic


def wait() -> None:
    """Let what is due later be due."""
    back = timezone.now() - timedelta(hours=1)
    Notification.objects.filter(push_due_at__isnull=False).update(push_due_at=back)
    Inbox.objects.filter(pushed_at__isnull=False).update(pushed_at=back)
    Push.objects.update(not_before=back)


def test_a_message_waits_a_moment_and_says_what_a_subject_says(service, talk, device):
    sending.perform()
    assert service.texts == []
    wait()
    sending.perform()
    sending.perform()

    (said,) = service.texts
    assert said["text"] == "bob answered you: Which data?"
    assert said["path"].startswith("/alice/bert/discussions/1")
    assert "reviews" not in json.dumps(said)
    assert not Push.objects.exists()
    device.refresh_from_db()
    assert device.reached_at is not None


def test_it_is_signed_for_the_service_alone(service, talk):
    wait()
    sending.perform()

    signed, _comma, key = service.headers["Authorization"].removeprefix("vapid t=").partition(", k=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), pushing.decoded(key))
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    told = jwt.decode(signed, pem, algorithms=["ES256"], audience="https://push.example.com")
    assert told["exp"] < timezone.now().timestamp() + 24 * 3600
    assert key == push_messages.server_key()


def test_what_was_read_meanwhile_or_may_not_be_seen_any_more_is_not_sent(service, talk, alice):
    wait()
    inbox.read_all(alice)
    sending.perform()
    assert service.texts == []

    Notification.objects.update(read_at=None, push_due_at=timezone.now() - timedelta(seconds=1))
    talk.posts.filter(number=2).update(hidden_at=timezone.now())
    sending.perform()
    assert service.texts == []
    assert not Push.objects.exists()


def test_several_are_one_message_and_the_next_waits(service, talk, alice, charlie):
    notifying.notify("mention", people=[alice], about=f"topic:{talk.pk}", by=charlie)
    wait()
    sending.perform()
    assert [said["text"] for said in service.texts] == ["charlie mentioned you: Which data? and 1 more"]

    notifying.notify("pull_request", people=[alice], about=f"topic:{talk.pk}", by=charlie)
    Notification.objects.filter(push_due_at__isnull=False).update(push_due_at=timezone.now())
    sending.perform()
    assert len(service.texts) == 1
    wait()
    sending.perform()
    assert len(service.texts) == 2


def test_without_a_device_or_where_the_kind_is_not_chosen_nothing_is_due(service, alice, bob, talk):
    notifying.notify("mention", people=[bob], about=f"topic:{talk.pk}", by=alice)
    notifying.notify("reaction", people=[alice], about=f"topic:{talk.pk}", by=bob)

    assert {row.kind for row in Notification.objects.filter(push_due_at__isnull=False)} == {"reply"}


@pytest.mark.parametrize("outcome", [Answer(404, {}, b""), Answer(410, {}, b""), AddressRefused("no")])
def test_a_device_that_is_gone_is_not_called_again(service, talk, outcome):
    service.outcome = outcome
    wait()
    sending.perform()

    assert not PushDevice.objects.exists()
    assert not Push.objects.exists()


@pytest.mark.parametrize("outcome", [Answer(503, {"retry-after": "7200"}, b""), Unreachable("It is away.")])
def test_what_does_not_arrive_is_tried_later_and_at_last_given_up(service, talk, device, outcome):
    service.outcome = outcome
    wait()
    sending.perform()
    pause = Push.objects.get().not_before - timezone.now()
    assert pause > timedelta(minutes=110 if isinstance(outcome, Answer) else 0)

    for _again in range(5):
        wait()
        sending.perform()
    device.refresh_from_db()
    assert (len(service.texts), device.failures, Push.objects.count()) == (4, 1, 0)
    assert device.why


def test_after_many_failures_a_device_is_removed(service, device):
    PushDevice.objects.update(failures=4)
    service.outcome = Answer(400, {}, b"")
    for _again in range(5):
        pushing.try_out(device)
        wait()
        sending.perform()
        if not PushDevice.objects.exists():
            return
    pytest.fail("It is still called.")


def test_a_device_that_was_told_another_key_is_removed(service, device):
    PushDevice.objects.update(server_key="other")
    pushing.try_out(device)
    sending.perform()

    assert service.texts == []
    assert not PushDevice.objects.exists()


def test_a_trial_speaks_the_language_of_its_reader(service, alice, device):
    User.objects.filter(pk=alice.pk).update(language="zh-hans")
    pushing.try_out(device)
    sending.perform()

    (said,) = service.texts
    assert said["language"] == "zh-hans"
