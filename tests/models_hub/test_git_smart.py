"""git's HTTP as any client may speak it: who is let in, both protocols, odd requests, and bodies that lie."""

import base64
import gzip
import io

import pytest
from django.test import Client

from models_hub import moving, proposing, publishing, pushing
from models_hub.git import bodies, fetching, graph, pktlines, receiving, serving, smart
from models_hub.models import ZERO_OID, Ref
from models_hub.publishing import PutFile
from models_hub.pushing import RefCommand
from portal.models import AccessToken
from tests.models_hub.gitpacks import BLOB, COMMIT, TREE, commit_of, entry, oid_of, pack_of, tree_of
from tests.models_hub.wire import body_of

FLUSH, DELIMITER = b"0000", b"0001"
FETCH, PUSH = "/alice/bert/git-upload-pack", "/alice/bert/git-receive-pack"
HELLO = oid_of(BLOB, b"hello")
TREE_BODY = tree_of(("100644", b"a", HELLO))


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice, files={"a.txt": "1"})


@pytest.fixture
def key(alice, token_of):
    return basic(token_of(alice))


def basic(secret, name="anybody"):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def get(path, key=None, **headers):
    return Client().get(path, headers=headers | ({"Authorization": key} if key else {}))


def post(path, body, key=None, **headers):
    headers |= {"Authorization": key} if key else {}
    return Client().generic("POST", path, body, "application/x-git-request", headers=headers)


def lines(*texts):
    return b"".join(one if one in (FLUSH, DELIMITER) else pktlines.line(one) for one in texts)


def fetch(*arguments, key=None, command="fetch"):
    """A command of protocol 2, and its answer in one piece."""
    body = lines(f"command={command}\n", "agent=test", DELIMITER, *arguments, FLUSH)
    return body_of(post(FETCH, body, key, **{"Git-Protocol": "version=2"}))


def fetch_v0(*texts):
    return body_of(post(FETCH, lines(*texts)))


def sent(answer):
    """The pack of an answer with side bands, as ids."""
    read, pack = io.BytesIO(answer), b""
    for one in pktlines.lines(read.read):
        if isinstance(one, bytes) and one[:1] == b"\x01":
            pack += one[1:]
    return pack


def send(*commands, pack=b"", key, options="report-status side-band-64k", **headers):
    first, *others = [f"{old} {new} {name}" for old, new, name in commands]
    body = lines(f"{first}\0 {options}", *others, FLUSH) + pack
    return body_of(post(PUSH, body, key, **headers))


def new_commit(*parents):
    body = commit_of(oid_of(TREE, TREE_BODY), *parents)
    return oid_of(COMMIT, body), pack_of(entry(COMMIT, body), entry(TREE, TREE_BODY), entry(BLOB, b"hello"))


def test_anybody_may_read_what_is_public(repo):
    for path in ("/alice/bert", "/alice/bert.git", "/Alice/BERT"):
        answer = get(f"{path}/info/refs?service=git-upload-pack")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-git-upload-pack-advertisement")
        assert "no-cache" in answer["Cache-Control"]
        text = body_of(answer)
        assert text.startswith(b"001e# service=git-upload-pack\n0000")
        assert f"{repo.head} HEAD\0".encode() in text
        assert b"symref=HEAD:refs/heads/main" in text
    answer = get("/alice/bert/info/refs?service=git-upload-pack", **{"Git-Protocol": "version=2"})
    assert body_of(answer).startswith(b"000eversion 2\n")


@pytest.mark.parametrize(
    "address", ["info/refs?service=git-upload-pack", "info/refs?service=git-receive-pack", "git-upload-pack",
                "git-receive-pack", "info/refs"],
)  # fmt: skip
def test_private_looks_like_missing(alice, charlie, make_repo, token_of, address):
    make_repo(alice, "secret", private=True)
    call = get if "info" in address else lambda path, key=None: post(path, b"0000", key)
    key = basic(token_of(charlie))
    for caller, status in ((None, 401), (key, 404), (basic("hf_" + "x" * 37), 401), ("Basic !", 401)):
        answers = [call(f"/alice/{name}/{address}", caller) for name in ("secret", "missing")]
        first, second = ((one.status_code, one.content, {**one.headers, "X-Request-Id": ""}) for one in answers)
        assert first == second
        assert first[0] == status
        assert ("WWW-Authenticate" in first[2]) == (status == 401)


