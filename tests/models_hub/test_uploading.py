"""Uploads in checked parts, as the page of the browser and other programs send them."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from models_hub import (
    browsing,
    collecting,
    contents,
    moving,
    proposing,
    publishing,
    quotas,
    trash,
    upload_commits,
    uploading,
)
from models_hub.models import QuotaAccount, Repo, Upload, UploadFile
from models_hub.storage import arriving_files
from tests.evaluating import safetensors

PART = 1000
SMALL, LARGE = b"hello\n", bytes(range(256)) * 10  # one part, and three parts of binary content


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(uploading, "PART_BYTES", PART)


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Sender:
    """A browser that sends files to a repository."""

    def __init__(self, client: Any, repo: str = "alice/bert") -> None:
        self.client, self.address = client, f"/api/v1/models/{repo}/uploads"
        self.key = ""

    def begin(self, files: dict[str, bytes], **fields: object) -> Any:
        rows = [{"path": path, "size": len(data), "modified": 5} for path, data in files.items()]
        answer = self.client.post(self.address, {"files": rows, **fields}, content_type="application/json")
        self.key = answer.json().get("key", "")
        return answer

    def send(self, *parts: tuple[int, int, bytes], **wrong: Any) -> Any:
        head = [[file, number, len(data), wrong.get("sha256", sha(data))] for file, number, data in parts]
        body = json.dumps(head).encode() + b"\n" + b"".join(data for _file, _number, data in parts)
        return self.client.put(f"/api/v1/uploads/{self.key}/parts", body, content_type="application/octet-stream")

    def send_all(self, file: int, data: bytes) -> None:
        for number, start in enumerate(range(0, len(data), PART)):
            assert self.send((file, number, data[start : start + PART])).status_code == 204

    def verify(self, file: int, sha256: str) -> Any:
        address = f"/api/v1/uploads/{self.key}/files/{file}/digest"
        return self.client.put(address, {"sha256": sha256}, content_type="application/json")

    def state(self) -> Any:
        return self.client.get(f"/api/v1/uploads/{self.key}")

    def commit(self, **fields: object) -> Any:
        fields = {"title": "Upload", **fields}
        return self.client.post(f"/api/v1/uploads/{self.key}/commit", fields, content_type="application/json")


@pytest.fixture
def sender(as_user, alice, model):
    return Sender(as_user(alice))


@pytest.fixture
def halfway(sender):
    """One of two files has come, and the first part of the other."""
    sender.begin({"a.txt": SMALL, "w.bin": LARGE})
    sender.send((0, 0, SMALL))
    sender.send((1, 0, LARGE[:PART]))
    return sender


@pytest.fixture
def arrived(halfway):
    halfway.send_all(1, LARGE)
    assert halfway.verify(1, sha(LARGE)).status_code == 204
    return halfway


def paths(repo: Repo, revision: str = "main") -> list[str]:
    entries = browsing.list_folder(repo, browsing.resolve_revision(repo, revision), recursive=True)
    return [entry.path for entry in entries if not entry.is_folder]


def used(repo: Repo) -> int:
    return QuotaAccount.objects.get(namespace=repo.namespace).used


def test_all_files_become_one_commit_and_arrive_intact(arrived, alice, model):
    done = arrived.commit(title="Both", description="of them").json()
    assert done["page"] == "/alice/bert/tree/main"
    head = browsing.resolve_revision(model, "main")
    assert (head.oid, head.title, head.description, head.author) == (done["commit_oid"], "Both", "of them", alice)
    blob = browsing.find(model, head, "w.bin").blob
    assert blob is not None
    assert b"".join(contents.stream(blob)) == LARGE
    assert publishing.head_file(model, "a.txt", head) == SMALL
    assert arriving_files().keys_there() == []


def test_the_commit_is_made_once_however_often_it_is_asked_for(arrived, model):
    assert arrived.commit().json() == arrived.commit().json()
    assert model.commits.count() == 2
    assert arrived.send((1, 0, LARGE[:PART])).status_code == 409


def test_parts_may_come_in_any_order_and_again(sender):
    sender.begin({"w.bin": LARGE})
    for number in (2, 0, 2, 1):
        assert sender.send((0, number, LARGE[number * PART : (number + 1) * PART])).status_code == 204
    assert sender.state().json()["files"][0]["received"] == [[0, 3]]
    assert sender.verify(0, sha(LARGE)).status_code == 204


def test_the_state_says_what_has_come(halfway):
    first, second = halfway.state().json()["files"]
    assert (first["path"], first["modified"], first["sha256"]) == ("a.txt", 5, sha(SMALL))
    assert (second["received"], second["first_sha256"], second["sha256"]) == ([[0, 1]], sha(LARGE[:PART]), "")
    assert halfway.state().json()["received_bytes"] == len(SMALL) + PART


def test_a_part_with_a_wrong_digest_is_refused_and_those_before_it_stay(sender):
    sender.begin({"a.txt": SMALL, "w.bin": LARGE})
    answer = sender.send((1, 0, LARGE[:PART]), sha256=sha(b"other"))
    assert (answer.status_code, answer.json()["code"]) == (400, "content_mismatch")
    assert sender.state().json()["files"][1]["received"] == []


@pytest.mark.parametrize("part", [(1, 0, b"short"), (1, 2, LARGE[:PART]), (0, 0, LARGE[:PART])])
def test_a_part_of_another_length_than_its_place_has_is_refused(sender, part):
    sender.begin({"a.txt": SMALL, "w.bin": LARGE})
    assert sender.send(part).status_code == 400


@pytest.mark.parametrize("part", [(0, 1, SMALL), (7, 0, SMALL), (1, 3, SMALL)])
def test_a_part_that_no_file_has_is_404(sender, part):
    sender.begin({"a.txt": SMALL, "w.bin": LARGE})
    assert sender.send(part).status_code == 404


@pytest.mark.parametrize("body", [b"", b"no line", b"{}\n", b"[1]\n", b"[[0,0,-1,2]]\n", b"[" * 70_000, b"[]\n"])
def test_a_body_without_a_proper_head_is_refused(sender, body):
    sender.begin({"a.txt": SMALL})
    address = f"/api/v1/uploads/{sender.key}/parts"
    assert sender.client.put(address, body, content_type="application/octet-stream").status_code == 400


def test_a_body_that_ends_early_is_refused(sender):
    sender.begin({"a.txt": SMALL})
    body = json.dumps([[0, 0, len(SMALL), sha(SMALL)]]).encode() + b"\nhe"
    address = f"/api/v1/uploads/{sender.key}/parts"
    assert sender.client.put(address, body, content_type="application/octet-stream").status_code == 400


def test_a_part_that_comes_again_with_other_content_says_that_the_file_has_changed(halfway):
    answer = halfway.send((1, 0, b"x" * PART))
    assert (answer.status_code, answer.json()["code"]) == (409, "part_differs")
    assert halfway.client.delete(f"/api/v1/uploads/{halfway.key}/files/1/parts").status_code == 204
    assert halfway.send((1, 0, b"x" * PART)).status_code == 204


def test_a_wrong_digest_of_the_whole_forgets_its_parts(halfway, model):
    halfway.send_all(1, LARGE)
    assert halfway.verify(1, sha(b"other")).json()["code"] == "content_mismatch"
    assert halfway.state().json()["files"][1]["received"] == []
    assert halfway.commit().status_code == 409
    halfway.send_all(1, LARGE)
    assert halfway.verify(1, sha(LARGE)).status_code == 204
    assert halfway.commit().status_code == 200


def test_a_file_that_lacks_parts_is_not_verified(halfway):
    assert halfway.verify(1, sha(LARGE)).status_code == 409


def test_the_same_parts_from_two_tabs_do_no_harm(as_user, alice, halfway, model):
    other = Sender(as_user(alice))
    other.key = halfway.key
    other.send_all(1, LARGE)
    halfway.send_all(1, LARGE)
    assert [tab.verify(1, sha(LARGE)).status_code for tab in (other, halfway)] == [204, 204]
    assert [tab.commit().status_code for tab in (other, halfway)] == [200, 200]
    assert model.commits.count() == 2


def test_what_is_being_published_is_left_alone_by_others(arrived):
    with arriving_files().hold(arrived.key, "publishing"):
        assert arrived.commit().json()["code"] == "upload_busy"
        assert arrived.send((1, 0, LARGE[:PART])).json()["code"] == "upload_busy"
    assert arrived.commit().status_code == 200


@pytest.mark.parametrize("name", ["bob", "charlie", None])
def test_an_upload_is_seen_by_its_sender_alone(request, as_user, halfway, bob, charlie, name):
    other = Sender(as_user({"bob": bob, "charlie": charlie}.get(name)))
    other.key = halfway.key
    expected = 404 if name else 401
    assert other.state().status_code == 404
    for answer in (other.send((1, 1, LARGE[PART : 2 * PART])), other.verify(1, sha(LARGE)), other.commit()):
        assert answer.status_code in {expected, 403}
    assert other.client.delete(f"/api/v1/uploads/{halfway.key}").status_code in {expected, 403}
    assert other.client.get(halfway.address).json() == []
    assert halfway.state().status_code == 200


def test_a_deleted_repository_has_no_uploads(halfway, model, alice):
    trash.delete(model, by=alice)
    assert halfway.state().status_code == 404
    assert halfway.send((1, 1, LARGE[PART : 2 * PART])).status_code == 404


def test_what_was_sent_to_an_erased_repository_is_swept(halfway, model, alice):
    publishing.delete_repo(model, by=alice)
    uploading.sweep()
    assert arriving_files().keys_there() == []
    assert used(model) == 0


def test_an_upload_follows_a_repository_that_moves_and_so_does_its_room(halfway, model, alice, team):
    moving.move_repo(model, by=alice, namespace="team", name="roberta")
    halfway.send_all(1, LARGE)
    assert halfway.verify(1, sha(LARGE)).status_code == 204
    assert halfway.commit().json()["page"] == "/team/roberta/tree/main"
    model.refresh_from_db()
    assert used(model) == quotas.recount(model.namespace_id)


def test_a_repository_made_private_hides_the_upload_of_a_stranger(as_user, charlie, model, alice):
    sender = Sender(as_user(charlie))
    sender.begin({"w.bin": LARGE})
    publishing.set_private(model, by=alice, private=True)
    assert sender.state().status_code == 404
    assert sender.send((0, 0, LARGE[:PART])).status_code == 404
    assert sender.commit().status_code == 404


def test_who_lost_the_right_to_write_may_only_propose(as_user, alice, bob, team, make_repo):
    repo = make_repo(alice, "shared", namespace="team")
    sender = Sender(as_user(bob), "team/shared")
    sender.begin({"a.txt": SMALL})
    sender.send((0, 0, SMALL))
    team.memberships.filter(user=bob).delete()
    assert sender.commit().json()["page"] == "/team/shared/discussions/1"
    assert "a.txt" not in paths(repo)


def test_a_stranger_s_upload_becomes_a_pull_request(as_user, charlie, model):
    sender = Sender(as_user(charlie))
    sender.begin({"a.txt": SMALL})
    sender.send((0, 0, SMALL))
    assert sender.commit().json()["page"] == "/alice/bert/discussions/1"
    assert paths(model, "refs/pr/1") == [".gitattributes", "a.txt"]


def test_strangers_keep_only_so_much_waiting(as_user, charlie, model, monkeypatch):
    monkeypatch.setattr(proposing, "MAX_BYTES_PER_PROPOSER", len(LARGE) + 10)
    sender = Sender(as_user(charlie))
    assert sender.begin({"w.bin": LARGE}).status_code == 201
    assert sender.begin({"w.bin": LARGE}).status_code == 507


def test_nobody_keeps_many_uploads_waiting(sender):
    for _number in range(uploading.MAX_UNFINISHED):
        assert sender.begin({"a.txt": SMALL}).status_code == 201
    assert sender.begin({"a.txt": SMALL}).status_code == 507


def test_room_is_set_aside_at_the_beginning_and_given_back(sender, model):
    before = used(model)
    sender.begin({"w.bin": LARGE})
    assert used(model) == before + len(LARGE)
    assert sender.client.delete(f"/api/v1/uploads/{sender.key}").status_code == 204
    assert used(model) == before == quotas.recount(model.namespace_id)


def test_what_cannot_fit_is_refused_before_a_byte_is_sent(sender, model):
    QuotaAccount.objects.update(limit=used(model) + 100)
    assert sender.begin({"w.bin": LARGE}).json()["code"] == "storage_full"
    assert not Upload.objects.exists()


def test_a_limit_lowered_in_the_middle_refuses_the_commit_and_keeps_what_has_come(arrived, model):
    before = used(model)
    QuotaAccount.objects.update(limit=100)
    assert arrived.commit().json()["code"] == "storage_full"
    QuotaAccount.objects.update(limit=None)
    assert arrived.state().json()["received_bytes"] == len(SMALL) + len(LARGE)
    assert arrived.commit().status_code == 200
    assert used(model) == quotas.recount(model.namespace_id) > before


def test_a_refused_commit_may_be_tried_again(sender, model):
    weights = safetensors(1, 2, 3)
    sender.begin({"model.safetensors": weights, "README.md": b"---\na: [\n---\n"})
    sender.send((0, 0, weights), (1, 0, b"---\na: [\n---\n"))
    assert sender.commit().status_code == 400
    assert paths(model) == [".gitattributes"]
    assert sender.client.delete(f"/api/v1/uploads/{sender.key}/files/1/parts").status_code == 204
    assert used(model) == quotas.recount(model.namespace_id)


def test_content_that_the_repository_has_need_not_be_sent_again(arrived, model):
    arrived.commit()
    arrived.begin({"copy.bin": LARGE, "other.bin": LARGE[1:] + b"!"})
    assert [file["may_be_here"] for file in arrived.state().json()["files"]] == [True, True]
    assert arrived.verify(0, sha(LARGE)).status_code == 204
    assert arrived.verify(1, sha(LARGE[1:] + b"!")).status_code == 409
    assert arrived.state().json()["files"][0]["sha256"] == sha(LARGE)


def test_knowing_the_digest_of_what_another_repository_has_gives_nothing(arrived, as_user, charlie, make_repo):
    arrived.commit()
    make_repo(charlie, "own")
    other = Sender(as_user(charlie), "charlie/own")
    other.begin({"w.bin": LARGE})
    assert other.state().json()["files"][0]["may_be_here"] is False
    assert other.verify(0, sha(LARGE)).status_code == 409


def test_content_that_was_collected_meanwhile_must_be_sent_again(arrived, model):
    UploadFile.objects.filter(number=1).update(is_kept=True)
    assert arrived.commit().json()["code"] == "content_lost"
    assert arrived.state().json()["files"][1]["received"] == []


def test_a_kill_between_the_move_and_the_commit_loses_nothing(arrived, model, monkeypatch):
    def killed(**_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "commit", lambda changes, **_rest: killed(all=list(changes)))
        with pytest.raises(KeyboardInterrupt):
            upload_commits.publish(Upload.objects.get(), title="Upload")
    assert UploadFile.objects.get(number=1).is_kept
    assert arrived.commit().status_code == 200
    assert used(model) == quotas.recount(model.namespace_id)


def test_empty_files_need_no_parts(sender, model):
    sender.begin({"empty.txt": b""})
    assert sender.commit().status_code == 200
    assert "empty.txt" in paths(model)


@pytest.mark.parametrize("path", ["../a", ".git/config", "a//b", "", "a\\b"])
def test_paths_are_checked_at_the_beginning(sender, path):
    assert sender.begin({path: SMALL}).status_code == 400


@pytest.mark.parametrize(
    "files", [[], [{"path": "a", "size": -1}], [{"path": "a", "size": 1}, {"path": "a", "size": 2}], 5]
)
def test_a_list_of_files_must_make_sense(sender, files):
    answer = sender.client.post(sender.address, {"files": files}, content_type="application/json")
    assert answer.status_code == 400


def test_what_nobody_goes_on_with_is_forgotten(halfway, model):
    before = used(model)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert halfway.state().status_code == 404
    collecting.collect()
    assert not Upload.objects.exists()
    assert arriving_files().keys_there() == []
    assert used(model) == before - len(SMALL) - len(LARGE) == quotas.recount(model.namespace_id)


def test_the_collector_leaves_unfinished_uploads_their_room(halfway, model):
    before = used(model)
    model.reservations.update(created_at=timezone.now() - timedelta(days=3))
    collecting.collect()
    assert used(model) == before
    assert halfway.state().status_code == 200


def test_the_number_of_files_does_not_change_the_number_of_queries(sender, django_assert_max_num_queries):
    sender.begin({f"{number}.txt": SMALL for number in range(200)})
    with django_assert_max_num_queries(25):
        sender.send(*((number, 0, SMALL) for number in range(200)))
    with django_assert_max_num_queries(12):
        assert len(sender.state().json()["files"]) == 200


def test_a_token_that_may_only_read_sends_nothing(client, alice, model, token_of):
    headers = {"Authorization": f"Bearer {token_of(alice, role='read')}"}
    body = {"files": [{"path": "a.txt", "size": 1}]}
    address = "/api/v1/models/alice/bert/uploads"
    assert client.post(address, body, content_type="application/json", headers=headers).status_code == 403
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    assert client.post(address, body, content_type="application/json", headers=headers).status_code == 201
