"""A webhook from event to delivery: relay, job, a program that listens."""

import json

import pytest

from forum import discussing
from models_hub import moving, publishing, releasing, webhooks
from models_hub.models import WebhookDelivery
from models_hub.publishing import PutFile
from portal.models import Event, Job
from tests.portal.test_outbound import listener  # noqa: F401 - a fixture
from tests.worker.performing import perform
from worker import relay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reachable(settings):
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]


@pytest.fixture
def watch(listener):  # noqa: F811
    """Make a webhook of somebody's for everything of alice's, from now on."""

    def make(owner, **options):
        Event.objects.all().delete()
        return webhooks.create(
            by=owner,
            url=f"http://127.0.0.1:{listener.server_port}/in",
            watched=[("user", "alice")],
            domains=["repo", "discussion"],
            site="https://hub.example",
            **options,
        )

    return make


def deliver():
    relay.deliver_events()
    for job in Job.objects.due().filter(kind="deliver_webhook"):
        perform(job.pk)


def told(listener):  # noqa: F811
    return [json.loads(body) for _path, _headers, body in listener.seen]


def test_a_commit_is_told_with_its_reference_and_the_secret(listener, watch, alice, make_repo):  # noqa: F811
    repo = make_repo(alice)
    before = repo.head
    watch(alice, secret="s3cret")
    made = publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"a")], title="Add")
    deliver()
    (payload,) = told(listener)
    assert payload["event"] == {"action": "update", "scope": "repo.content"}
    assert payload["updatedRefs"] == [{"ref": "refs/heads/main", "oldSha": before, "newSha": made.oid}]
    assert (payload["repo"]["name"], payload["repo"]["headSha"]) == ("alice/bert", made.oid)
    assert payload["repo"]["url"]["api"] == "https://hub.example/api/models/alice/bert"
    assert payload["webhook"]["version"] == 3
    assert listener.seen[0][1]["X-Webhook-Secret"] == "s3cret"
    assert WebhookDelivery.objects.get().state == "delivered"


def test_the_payload_is_what_the_client_of_the_hub_reads(listener, watch, alice, make_repo):  # noqa: F811
    from huggingface_hub import WebhookPayload
    from pydantic import TypeAdapter

    repo = make_repo(alice)
    watch(alice)
    topic = discussing.open_discussion(repo=repo, by=alice, title="Why?", text="Tell me.")
    discussing.comment(topic, by=alice, text="Because.")
    publishing.set_private(repo, by=alice, private=True)
    deliver()
    read = [TypeAdapter(WebhookPayload).validate_python(one) for one in told(listener)]
    assert [(one.event.scope, one.event.action) for one in read] == [
        ("discussion", "create"),
        ("discussion.comment", "create"),
        ("repo.config", "update"),
    ]
    assert (read[0].discussion.title, read[0].comment.content) == ("Why?", "Tell me.")
    assert read[1].comment.content == "Because."


def test_creation_and_deletion_are_told_too(listener, watch, alice, make_repo):  # noqa: F811
    watch(alice)
    repo = make_repo(alice)
    deliver()
    publishing.delete_repo(repo, by=alice)
    deliver()
    scopes = [(one["event"]["scope"], one["event"]["action"]) for one in told(listener)]
    assert scopes[0] == ("repo", "create")
    assert scopes[-1] == ("repo", "delete")
    assert told(listener)[-1]["repo"]["name"] == "alice/bert"


def test_a_version_is_told_with_its_notes_as_they_are_by_then(listener, watch, alice, make_repo):  # noqa: F811
    repo = make_repo(alice)
    watch(alice)
    release = releasing.publish(repo, by=alice, tag="v1.0.0-rc.1", revision="main", title="First", notes="- bert")
    deliver()
    tagged, published = told(listener)
    assert (tagged["event"]["scope"], published["event"]) == (
        "repo.content",
        {"action": "create", "scope": "repo.release"},
    )
    assert published["updatedRefs"] == [{"ref": "refs/tags/v1.0.0-rc.1", "oldSha": None, "newSha": repo.head}]
    assert published["release"] == {
        "tag": "v1.0.0-rc.1",
        "commit": repo.head,
        "title": "First",
        "notes": "- bert",
        "isPrerelease": True,
        "author": {"id": f"{alice.pk:024x}"},
        "url": {"web": "https://hub.example/alice/bert/releases/tag/v1.0.0-rc.1"},
    }
    releasing.edit(release, by=alice, title="First", notes="- a new bert")
    deliver()
    releasing.edit(release, by=alice, title="Second", notes="")
    releasing.withdraw(release, by=alice)
    deliver()
    later = told(listener)[2:]
    assert [one["event"]["action"] for one in later] == ["update", "delete"]
    assert (later[0]["release"]["notes"], later[1]["release"]) == ("- a new bert", {"tag": "v1.0.0-rc.1"})


