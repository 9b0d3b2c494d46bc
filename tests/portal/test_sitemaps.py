"""What search engines find: public pages, in files that are ranges of rows."""

import re

import pytest

from forum import discussing
from portal import sitemaps


def found(client, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/xml")
    return re.findall(r"<loc>http://testserver([^<]*)</loc>", answer.text)


@pytest.fixture
def pages(client):
    """Every address that the files hold, by following the index as a search engine does."""

    def walk() -> list[str]:
        return [path for file in found(client, "/sitemap.xml") for path in found(client, file)]

    return walk


def test_public_pages_are_found_and_private_ones_are_not(pages, alice, bob, make_repo):
    seen, hidden = make_repo(alice, "seen"), make_repo(alice, "secret", private=True)
    discussing.open_discussion(repo=seen, by=bob, title="Hello", text="A word about it.")
    discussing.open_discussion(repo=hidden, by=alice, title="Hush", text="Nobody reads this.")
    told = pages()
    assert {"/models", "/alice/seen", "/alice/seen/discussions/1"} <= set(told)
    assert not [path for path in told if "secret" in path]


def test_a_file_is_a_range_of_rows(pages, alice, make_repo, client, monkeypatch):
    monkeypatch.setattr(sitemaps, "SIZE", 1)
    for name in ("one", "two", "three"):
        make_repo(alice, name)
    files = [path for path in found(client, "/sitemap.xml") if "repositories" in path]
    assert len(files) >= 3
    assert [one for path in files for one in found(client, path)] == ["/alice/one", "/alice/two", "/alice/three"]
    assert client.get("/sitemaps/repositories-999.xml").status_code == 404
    assert client.get("/sitemaps/secrets-1.xml").status_code == 404


def test_robots_are_told_what_to_leave_alone(client):
    told = client.get("/robots.txt").text.splitlines()
    assert "Disallow: /settings/" in told
    assert told[-1] == "Sitemap: http://testserver/sitemap.xml"
