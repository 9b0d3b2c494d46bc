"""What leads from a file or folder to its history, its permanent address, and what can be done with it."""

import pytest

from models_hub import releasing


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"docs/a.txt": "a", "b.txt": "b"})


def test_a_folder_leads_to_its_history_its_commit_and_its_zip_file(client, model):
    page = client.get("/alice/bert/tree/main/docs").text
    for address in ("commits/main/docs", f"tree/{model.head}/docs", "archive/main/docs"):
        assert f'href="/alice/bert/{address}"' in page
    assert "data-permalink" in page


def test_a_file_leads_to_its_history_and_its_commit(client, model):
    page = client.get("/alice/bert/blob/main/b.txt").text
    assert 'href="/alice/bert/commits/main/b.txt"' in page
    assert f'href="/alice/bert/blob/{model.head}/b.txt"' in page
    assert "/archive/" not in page


def test_whoever_may_change_them_renames_and_deletes_folders(as_user, alice, model):
    page = as_user(alice).get("/alice/bert/tree/main/docs").text
    assert "/alice/bert/move/main/docs" in page
    assert "/alice/bert/removal/main/docs" in page


def test_an_earlier_version_is_restored_and_not_changed(as_user, alice, model):
    page = as_user(alice).get(f"/alice/bert/tree/{model.head}/docs").text
    assert f"/alice/bert/restoration/{model.head}/docs" in page
    assert "/alice/bert/move/" not in page
    assert "data-permalink" not in page


def test_the_facts_name_the_latest_release(client, alice, model):
    assert "Latest release" not in client.get("/alice/bert").text
    releasing.publish(model, by=alice, tag="v1.0.0", revision="main")
    assert "/alice/bert/releases/tag/v1.0.0" in client.get("/alice/bert").text