def test_a_push_needs_a_token_that_may_write(repo, alice, charlie, token_of):
    address = "/alice/bert/info/refs?service=git-receive-pack"
    assert get(address).status_code == 401
    assert get(address)["WWW-Authenticate"].startswith("Basic realm=")
    assert get(address, basic(token_of(charlie))).status_code == 403
    refused = get(address, basic(token_of(alice, "read")))
    assert (refused.status_code, "role “write”" in refused.content.decode()) == (403, True)
    for key in (basic(token_of(alice)), f"Bearer {token_of(alice)}", basic("", token_of(alice))):
        assert get(address, key).status_code == 200
    key = basic(token_of(alice))
    AccessToken.objects.all().update(revoked_at="2026-01-01T00:00:00Z")
    assert get(address, key).status_code == 401


def test_a_gated_repository_is_cloned_by_those_who_were_let_in(repo, alice, charlie, token_of):
    repo.gated = "manual"
    repo.save()
    address = "/alice/bert/info/refs?service=git-upload-pack"
    assert get(address).status_code == 401
    assert get(address, basic(token_of(charlie))).status_code == 403
    assert get(address, basic(token_of(alice))).status_code == 200
    assert post(FETCH, b"0000", basic(token_of(charlie))).status_code == 403


def test_other_methods_and_the_dumb_protocol_are_refused(repo, key):
    assert get(FETCH).status_code == 405
    assert get(PUSH, key).status_code == 405
    assert post("/alice/bert/info/refs", b"").status_code == 405
    answer = get("/alice/bert/info/refs")
    assert (answer.status_code, "smart HTTP" in answer.content.decode()) == (403, True)
    assert get("/alice/bert/HEAD").status_code == 404
    assert get("/alice/bert/objects/info/packs").status_code == 404


def test_the_pages_are_where_they_were(repo, alice, make_repo, as_user):
    make_repo(alice, "info")
    for page in ("/alice/bert", "/alice/info", "/alice/info/tree/main", "/alice/bert/tree/main", "/alice"):
        assert as_user(alice).get(page).status_code == 200


def test_git_asks_first_whether_it_may(repo, key):
    assert post(PUSH, b"0000").status_code == 401
    answer = post(PUSH, b"0000", key)
    assert (answer.status_code, body_of(answer), answer["Content-Type"]) == (
        200, b"", "application/x-git-receive-pack-result",
    )  # fmt: skip
    assert body_of(post(FETCH, b"0000")) == b""
    assert body_of(post(FETCH, b"0000", **{"Git-Protocol": "version=2"})) == b""


def test_references_are_listed_as_asked(repo, alice):
    pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/heads/dev", ZERO_OID, repo.head)])
    Ref.objects.create(repo=repo, name="refs/tags/v1", oid=repo.head, tag_oid="1" * 40)
    everything = fetch("peel", "symrefs", command="ls-refs").decode()
    assert f"{repo.head} HEAD symref-target:refs/heads/main\n" in everything
    assert f"{'1' * 40} refs/tags/v1 peeled:{repo.head}\n" in everything
    some = fetch("ref-prefix refs/heads/d", command="ls-refs").decode()
    assert some.endswith(f"{repo.head} refs/heads/dev\n0000")
    assert some.count("refs/") == 1
    assert fetch("ref-prefix no", command="ls-refs") == FLUSH
    old = body_of(get("/alice/bert/info/refs?service=git-upload-pack")).decode()
    assert f"{'1' * 40} refs/tags/v1\n" in old
    assert f"{repo.head} refs/tags/v1^{{}}\n" in old


def test_a_repository_without_branches_says_so(repo):
    Ref.objects.all().delete()
    assert fetch("unborn", "symrefs", command="ls-refs") == lines("unborn HEAD symref-target:refs/heads/main\n", FLUSH)
    assert ZERO_OID.encode() + b" capabilities^{}\0" in body_of(get("/alice/bert/info/refs?service=git-upload-pack"))


