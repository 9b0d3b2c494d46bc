"""Downloads are counted honestly, and shown day by day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from models_hub import attention, downloading
from models_hub.models import DownloadDay, Repo
from models_hub.models.downloads import Client
from tests.evaluating import model_files

pytestmark = pytest.mark.django_db
LIBRARY = "unknown/None; hf_hub/2.4.0; python/3.11.7; torch/2.13.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def repo(alice, make_repo) -> Repo:
    return make_repo(alice, "bert", files=model_files())


def counted() -> dict[str, int]:
    return dict(DownloadDay.objects.values_list("client", "count"))


@pytest.mark.parametrize(
    ("agent", "client"),
    [
        (LIBRARY, Client.LIBRARY),
        ("git/2.39.5", Client.GIT),
        ("git-lfs/3.3.0 (GitHub; linux amd64)", Client.GIT),
        (CHROME, Client.BROWSER),
        ("curl/7.88.1", Client.COMMAND),
        (GOOGLE, Client.BOT),
        ("UptimeRobot/2.0", Client.BOT),
        ("Java-http-client/17.0.15", Client.OTHER),
        ("", Client.OTHER),
    ],
)
def test_programs_are_told_by_what_they_call_themselves(agent, client):
    assert downloading.client_of(agent) == client


def test_each_kind_of_program_has_its_count(client, repo):
    client.get("/alice/bert/resolve/main/config.json", headers={"user-agent": LIBRARY}, REMOTE_ADDR="10.0.0.1")
    client.get("/alice/bert/resolve/main/config.json", headers={"user-agent": CHROME}, REMOTE_ADDR="10.0.0.2")
    assert counted() == {"library": 1, "browser": 1}
    repo.refresh_from_db()
    assert repo.downloads == 2


def test_crawlers_and_checks_are_counted_apart(client, repo):
    client.get("/alice/bert/resolve/main/config.json", headers={"user-agent": GOOGLE})
    client.head("/alice/bert/resolve/main/config.json", headers={"user-agent": LIBRARY})
    assert counted() == {"bot": 1, "check": 1}
    repo.refresh_from_db()
    assert (repo.downloads, repo.downloads_all_time) == (0, 0)
    downloading.forget_old()
    repo.refresh_from_db()
    assert repo.downloads == 0


def test_a_check_does_not_hide_the_download_after_it(client, repo):
    client.head("/alice/bert/resolve/main/config.json", headers={"user-agent": LIBRARY})
    client.get("/alice/bert/resolve/main/config.json", headers={"user-agent": LIBRARY})
    assert counted() == {"check": 1, "library": 1}


def test_one_caller_counts_once_a_day_by_whatever_door(client, repo):
    for path in ("resolve/main/model.safetensors", "resolve/main/config.json", "bundle"):
        client.get(f"/alice/bert/{path}", headers={"user-agent": "curl/8"}).close()
    assert counted() == {"command": 1}


def test_the_page_draws_each_day_and_tells_it_in_words(client, repo):
    today = timezone.now().date()
    DownloadDay.objects.create(repo=repo, day=today, client=Client.GIT, count=3)
    DownloadDay.objects.create(repo=repo, day=today - timedelta(days=5), client=Client.LIBRARY, count=6)
    DownloadDay.objects.create(repo=repo, day=today - timedelta(days=89), client=Client.BOT, count=50)
    found = attention.of(repo)
    assert (found.total, found.highest, len(found.bars)) == (9, 6, 90)
    assert [bar.height for bar in found.bars if bar.count] == [100, 50]
    page = client.get("/alice/bert/downloads").text
    assert "9 downloads in 90 days" in page
    assert "not counted" in page
    assert page.count("<rect") == 90


def test_a_repository_nobody_fetched_says_so(client, repo):
    assert "Nobody has downloaded it yet" in client.get("/alice/bert/downloads").text
    assert "0 downloads in the last 30 days" in client.get("/alice/bert/downloads/recent").text


def test_the_page_costs_the_same_for_a_day_and_for_many(client, repo, django_assert_max_num_queries):
    today = timezone.now().date()
    for days in range(60):
        DownloadDay.objects.create(repo=repo, day=today - timedelta(days=days), client=Client.GIT, count=days + 1)
    client.get("/alice/bert/downloads")
    with django_assert_max_num_queries(4):
        client.get("/alice/bert/downloads")