def test_what_its_owner_may_no_longer_see_when_it_is_sent_is_not_sent(listener, watch, alice, charlie, make_repo):  # noqa: F811
    repo = make_repo(alice)
    watch(charlie)
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"a")], title="Add")
    relay.deliver_events()
    publishing.set_private(repo, by=alice, private=True)
    deliver()
    assert listener.seen == []
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"dropped"}
    assert not WebhookDelivery.objects.exclude(body="").exists()


def test_of_what_its_owner_never_saw_not_even_a_delivery_is_noted(watch, alice, charlie, make_repo, as_user):
    """A row that was not sent would tell on the page of the webhook that something private is there and is changed."""
    webhook = watch(charlie)
    repo = make_repo(alice, private=True, files={"a.txt": b"a"})
    discussing.open_discussion(repo=repo, by=alice, title="Why?", text="Tell me.")
    deliver()
    moving.move_repo(repo, by=alice, namespace="alice", name="other")
    publishing.delete_repo(repo, by=alice)
    deliver()
    assert not WebhookDelivery.objects.exists()
    assert not Job.objects.filter(kind="deliver_webhook").exists()
    page = as_user(charlie).get(f"/settings/webhooks/{webhook.pk}").text
    assert "not sent" not in page


def test_a_receiver_that_fails_is_tried_again_and_its_answer_kept(listener, watch, alice, make_repo):  # noqa: F811
    watch(alice)
    listener.status, listener.answer = 503, b"<script>down</script>"
    make_repo(alice)
    deliver()
    delivery = WebhookDelivery.objects.first()
    assert (delivery.state, delivery.status, delivery.attempts) == ("waiting", 503, 1)
    assert delivery.answer == "<script>down</script>"
    job = Job.objects.get(spec__delivery=delivery.pk)
    assert job.state == "queued"
    assert job.not_before
    listener.status = 200
    Job.objects.update(not_before=None)
    deliver()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("delivered", 2)


def test_when_all_attempts_fail_the_delivery_has_failed(listener, watch, alice, make_repo):  # noqa: F811
    webhook = watch(alice)
    listener.status = 500
    make_repo(alice)
    Event.objects.exclude(kind="repo.created").delete()
    for _attempt in range(webhooks.ATTEMPTS):
        deliver()
        Job.objects.update(not_before=None)
    delivery, job = WebhookDelivery.objects.get(), Job.objects.get()
    webhook.refresh_from_db()
    assert (delivery.state, job.state, webhook.failures) == ("failed", "failed", 1)
    assert len(listener.seen) == webhooks.ATTEMPTS


def test_an_address_of_the_own_network_is_never_called(listener, watch, alice, make_repo, settings):  # noqa: F811
    watch(alice)
    settings.OUTBOUND_HOSTS = []
    make_repo(alice)
    deliver()
    assert listener.seen == []
    delivery = WebhookDelivery.objects.first()
    assert delivery.state == "failed"
    assert "private network" in delivery.reason


def test_a_delivery_on_its_way_ends_with_the_webhook(listener, watch, alice, make_repo):  # noqa: F811
    webhook = watch(alice)
    make_repo(alice)
    relay.deliver_events()
    webhooks.switch(webhook, on=False)
    deliver()
    webhooks.delete(webhook)
    deliver()
    assert listener.seen == []


def test_every_kind_of_event_has_a_reaction():
    from worker.consumers import CONSUMERS
    from worker.webhook_payloads import TOLD

    assert set(TOLD) <= set(CONSUMERS)