def test_both_sides_find_out_what_they_have(repo, alice):
    old = repo.head
    new = publishing.commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"2")], title="more").oid
    unknown = fetch(f"want {new}", f"have {'1' * 40}")
    assert unknown == lines("acknowledgments\n", "NAK\n", FLUSH)
    common = fetch(f"want {new}", f"have {'1' * 40}", f"have {old}")
    assert common.startswith(lines("acknowledgments\n", f"ACK {old}\n", "ready\n", DELIMITER, "packfile\n"))
    waiting = fetch(f"want {new}", f"have {old}", "wait-for-done")
    assert waiting == lines("acknowledgments\n", f"ACK {old}\n", FLUSH)
    # A client with `push.negotiate` asks for nothing else before it pushes.
    assert fetch(f"have {'1' * 40}", f"have {old}", "wait-for-done") == waiting
    assert fetch("wait-for-done") == FLUSH
    assert fetch(f"want {new}", f"have {old}", "done").startswith(lines("packfile\n"))
    assert len(sent(fetch(f"want {new}", f"have {old}", "done"))) < len(sent(fetch(f"want {new}", "done")))
    assert fetch("done") == FLUSH


def test_several_filters_leave_out_what_each_of_them_does(repo):
    everything, none = (sent(fetch(f"want {repo.head}", *asked, "done")) for asked in ((), ("filter tree:0",)))
    assert len(none) < len(everything)
    for both in ("blob:none+tree:0", "tree:2+blob:limit=1k+tree%3A0", "tree:0"):
        assert sent(fetch(f"want {repo.head}", f"filter combine:{both}", "done")) == none
    for odd in ("", "blob:none+", "combine:blob:none", "blob:none+sparse:oid=1"):
        assert b"is not known here" in fetch(f"want {repo.head}", f"filter combine:{odd}", "done")


def test_clients_of_the_first_protocol_are_served(repo, alice):
    old = repo.head
    new = publishing.commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"2")], title="more").oid
    plain = fetch_v0(f"want {new}\n", FLUSH, "done\n")
    assert plain.startswith(lines("NAK\n") + b"PACK")
    plain = fetch_v0(f"want {new}\n", FLUSH, f"have {old}\n", f"have {'1' * 40}\n", "done\n")
    assert plain.startswith(lines(f"ACK {old}\n") + b"PACK")
    assert fetch_v0(f"want {new}\n", FLUSH, f"have {'1' * 40}\n", FLUSH) == lines("NAK\n")
    detailed = f"want {new} multi_ack_detailed side-band-64k\n"
    talk = fetch_v0(detailed, FLUSH, f"have {old}\n", FLUSH)
    assert talk == lines(f"ACK {old} common\n", f"ACK {old} ready\n", "NAK\n")
    assert fetch_v0(detailed, FLUSH, f"have {old}\n", "done\n").startswith(lines(f"ACK {old} common\n", f"ACK {old}\n"))
    narrow = fetch_v0(f"want {new} side-band\n", FLUSH, "done\n")
    read = io.BytesIO(narrow)
    assert max(len(one) for one in pktlines.lines(read.read) if isinstance(one, bytes)) <= 996
    shallow = fetch_v0(f"want {new} side-band-64k\n", "deepen 1\n", FLUSH, "done\n")
    assert shallow.startswith(lines(f"shallow {new}", FLUSH, "NAK\n"))


