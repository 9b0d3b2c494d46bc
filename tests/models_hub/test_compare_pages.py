"""Two revisions side by side: lines, fields, keys, tensors and stated scores."""

import json
import struct
from datetime import timedelta

import pytest
from django.utils import timezone

from models_hub import browsing, gating, publishing, referencing, tensor_diffs, tensor_numbers
from models_hub.changes import Delete, PutFile
from models_hub.models import Commit, TensorComparison
from portal.models import Job
from worker.attempts import Attempt, JobFailed
from worker.jobs import compare_tensors

CARD = """---
license: mit
language: [zh]
model-index:
- name: bert
  results:
  - task: {type: text-classification}
    dataset: {name: moods, type: moods}
    metrics:
    - {type: accuracy, value: %s}
---
# bert
"""


def weights(**tensors: tuple[str, list[int], bytes]) -> bytes:
    """A safetensors file of (dtype, shape, bytes)."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def floats(*numbers: float) -> tuple[str, list[int], bytes]:
    return "F32", [len(numbers)], struct.pack(f"<{len(numbers)}f", *numbers)


@pytest.fixture
def model(alice, make_repo):
    return make_repo(
        alice,
        "bert",
        files={
            "README.md": CARD % 0.8,
            "config.json": '{"hidden": 4, "labels": {"a": 0}, "list": [1, 2]}',
            "a.txt": "one\ntwo\n",
            "model.safetensors": weights(same=floats(1, 2), moved=floats(3, 4, 0, 0), gone=floats(1), other=floats(1)),
        },
    )


@pytest.fixture
def v1(model, alice):
    return referencing.create_tag(model, by=alice, name="v1")


@pytest.fixture
def changed(model, v1, alice):
    publishing.commit(
        repo=model,
        by=alice,
        title="All of it",
        changes=[
            PutFile("README.md", (CARD % 0.85).replace("license: mit", "license: apache-2.0").encode()),
            PutFile("config.json", b'{"hidden": 8, "labels": {"a": 0, "<b>": 1}, "list": [1, 2, 3]}'),
            PutFile("a.txt", b"one\n2\n"),
            PutFile(
                "model.safetensors",
                weights(same=floats(1, 2), moved=floats(3, 4, 5, 0), new=floats(7), other=("F16", [1], b"\0\x3c")),
            ),
        ],
    )
    return model


def test_lines_fields_keys_scores_and_tensors_are_compared(client, changed):
    page = client.get("/alice/bert/compare/v1...main").text
    for piece in (
        "4 files changed", "-two", "+2", "apache-2.0", "hidden", "labels.&lt;b&gt;", "[1, 2, 3]", "moods", "accuracy",
        "0.8", "0.85", "+0.05", "other shape or type", "25.0 %", "100.000 %",
        "1 changed, 1 the same to the last bit", "All of it",
    ):  # fmt: skip
        assert piece in page, piece
    assert "<b>" not in page.split('id="card-changed"')[1]


def test_large_files_show_size_and_digest_of_both_sides(client, changed):
    page = client.get("/alice/bert/compare/v1...main").text
    entries = [
        browsing.find(changed, browsing.resolve_revision(changed, name), "model.safetensors") for name in ("v1", "main")
    ]
    for entry in entries:
        assert entry.blob.sha256[:16] in page


def test_what_head_did_since_both_parted_and_all_that_differs(client, model, v1, alice):
    referencing.create_branch(model, by=alice, name="dev")
    publishing.commit(repo=model, by=alice, title="Dev", changes=[PutFile("dev.txt", b"dev")], branch="dev")
    publishing.commit(repo=model, by=alice, title="Main", changes=[PutFile("main.txt", b"main")])
    since = client.get("/alice/bert/compare/main...dev").text
    assert "dev.txt" in since
    assert "main.txt" not in since
    assert "1 commit of main is left out" in since
    direct = client.get("/alice/bert/compare/main..dev").text
    assert "dev.txt" in direct
    assert "main.txt" in direct


def test_a_pull_request_is_a_revision_to_compare(client, model, charlie):
    publishing.propose(repo=model, by=charlie, title="Mine", changes=[PutFile("mine.txt", b"x")])
    assert "mine.txt" in client.get("/alice/bert/compare/main...refs/pr/1").text


def test_the_chooser_leads_to_the_address_of_the_comparison(client, changed):
    answer = client.get("/alice/bert/compare", {"base": "v1", "head": "main"})
    assert answer.headers["Location"] == "/alice/bert/compare/v1...main"
    answer = client.get("/alice/bert/compare", {"base": "v1", "head": "a b?c", "how": "direct"})
    assert answer.headers["Location"] == "/alice/bert/compare/v1..a%20b%3Fc"
    assert 'name="head"' in client.get("/alice/bert/compare").text


@pytest.mark.parametrize("revisions", ["main...nowhere", "...", "x", "<script>...main", "a....b", "%00...main"])
def test_a_made_up_revision_is_404_or_nothing(client, model, revisions):
    answer = client.get(f"/alice/bert/compare/{revisions}")
    assert answer.status_code in {200, 404}
    assert "<script>..." not in answer.text


def test_the_same_revision_twice_has_nothing_to_compare(client, model):
    assert "There is nothing to compare" in client.get("/alice/bert/compare/main...main").text


def test_a_rename_is_told_as_one(client, model, alice):
    first = browsing.resolve_revision(model, "main")
    publishing.commit(repo=model, by=alice, title="Move", changes=[Delete("a.txt"), PutFile("b.txt", b"one\ntwo\n")])
    page = client.get(f"/alice/bert/compare/{first.oid}...main").text
    assert "1 file changed" in page
    assert "a.txt →" in page


def test_unreadable_cards_and_configs_are_left_to_their_lines(client, model, v1, alice):
    publishing.commit(
        repo=model,
        by=alice,
        title="Odd",
        changes=[PutFile("config.json", b"[" * 5000), PutFile(".eval_results/x.yaml", b"- [")],
    )
    page = client.get("/alice/bert/compare/v1...main").text
    assert 'id="config-1"' not in page
    assert "2 files changed" in page


def test_scores_of_eval_results_are_compared(client, model, v1, alice):
    result = b"- dataset: {id: moods/data, task_id: main}\n  value: 0.5\n"
    publishing.commit(repo=model, by=alice, title="Score", changes=[PutFile(".eval_results/moods.yaml", result)])
    page = client.get("/alice/bert/compare/v1...main").text
    assert "moods/data · main" in page


def test_large_weights_are_compared_by_a_job(client, as_user, alice, changed, monkeypatch):
    monkeypatch.setattr(tensor_diffs, "AT_ONCE", 0)
    assert "Sign in to have them compared" in client.get("/alice/bert/compare/v1...main").text
    browser = as_user(alice)
    assert "Compare the weights" in browser.get("/alice/bert/compare/v1...main").text

    answer = browser.post("/alice/bert/tensor-comparison/v1...main")
    assert answer.headers["Location"] == "/alice/bert/compare/v1...main#tensors"
    assert "are being compared" in browser.get("/alice/bert/compare/v1...main").text
    browser.post("/alice/bert/tensor-comparison/v1...main")
    job = Job.objects.get(kind="compare_tensors")
    job.state = Job.State.RUNNING
    job.save()
    compare_tensors.run(Attempt(job))

    job.refresh_from_db()
    assert (job.state, job.result["changed"], job.result["compared"]) == ("succeeded", 1, 2)
    assert "25.0 %" in client.get("/alice/bert/compare/v1...main").text


@pytest.mark.parametrize(
    ("dtype", "before", "after", "expected"),
    [
        ("F32", struct.pack("<2f", 3, 4), struct.pack("<2f", 3, 9), [0.5, 1.0]),
        ("F16", struct.pack("<2e", 3, 4), struct.pack("<2e", 3, 9), [0.5, 1.0]),
        ("BF16", b"\x40\x40\x80\x40", b"\x40\x40\x10\x41", [0.5, 1.0]),
        ("I8", b"\x03\x04", b"\x03\x09", [0.5, 1.0]),
        ("F8_E4M3", b"\x03\x04", b"\x03\x09", [0.5, None]),
        ("F32", struct.pack("<2f", 0, 0), struct.pack("<2f", 0, 1), [0.5, None]),
        ("F32", struct.pack("<2f", 1, float("nan")), struct.pack("<2f", 1, 1), [0.5, None]),
    ],
)
def test_numbers_of_each_format_are_read(alice, make_repo, dtype, before, after, expected):
    repo = make_repo(alice, "numbers", files={"m.safetensors": weights(t=(dtype, [2], before))})
    first = Commit.objects.get(repo=repo, oid=repo.head)
    second = publishing.commit(
        repo=repo, by=alice, title="Next", changes=[PutFile("m.safetensors", weights(t=(dtype, [2], after)))]
    )
    planned = tensor_diffs.between(repo, first, second)
    assert tensor_numbers.compare(planned.pairs, lambda _count: None) == {"t": expected}


def test_a_model_in_other_shards_has_the_same_tensors(client, model, v1, alice):
    publishing.commit(
        repo=model,
        by=alice,
        title="Shard",
        changes=[
            Delete("model.safetensors"),
            PutFile("model-1.safetensors", weights(same=floats(1, 2), moved=floats(3, 4, 0, 0))),
            PutFile("model-2.safetensors", weights(gone=floats(1), other=floats(1))),
        ],
    )
    page = client.get("/alice/bert/compare/v1...main").text
    assert "every tensor is the same to the last bit" in page


def test_what_was_compared_is_kept(client, changed, monkeypatch):
    client.get("/alice/bert/compare/v1...main")
    assert TensorComparison.objects.count() == 1
    monkeypatch.setattr(tensor_diffs, "compare", None)
    assert "25.0 %" in client.get("/alice/bert/compare/v1...main").text


def test_a_comparison_shows_content_so_a_gate_holds_it_back(client, as_user, alice, charlie, changed):
    gating.set_gate(changed, by=alice, gate="manual")
    for address in ("compare/v1...main", "compare"):
        assert client.get(f"/alice/bert/{address}").status_code == 403
    assert as_user(charlie).post("/alice/bert/tensor-comparison/v1...main").status_code == 403
    assert as_user(alice).get("/alice/bert/compare/v1...main").status_code == 200


def test_the_anonymous_start_no_jobs(client, changed):
    assert client.post("/alice/bert/tensor-comparison/v1...main").status_code == 302
    assert not Job.objects.exists()


def test_a_comparison_costs_the_same_for_many_files(client, alice, make_repo, django_assert_max_num_queries):
    repo = make_repo(alice, "wide", files={f"c{n}/config.json": "{}" for n in range(25)})
    first = repo.head
    publishing.commit(
        repo=repo, by=alice, title="Next", changes=[PutFile(f"c{n}/config.json", b'{"x": 1}') for n in range(25)]
    )
    with django_assert_max_num_queries(24):
        assert "25 files changed" in client.get(f"/alice/wide/compare/{first}...main").text


def test_comparisons_of_long_ago_are_forgotten(client, changed):
    client.get("/alice/bert/compare/v1...main")
    tensor_diffs.forget_old()
    assert TensorComparison.objects.exists()
    TensorComparison.objects.update(finished_at=timezone.now() - timedelta(days=91))
    tensor_diffs.forget_old()
    assert not TensorComparison.objects.exists()


def test_a_job_whose_revisions_are_gone_says_so(alice, model):
    job = Job.enqueue(
        tensor_diffs.KIND,
        spec={"repo": model.pk, "before": "0" * 40, "after": model.head, "page": "/"},
        owner=alice,
        title="gone",
    )
    with pytest.raises(JobFailed, match="no longer there"):
        compare_tensors.run(Attempt(job))
