"""The digest leaves in the morning of its reader, wherever that is."""

from datetime import UTC, datetime

import pytest

from portal import inbox
from portal.errors import InvalidInput
from portal.models import Inbox, Notification
from portal.notifying import next_digest, notify

NIGHT = datetime(2026, 11, 26, 22, 30, tzinfo=UTC)  # a Thursday; in Shanghai it is Friday, half past six


@pytest.mark.parametrize(("zone", "due"), [
    ("", datetime(2026, 11, 27, 7, tzinfo=UTC)),
    ("Asia/Shanghai", datetime(2026, 11, 26, 23, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 27, 12, tzinfo=UTC)),
    ("Mars/Olympus", datetime(2026, 11, 27, 7, tzinfo=UTC)),
])  # fmt: skip
def test_a_daily_digest_comes_at_seven_where_its_reader_lives(zone, due):
    assert next_digest("daily", NIGHT, zone) == due


def test_a_weekly_one_comes_on_monday_there_also_after_the_clocks_changed():
    before = datetime(2026, 10, 23, 12, tzinfo=UTC)
    assert next_digest("weekly", before, "Europe/Berlin") == datetime(2026, 10, 26, 6, tzinfo=UTC)


def test_each_reader_waits_for_the_own_morning(alice, bob, settings):
    settings.EMAIL_HOST = "mail.example.org"
    inbox.prefer(alice, channels={"watching": "digest"}, digest="daily", time_zone="Asia/Shanghai")
    inbox.prefer(bob, channels={"watching": "digest"}, digest="daily")
    notify("watching", people=[alice, bob], about="topic:1", by=None, data={}, group="")
    assert Notification.objects.filter(mail=Notification.Mail.DIGEST).count() == 2
    hours = dict(Inbox.objects.values_list("user__username", "digest_due_at"))
    assert (hours["alice"].hour, hours["bob"].hour) == (23, 7)


def test_the_zone_is_chosen_on_the_page_and_in_the_api(alice, as_user, token_of, client):
    page = as_user(alice)
    assert "<option>Asia/Shanghai</option>" in page.get("/settings/notifications").text
    page.post("/settings/notifications", {"digest": "daily", "zone": "Asia/Shanghai"})
    told = client.get("/api/v1/notifications/settings", headers={"Authorization": f"Bearer {token_of(alice)}"})
    assert told.json()["time_zone"] == "Asia/Shanghai"
    with pytest.raises(InvalidInput):
        inbox.prefer(alice, channels={}, digest="daily", time_zone="Mars/Olympus")
