"""The page of workers and queues: counts for everybody, workers and their drain for admins."""

from datetime import timedelta

import pytest

from portal.models import Job, WorkerNode

pytestmark = pytest.mark.django_db
PAGE = "/jobs/workers"


@pytest.fixture
def node():
    capabilities = {"cores": 4, "memory_mb": 6000, "gpus": [{"name": "A GPU", "memory_mb": 8000}]}
    WorkerNode.hello("host-of-workers-1", queues=["cpu"], slots=2, capabilities=capabilities)
    return WorkerNode.objects.get()


@pytest.fixture
def admin(morgan):
    morgan.is_superuser = True
    morgan.save()
    return morgan


def test_everybody_sees_queues_and_counts_and_no_titles_or_hosts(as_user, alice, bob, node):
    Job.enqueue("evaluate", spec={}, owner=alice, title="a private model")
    failed = Job.enqueue("evaluate", spec={}, owner=alice, title="another private one")
    Job.claim(failed.pk, worker="w", lease=timedelta(minutes=1)).fail(code="out_of_memory", reason="private words")
    page = as_user(bob).get(PAGE).text
    assert "out_of_memory" in page
    for hidden in ("private", "host-of-workers"):
        assert hidden not in page


def test_an_admin_drains_and_resumes_a_worker(as_user, admin, node):
    client = as_user(admin)
    assert "host-of-workers-1" in client.get(PAGE).text
    client.post(f"{PAGE}/{node.pk}/drain")
    assert "drained" in client.get(PAGE).text
    assert not WorkerNode.objects.taking().exists()
    client.post(f"{PAGE}/{node.pk}/resumption")
    assert WorkerNode.objects.taking().exists()


def test_others_may_not_drain_and_nobody_does_so_by_a_link(as_user, alice, admin, node):
    assert as_user(alice).post(f"{PAGE}/{node.pk}/drain").status_code == 403
    assert as_user(admin).get(f"{PAGE}/{node.pk}/drain").status_code == 405
    assert WorkerNode.objects.taking().exists()


def test_a_refused_worker_is_shown_with_the_reason(as_user, admin):
    data = {"theirs": "2", "ours": "1"}
    reason = "The portal runs version %(theirs)s, this worker %(ours)s. Install the same version here."
    WorkerNode.hello("old-host", queues=[], slots=0, capabilities={}, refusal=reason, refusal_data=data)
    assert "The portal runs version 2, this worker 1." in as_user(admin).get(PAGE).text