@pytest.mark.parametrize(
    "arguments",
    [["want x"], ["want " + "1" * 40, "done"], ["want HEAD"], ["filter sparse:oid=1"], ["filter blob:limit=x"],
     ["deepen x"], ["deepen-more 1"], ["deepen-not nowhere"], [b"\xff\xfe"], ["deepen-since 99999999999", "done"]],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_in_words(repo, arguments):
    wants = (
        [] if arguments[0].startswith("want" if isinstance(arguments[0], str) else b"want") else [f"want {repo.head}"]
    )
    answer = fetch(*wants, *arguments)
    assert answer[4:8] == b"ERR "


@pytest.mark.parametrize("body", [b"zzzz", b"0003", b"0010short", b"00", b"000akomm", "００１０".encode(), b"fff1"])
def test_what_is_not_git_is_refused_in_words(repo, key, body):
    for path in (FETCH, PUSH):
        answer = post(path, body, key)
        assert (answer.status_code, body_of(answer)[4:8]) == (200, b"ERR ")
    assert body_of(post(FETCH, body, **{"Git-Protocol": "version=2"}))[4:8] == b"ERR "
    assert fetch(command="steal")[4:8] == b"ERR "


def test_a_request_costs_no_more_than_its_lines(repo, key, alice, monkeypatch):
    """Each of these is a small body, gzipped, that would keep a processor or memory busy for long."""
    new = publishing.commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"2")], title="more").oid
    gone_through = []
    meet = graph.Meeting.add
    monkeypatch.setattr(graph.Meeting, "add", lambda self, oid: (gone_through.append(oid), meet(self, oid)))
    rounds = [f"have {repo.head}\n", FLUSH] * 300
    assert fetch_v0(f"want {new} multi_ack_detailed\n", FLUSH, *rounds, "done\n").count(b" ready") == 300
    assert len(gone_through) == 1
    monkeypatch.setattr(fetching, "MAX_ROUNDS", 100)
    endless = fetch_v0(f"want {new} multi_ack_detailed\n", FLUSH, *[FLUSH] * 101, "done\n")
    assert endless[4:8] == b"ERR "
    assert b"at most 100" in fetch(f"want {new}", *["deepen-not main"] * 101, "done")
    monkeypatch.setattr(serving, "MAX_ARGUMENTS", 100)
    assert fetch(f"want {new}", *["x"] * 100)[4:8] == b"ERR "
    monkeypatch.setattr(receiving, "MAX_UNHEARD", 100)
    shallow = lines(*[f"shallow {'1' * 40}"] * 101, FLUSH)
    assert body_of(post(PUSH, shallow, key))[4:8] == b"ERR "
    told = lines(f"{ZERO_OID} {repo.head} refs/heads/x\0 report-status push-options", FLUSH, *["a"] * 101, FLUSH)
    assert body_of(post(PUSH, told, key))[4:8] == b"ERR "


def test_many_wanted_objects_are_no_failure_of_a_database(repo):
    """SQLite takes 250,000 values in one query, and others fewer."""
    wants = [f"want {n:040x}" for n in range(260_000)]
    assert b"no object with the id" in fetch(f"want {repo.head}", *wants, "deepen 1", "done")


def test_commits_that_never_landed_are_nobodys_to_fetch(repo, alice, make_repo):
    other = make_repo(alice, "other", private=True, files={"x": "2"})
    for oid in (other.head, oid_of(BLOB, b"2")):
        assert fetch(f"want {oid}", "done")[4:8] == b"ERR "


def test_bodies_may_be_gzipped_but_not_bombs(repo, monkeypatch):
    body = lines("command=ls-refs\n", DELIMITER, FLUSH)
    headers = {"Git-Protocol": "version=2", "Content-Encoding": "gzip"}
    assert repo.head.encode() in body_of(post(FETCH, gzip.compress(body), **headers))
    assert body_of(post(FETCH, gzip.compress(body)[:-12], **headers))[4:8] == b"ERR "
    assert body_of(post(FETCH, b"not gzip", **headers))[4:8] == b"ERR "
    assert post(FETCH, body, **headers | {"Content-Encoding": "br"}).status_code == 400
    monkeypatch.setattr(smart, "MAX_FETCH_BYTES", 100_000)
    bomb = gzip.compress(lines("command=ls-refs\n", DELIMITER) + pktlines.line(b"x" * 60_000) * 500 + FLUSH)
    assert b"more than 100000 bytes" in body_of(post(FETCH, bomb, **headers))


def test_a_body_in_chunks_is_read_where_the_server_says_it_ends(repo):
    body = lines("command=ls-refs\n", DELIMITER, FLUSH)
    environ = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = Client().generic("POST", FETCH, b"", HTTP_GIT_PROTOCOL="version=2", **environ)
    assert repo.head.encode() in body_of(answer)


def test_a_gzipped_body_never_unpacks_to_much_at_once(rf):
    packed = gzip.compress(bytes(50_000_000))
    request = rf.generic("POST", "/", packed, headers={"Content-Encoding": "gzip"})
    body = bodies.GitBody.of(request, 60_000_000)
    assert max(len(block) for block in body.rest()) <= bodies.BLOCK


