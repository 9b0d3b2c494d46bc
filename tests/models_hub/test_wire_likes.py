"""Likes and downloads: given, counted, and turned into a trend that fades."""

from datetime import timedelta

import pytest
from django.utils import timezone

from models_hub import downloading, liking, trending
from models_hub.models import Download, DownloadDay, Like, Repo
from portal.models import Event, User
from tests.models_hub.wire import Wire

LIKE = "/api/models/alice/bert/like"


def names(response):
    return [row["user"] for row in response.json()]


def test_a_like_is_counted_once_and_taken_back(alice, charlie, make_repo, token_of):
    repo = make_repo(alice)
    wire = Wire(token_of(charlie))
    assert [wire.post(LIKE).json()["likes"] for _n in range(2)] == [1, 1]
    assert Wire().get("/api/models/alice/bert").json()["likes"] == 1
    [liker] = Wire().get("/api/models/alice/bert/likers").json()
    assert liker["user"] == "charlie"
    assert liker["avatarUrl"] == "http://portal.example/avatars/charlie"
    assert [wire.call("DELETE", LIKE).json()["likes"] for _n in range(2)] == [0, 0]
    repo.refresh_from_db()
    assert (repo.likes, repo.trend) == (0, 0.0)
    assert list(Event.objects.filter(kind__contains="liked").values_list("kind", flat=True)) == [
        "repo.liked",
        "repo.unliked",
    ]


def test_likes_need_a_person_who_may_write(alice, make_repo, token_of):
    make_repo(alice)
    assert Wire().post(LIKE).status_code == 401
    assert Wire(token_of(alice, "read")).post(LIKE).status_code == 403
    assert Wire(token_of(alice)).post("/api/models/alice/none/like")["X-Error-Code"] == "RepoNotFound"
    assert not Like.objects.exists()


def test_a_private_repository_shows_in_no_list_of_likes(alice, charlie, make_repo, token_of):
    repo = make_repo(alice)
    liking.like(repo, by=charlie)
    liking.like(make_repo(alice, "words", kind="dataset"), by=charlie)
    Repo.objects.filter(pk=repo.pk).update(private=True)
    shown = [row["repo"] for row in Wire().get("/api/users/charlie/likes").json()]
    assert shown == [{"name": "alice/words", "type": "dataset"}]
    assert len(Wire(token_of(alice)).get("/api/users/charlie/likes").json()) == 2
    for path in ("like", "likers"):
        method = "DELETE" if path == "like" else "GET"
        hidden, missing = (
            Wire(token_of(charlie)).call(method, f"/api/models/alice/{name}/{path}") for name in ("bert", "none")
        )
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content) == (404, missing.content)


def test_the_likes_of_nobody_are_not_found(db):
    assert Wire().get("/api/users/nobody/likes").status_code == 404


def test_likers_come_in_pages(alice, bob, charlie, make_repo):
    repo = make_repo(alice)
    for user in (alice, bob, charlie):
        liking.like(repo, by=user)
    first = Wire().get("/api/models/alice/bert/likers?limit=2")
    assert names(first) == ["charlie", "bob"]
    following = first["Link"].partition(">")[0].removeprefix("<http://portal.example")
    last = Wire().get(following)
    assert (names(last), "Link" in last) == (["alice"], False)
    User.objects.filter(pk=bob.pk).update(shows_likes=False)
    assert names(Wire().get("/api/models/alice/bert/likers")) == ["charlie", "alice"]


def test_lists_sort_by_likes_and_by_trend(alice, bob, charlie, make_repo):
    old, new = make_repo(alice, "old"), make_repo(alice, "new")
    for user in (alice, bob):
        liking.like(old, by=user)
    liking.like(new, by=charlie)
    Repo.objects.filter(pk=old.pk).update(trend=old.trend - 5)  # five weeks ago
    assert [row["id"] for row in Wire().get("/api/models?sort=likes").json()] == ["alice/old", "alice/new"]
    assert [row["id"] for row in Wire().get("/api/models?sort=trendingScore").json()] == ["alice/new", "alice/old"]
    assert [row["trendingScore"] for row in Wire().get("/api/models?expand=trendingScore").json()] == [1, 0]


