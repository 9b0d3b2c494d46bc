"""Devices that show messages: how they are added and taken away, and that a message is what RFC 8291 makes of it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.urls import reverse

from portal import inbox, push_messages, pushing
from portal.errors import InvalidInput
from portal.models import AuditEntry, Push, PushDevice
from portal.pushing import decoded

# The example of RFC 8291, section 5 and appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
GIVEN = {"endpoint": "https://push.example.com/alice", "public_key": POINT, "auth": AUTH}


def test_the_example_of_the_standard_comes_out_to_the_byte():
    sender = ec.derive_private_key(int.from_bytes(decoded(SENDER), "big"), ec.SECP256R1())

    made = push_messages.encrypt(
        TEXT, public_key=decoded(POINT), auth=decoded(AUTH), sender=sender, salt=decoded(SALT), step=1
    )

    assert made == decoded(BODY)


def test_messages_of_unlike_length_look_alike():
    lengths = {
        len(push_messages.encrypt(b"x" * size, public_key=decoded(POINT), auth=decoded(AUTH))) for size in (1, 200)
    }

    assert len(lengths) == 1


def test_a_device_is_added_tried_and_taken_away(as_user, alice):
    browser, page = as_user(alice), reverse("settings_notifications")
    assert 'name="push"' not in browser.get(page).text

    browser.post(reverse("devices"), GIVEN, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    device = alice.push_devices.get()
    shown = browser.get(page).text
    assert f'data-device="{device.digest}"' in shown
    assert 'name="push" value="mention" checked' in shown  # what is mailed at once
    assert 'name="push" value="reaction">' not in shown
    assert AuditEntry.objects.filter(account=alice, kind="push_device.added").exists()

    browser.post(reverse("device_trial", args=[device.pk]))
    browser.post(reverse("device_trial", args=[device.pk]))
    assert Push.objects.filter(device=device).count() == 1
    browser.post(reverse("device_removal", args=[device.pk]))
    assert not PushDevice.objects.exists()


def test_devices_of_others_are_not_there(as_user, alice, charlie):
    device = pushing.add(alice, **GIVEN, agent="")

    for page in ("device_trial", "device_removal"):
        assert as_user(charlie).post(reverse(page, args=[device.pk])).status_code == 404
    assert as_user(None).post(reverse("devices"), GIVEN).status_code in (302, 401)


def test_a_browser_belongs_to_whoever_asked_last(alice, bob):
    pushing.add(alice, **GIVEN, agent="")
    pushing.add(bob, **GIVEN, agent="")

    assert PushDevice.objects.get().user == bob


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoint", "http://push.example.com/alice"),
        ("endpoint", "https://127.0.0.1/"),
        ("endpoint", "https://[::ffff:10.0.0.1]/"),
        ("endpoint", "https://push.example.com:8443/"),
        ("endpoint", "https://user@push.example.com/"),
        ("endpoint", "https://push.example.com/" + "a" * 1000),
        ("public_key", AUTH),
        ("public_key", "BA" + "A" * 85),  # no point of the curve
        ("public_key", "é"),
        ("auth", POINT),
        ("auth", ""),
    ],
)
def test_what_no_browser_sends_is_refused(alice, name, value):
    with pytest.raises(InvalidInput):
        pushing.add(alice, **{**GIVEN, name: value}, agent="")


def test_devices_are_bounded(alice, monkeypatch):
    monkeypatch.setattr(pushing, "MAX_DEVICES", 1)
    pushing.add(alice, **GIVEN, agent="")
    pushing.add(alice, **GIVEN, agent="")

    with pytest.raises(InvalidInput):
        pushing.add(alice, **{**GIVEN, "endpoint": "https://push.example.com/other"}, agent="")


def test_the_kinds_are_chosen(as_user, alice):
    pushing.add(alice, **GIVEN, agent="")

    as_user(alice).post(
        reverse("settings_notifications"), {"digest": "weekly", "with_push": "1", "push": ["reaction", "reply"]}
    )

    assert inbox.settings_of(alice).pushes == ["reaction", "reply"]


def test_the_script_may_act_for_the_page_of_settings_alone(client):
    answer = client.get(reverse("devices_script"))

    assert answer["Service-Worker-Allowed"] == "/settings/notifications"
    assert answer["Content-Type"] == "text/javascript"
    assert b"showNotification" in answer.content