def test_a_push_is_reported(repo, key):
    new, pack = new_commit(repo.head)
    assert (
        send((repo.head, new, "refs/heads/main"), pack=pack, key=key)
        == b"".join(pktlines.banded(1, [lines("unpack ok\n", "ok refs/heads/main\n") + FLUSH])) + FLUSH
    )
    assert Ref.objects.get().oid == new
    newer, pack = new_commit(new)
    plain = send((new, newer, "refs/heads/main"), pack=pack, key=key, options="report-status")
    assert plain == lines("unpack ok\n", "ok refs/heads/main\n", FLUSH)
    newest, pack = new_commit(newer)
    packed = lines(f"{newer} {newest} refs/heads/main\0report-status push-options", FLUSH, "ci.skip", FLUSH) + pack
    answer = post(PUSH, gzip.compress(packed), key, **{"Content-Encoding": "gzip"})
    assert body_of(answer) == lines("unpack ok\n", "ok refs/heads/main\n", FLUSH)


def test_a_refused_push_says_which_reference_is_at_fault(repo, key):
    new, pack = new_commit(repo.head)
    commands = [(ZERO_OID, new, "refs/heads/good"), (ZERO_OID, new, "refs/notes/bad")]
    answer = send(*commands, pack=pack, key=key).decode()
    assert "\x02error: “refs/notes/bad” cannot be pushed" in answer
    assert "ng refs/notes/bad “refs/notes/bad” cannot be pushed" in answer
    assert "ng refs/heads/good refused together with the others" in answer
    broken = send((ZERO_OID, new, "refs/heads/good"), pack=pack[:-1], key=key).decode()
    assert "unpack The pack is cut off or broken" in broken
    assert Ref.objects.count() == 1


def test_more_commands_than_can_be_meant_are_refused(repo, key):
    commands = [(ZERO_OID, repo.head, f"refs/heads/b{n}") for n in range(501)]
    assert b"at most 500" in send(*commands, key=key)
    twice = [(ZERO_OID, repo.head, "refs/heads/b"), (ZERO_OID, repo.head, "refs/heads/b")]
    assert b"once" in send(*twice, key=key, pack=pack_of())


def test_the_author_of_a_pull_request_pushes_to_it_and_nowhere_else(repo, charlie, bob, alice, token_of):
    key = basic(token_of(charlie))
    address = "/alice/bert/info/refs?service=git-receive-pack"
    assert get(address, key).status_code == 403
    pull = proposing.open_pull_request(repo=repo, by=charlie, title="Mine")
    assert get(address, key).status_code == 200
    new, pack = new_commit(repo.head)
    assert b"ng refs/heads/main" in send((repo.head, new, "refs/heads/main"), pack=pack, key=key)
    assert b"ok refs/pr/1" in send((repo.head, new, "refs/pr/1"), pack=pack, key=key)
    assert b"ng refs/pr/1" in send((new, ZERO_OID, "refs/pr/1"), key=key)
    proposing.change_status(pull, by=charlie, status="closed")
    newer, pack = new_commit(new)
    assert get(address, key).status_code == 403
    owner = basic(token_of(alice))
    assert b"ng refs/pr/1" in send((new, newer, "refs/pr/1"), pack=pack, key=owner)
    assert Ref.objects.get(name="refs/pr/1").oid == new


def test_a_renamed_repository_is_found_under_its_old_name(repo, alice):
    moving.move_repo(repo, by=alice, namespace="alice", name="ernie")
    answer = get("/alice/bert.git/info/refs?service=git-upload-pack")
    assert answer.status_code == 301
    assert answer["Location"] == "/alice/ernie.git/info/refs?service=git-upload-pack"


def test_listing_references_takes_the_same_queries_for_many(repo, django_assert_max_num_queries):
    Ref.objects.bulk_create(Ref(repo=repo, name=f"refs/heads/b{n}", oid=repo.head) for n in range(200))
    with django_assert_max_num_queries(4):
        assert fetch(command="ls-refs").count(b"refs/heads/") == 201