def test_attention_halves_every_week_and_keeps_its_order():
    now = timezone.now()
    one = trending.raised(0.0, 8.0, at=now)
    assert trending.score(one, now=now) == 8
    assert trending.score(one, now=now + 2 * trending.HALF_LIFE) == 2
    both = trending.raised(one, 4.0, at=now + trending.HALF_LIFE)
    assert trending.score(both, now=now + trending.HALF_LIFE) == 8
    assert trending.raised(both, -4.0, at=now + trending.HALF_LIFE) == pytest.approx(one)
    assert trending.raised(one, -8.0, at=now) == 0.0
    late = trending.raised(both, 1.0, at=now - 300 * trending.HALF_LIFE)
    assert late == pytest.approx(both)


def downloads(path="/api/models/alice/bert"):
    shown = Wire().get(f"{path}?expand=downloads&expand=downloadsAllTime").json()
    return shown["downloads"], shown["downloadsAllTime"]


def test_a_download_counts_once_for_each_caller_and_day(alice, charlie, make_repo, token_of):
    make_repo(alice, files={"config.json": "{}", "a.txt": "a"})
    for wire in (Wire(), Wire(), Wire(token_of(charlie)), Wire(token_of(charlie))):
        wire.head("/alice/bert/resolve/main/config.json")
        wire.get("/alice/bert/resolve/main/config.json")
    assert downloads() == (2, 2)
    assert not Download.objects.filter(caller__contains="charlie").exists()


def test_the_header_of_clients_makes_any_file_a_download(alice, make_repo):
    make_repo(alice, files={"a.txt": "a"})
    Wire().get("/alice/bert/resolve/main/a.txt")
    assert downloads() == (0, 0)
    Wire().head("/alice/bert/resolve/main/a.txt", **{"X-HF-Download-Counter": "1"})
    assert downloads() == (1, 1)


def test_what_is_not_found_or_shut_is_no_download(alice, make_repo):
    repo = make_repo(alice, files={"config.json": "{}"})
    Wire().get("/alice/bert/resolve/main/adapter_config.json")
    Wire().get("/alice/bert/resolve/no/config.json")
    Repo.objects.filter(pk=repo.pk).update(gated="auto")
    Wire().get("/alice/bert/resolve/main/config.json")
    assert downloads() == (0, 0)


def test_data_files_count_for_data_sets(alice, make_repo):
    make_repo(alice, "cars", kind="dataset", files={"train.csv": "a,b\n", "README.md": "# Cars"})
    Wire().get("/datasets/alice/cars/resolve/main/README.md")
    assert downloads("/api/datasets/alice/cars") == (0, 0)
    Wire().get("/datasets/alice/cars/resolve/main/train.csv")
    assert downloads("/api/datasets/alice/cars") == (1, 1)


def test_a_later_request_of_the_day_writes_nothing(alice, make_repo, django_assert_num_queries):
    repo = make_repo(alice, files={"config.json": "{}"})
    downloading.note(repo, by=alice, address="")
    with django_assert_num_queries(0):
        downloading.note(repo, by=alice, address="")
    downloading.forget_counted()
    with django_assert_num_queries(1):
        downloading.note(repo, by=alice, address="")
    assert DownloadDay.objects.get().count == 1


def test_downloads_leave_the_count_after_thirty_days(alice, bob, make_repo):
    repo = make_repo(alice)
    today = timezone.now().date()
    downloading.note(repo, by=alice, address="")
    DownloadDay.objects.create(repo=repo, day=today - timedelta(days=29), count=3)
    DownloadDay.objects.create(repo=repo, day=today - timedelta(days=30), count=5)
    Repo.objects.filter(pk=repo.pk).update(downloads=9, downloads_all_time=9)
    Download.objects.create(repo=repo, day=today - timedelta(days=2), caller="x")
    downloading.forget_old()
    assert downloads() == (4, 9)
    assert Download.objects.get().day == today
