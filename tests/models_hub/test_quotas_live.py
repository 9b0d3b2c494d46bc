"""Many writers of one owner at once, on both databases: the ledger stays exact and nobody waits for ever."""

import json
import textwrap
from collections.abc import Iterator

import pytest

from tests.worker import postgres
from tests.worker.workshop import Workshop

pytestmark = pytest.mark.live

# Twenty threads send content, commit files and move a repository to and fro, while the collector runs.
WRITERS = """
import random, threading
from django.db import connections
from django.db.models import Sum
from models_hub import collecting, contents, moving, publishing, quotas
from models_hub.models import QuotaAccount, Repo
from models_hub.publishing import PutFile, PutLarge
from models_hub.storage import ContentRefused
from portal.models import Namespace, Organization, User

bea = User.objects.create_user("bea", "bea@example.org", "x")
Organization.found(name="team", by=bea)
repos = [
    publishing.create_repo(by=bea, namespace=owner, kind="model", name=name)
    for owner, name in (("bea", "one"), ("team", "two"))
]
mover = publishing.create_repo(by=bea, namespace="bea", kind="model", name="mover")
for account in QuotaAccount.objects.filter(namespace__lower__in=("bea", "team")):
    account.limit = account.used + 30_999
    account.save()
ends, start = [""] * 20, threading.Barrier(20)

def act(number):
    dice = random.Random(number)
    if number == 0:
        for _turn in range(4):
            repo = Repo.objects.select_related("namespace").get(pk=mover.pk)
            to = "team" if repo.namespace.name == "bea" else "bea"
            moving.move_repo(repo, by=bea, namespace=to, name="mover")
    elif number == 1:
        for _turn in range(3):
            collecting.collect(grace=-collecting.GRACE)
    else:
        for turn in range(4):
            repo = Repo.objects.select_related("namespace").get(pk=dice.choice(repos).pk)
            data = bytes([number, turn]) * 1000 if turn % 2 else bytes([dice.randrange(3)]) * 2000
            blob = contents.receive(repo, [data], size=2000)
            changes = [PutFile(f"{number}.txt", b"x" * 50 + bytes([48 + turn]))]
            if turn == 3:
                changes.append(PutLarge(f"{dice.randrange(4)}.bin", blob.sha256))
            publishing.commit(repo=repo, by=bea, changes=changes, title="change")

def work(number):
    start.wait(60)
    try:
        act(number)
        ends[number] = "done"
    except quotas.StorageFull:
        ends[number] = "full"
    except ContentRefused:  # collected between being sent and being committed: this collector gives no time of grace
        ends[number] = "collected"
    except Exception as error:
        ends[number] = repr(error)
    finally:
        connections.close_all()

threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
[t.start() for t in threads]
[t.join(200) for t in threads]
rows = []
for account in QuotaAccount.objects.filter(namespace__lower__in=("bea", "team")):
    entries = account.entries.aggregate(total=Sum("bytes"))["total"]
    rows.append([account.used, entries, quotas.recount(account.namespace_id), account.limit])
print(json.dumps([ends, rows]))
"""

# Each of twenty sends 1,000 bytes where 7,999 fit.
RACERS = """
import threading
from django.db import connections
from models_hub import contents, publishing, quotas
from models_hub.models import QuotaAccount
from portal.models import User

alice = User.objects.create_user("alice", "alice@example.org", "x")
repo = publishing.create_repo(by=alice, namespace="alice", kind="model", name="one")
account = QuotaAccount.objects.get(namespace__lower="alice")
account.limit = account.used + 7_999
account.save()
ends, start = [""] * 20, threading.Barrier(20)

def work(number):
    start.wait(60)
    try:
        contents.receive(repo, [bytes([number]) * 1000], size=1000)
        ends[number] = "stored"
    except quotas.StorageFull:
        ends[number] = "full"
    except Exception as error:
        ends[number] = repr(error)
    finally:
        connections.close_all()

threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
[t.start() for t in threads]
[t.join(200) for t in threads]
account.refresh_from_db()
print(json.dumps([sorted(ends), account.room, repo.repo_blobs.count()]))
"""


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def workshop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("workshop")
    if request.param == "sqlite":
        with Workshop(folder) as workshop:
            yield workshop
        return
    with postgres.cluster() as url, Workshop(folder, DATABASE_URL=url) as workshop:
        yield workshop


def test_twenty_uploads_at_once_stop_at_the_byte(workshop: Workshop) -> None:
    ends, room, stored = workshop.script(textwrap.dedent(RACERS))
    assert ends == ["full"] * 13 + ["stored"] * 7
    assert (room, stored) == (999, 7)


def test_uploads_commits_moves_and_collections_at_once_leave_the_ledger_exact(workshop: Workshop) -> None:
    ends, rows = workshop.script(textwrap.dedent(WRITERS))
    assert set(ends) <= {"done", "full", "collected"}, json.dumps(ends)
    assert "done" in ends
    for used, entries, counted, limit in rows:
        assert used == entries == counted <= limit
