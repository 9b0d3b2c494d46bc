"""The real HfApi about repositories as wholes: moved, gated, liked, squashed, duplicated, listed."""

import pytest

from tests.live import LivePortal
from tests.wire.clients import Machine

pytestmark = pytest.mark.live


@pytest.fixture
def people(live_portal: LivePortal, tmp_path):
    """Alice's machine and Charlie's token."""
    machine = Machine(live_portal, tmp_path, live_portal.user("alice"))
    return machine, live_portal.user("charlie")


def test_a_repository_is_moved_and_found_by_its_old_name(people):
    machine, _charlie = people
    machine.python(
        """
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
        api = HfApi()
        api.create_repo("alice/before-move")
        api.upload_file(path_or_fileobj=b"words", path_in_repo="a.txt", repo_id="alice/before-move")
        api.move_repo("alice/before-move", "alice/after-move")
        assert api.model_info("alice/before-move").id == "alice/after-move"
        assert api.repo_exists("alice/before-move") and api.list_repo_files("alice/before-move")
        assert open(hf_hub_download("alice/before-move", "a.txt")).read() == "words"
        made = api.upload_file(path_or_fileobj=b"more", path_in_repo="b.txt", repo_id="alice/before-move")
        assert made.oid == api.model_info("alice/after-move").sha
        weights = api.upload_file(path_or_fileobj=b"w" * 3000, path_in_repo="w.bin", repo_id="alice/before-move")
        assert weights.oid == api.model_info("alice/after-move").sha
        api.create_repo("alice/taken-name")
        try:
            api.move_repo("alice/taken-name", "alice/after-move")
        except HfHubHTTPError as error:
            assert error.response.status_code == 409
            assert "A model repository called alice/after-move already exists" in str(error)
        else:
            raise AssertionError
        try:
            api.move_repo("alice/not-there", "alice/x")
        except RepositoryNotFoundError:
            pass
        else:
            raise AssertionError
        """
    )


def test_a_gated_repository_lets_in_whom_its_owner_accepts(people):
    machine, charlie = people
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, get_session, hf_hub_url, hf_raise_for_status
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError
        api, other, nobody = HfApi(), HfApi(token=sys.argv[1]), HfApi(token=False)
        repo = "alice/gated-model"
        api.create_repo(repo)
        api.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id=repo)
        api.update_repo_settings(repo, gated="manual")
        assert api.model_info(repo).gated == "manual"

        def is_shut(client):
            try:
                client.auth_check(repo)
            except GatedRepoError:
                pass
            else:
                return False
            try:
                client.get_hf_file_metadata(url=hf_hub_url(repo, "config.json"))
            except GatedRepoError:
                return True
            raise AssertionError

        assert is_shut(other) and is_shut(nobody) and not is_shut(api)
        assert other.list_repo_files(repo) and other.model_info(repo).sha
        url = f"{api.endpoint}/api/models/{repo}/user-access-request"
        hf_raise_for_status(get_session().post(url, json={}, headers={"authorization": f"Bearer {sys.argv[1]}"}))
        (request,) = api.list_pending_access_requests(repo)
        assert (request.username, request.status, request.email) == ("charlie", "pending", "charlie@example.org")
        api.accept_access_request(repo, "charlie")
        assert not is_shut(other) and not list(api.list_pending_access_requests(repo))
        (request,) = api.list_accepted_access_requests(repo)
        api.cancel_access_request(repo, request_id=request.request_id)
        assert is_shut(other)
        api.reject_access_request(repo, "charlie", rejection_reason="No.")
        assert [row.username for row in api.list_rejected_access_requests(repo)] == ["charlie"]
        api.grant_access(repo, "charlie")
        assert not is_shut(other)
        for act, status in ((lambda: api.grant_access(repo, "charlie"), 400),
                            (lambda: api.grant_access(repo, "nobody-at-all"), 404),
                            (lambda: other.grant_access(repo, "alice"), 403),
                            (lambda: api.accept_access_request(repo, "charlie"), 404)):
            try:
                act()
            except HfHubHTTPError as error:
                assert error.response.status_code == status, error
            else:
                raise AssertionError(status)
        api.update_repo_settings(repo, gated=False)
        assert not is_shut(nobody)
        """,
        charlie,
    )


def test_likes_lists_and_filters(people):
    machine, charlie = people
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, get_session, hf_raise_for_status
        api, other = HfApi(), HfApi(token=sys.argv[1])
        for n in range(3):
            api.create_repo(f"alice/shelf-{n}")
        card = b"---\\nbase_model: alice/shelf-0\\nlicense: mit\\n---\\n# Child\\n"
        api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="alice/shelf-1")
        url = f"{api.endpoint}/api/models/alice/shelf-2/like"
        for token in (api.token or None, sys.argv[1]):
            headers = api._build_hf_headers(token=token)
            hf_raise_for_status(get_session().post(url, headers=headers))
        assert [user.username for user in api.list_repo_likers("alice/shelf-2")] == ["charlie", "alice"]
        assert api.list_liked_repos("charlie").models == ["alice/shelf-2"]
        other.unlike("alice/shelf-2")
        assert api.list_liked_repos("charlie").models == []
        names = lambda **options: [model.id for model in api.list_models(author="alice", search="shelf-", **options)]
        assert names(sort="likes")[0] == names(sort="trending_score")[0] == "alice/shelf-2"
        assert names(sort="created_at") == ["alice/shelf-2", "alice/shelf-1", "alice/shelf-0"]
        assert names(sort="last_modified")[0] == "alice/shelf-1"
        assert names(filter="license:mit") == names(filter="base_model:alice/shelf-0") == ["alice/shelf-1"]
        assert names(gated=True) == [] and len(names(gated=False)) == 3
        assert len(names(sort="downloads", limit=2)) == 2
        info = api.model_info("alice/shelf-0", expand=["childrenModelCount", "usedStorage", "trendingScore"])
        assert (info.children_model_count, info.trending_score) == (1, 0) and info.used_storage > 0
        assert api.model_info("alice/shelf-1", expand=["baseModels"]).base_models == ["alice/shelf-0"]
        assert "license" in api.get_model_tags()
        """,
        charlie,
    )


def test_history_is_squashed_and_large_files_are_removed(people):
    machine, _charlie = people
    machine.python(
        """
        import os
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError
        api, repo = HfApi(), "alice/many-versions"
        api.create_repo(repo)
        for n in range(3):
            api.upload_file(path_or_fileobj=os.urandom(5000), path_in_repo=f"w{n}.bin", repo_id=repo)
        assert len(api.list_repo_commits(repo)) == 4
        files = list(api.list_lfs_files(repo))
        assert sorted(file.filename for file in files) == ["w0.bin", "w1.bin", "w2.bin"]
        api.permanently_delete_lfs_files(repo, [file for file in files if file.filename == "w1.bin"])
        assert [file.filename for file in api.list_lfs_files(repo)] == ["w2.bin", "w0.bin"]
        assert sorted(api.list_repo_files(repo)) == [".gitattributes", "w0.bin", "w2.bin"]
        try:
            hf_hub_download(repo, "w1.bin")
        except EntryNotFoundError:
            pass
        else:
            raise AssertionError
        api.super_squash_history(repo, commit_message="All of it")
        assert [commit.title for commit in api.list_repo_commits(repo)] == ["All of it"]
        assert os.path.getsize(hf_hub_download(repo, "w2.bin")) == 5000
        """
    )


def test_repositories_and_files_are_copied_by_the_portal(people):
    machine, charlie = people
    machine.python(
        """
        import os, sys
        from huggingface_hub import CommitOperationCopy, HfApi
        from huggingface_hub.errors import HfHubHTTPError
        api, other = HfApi(), HfApi(token=sys.argv[1])
        api.create_repo("alice/copied-from")
        data = os.urandom(100_000)
        api.upload_file(path_or_fileobj=data, path_in_repo="w.bin", repo_id="alice/copied-from")
        api.upload_file(path_or_fileobj=b"words", path_in_repo="a.txt", repo_id="alice/copied-from")
        made = other.duplicate_repo("alice/copied-from", "charlie/copied-to")
        assert made.repo_id == "charlie/copied-to"
        assert sorted(other.list_repo_files("charlie/copied-to")) == [".gitattributes", "a.txt", "w.bin"]
        try:
            other.duplicate_repo("alice/copied-from", "charlie/copied-to")
        except HfHubHTTPError as error:
            assert error.response.status_code == 409
        else:
            raise AssertionError
        again = other.duplicate_repo("alice/copied-from", "charlie/copied-to", exist_ok=True)
        assert again.repo_id == "charlie/copied-to"
        other.create_repo("charlie/picks")
        other.create_commit("charlie/picks", commit_message="Pick", operations=[
            CommitOperationCopy("w.bin", "picked.bin", src_repo_id="alice/copied-from", src_repo_type="model"),
            CommitOperationCopy("a.txt", "picked.txt", src_repo_id="alice/copied-from", src_repo_type="model"),
        ])
        assert open(other.hf_hub_download("charlie/picks", "picked.bin"), "rb").read() == data
        assert open(other.hf_hub_download("charlie/picks", "picked.txt"), "rb").read() == b"words"
        """,
        charlie,
    )


def test_a_static_space_is_kept_and_not_run(people):
    machine, _charlie = people
    machine.python(
        """
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
        api, repo = HfApi(), "alice/static-space"
        url = api.create_repo(repo, repo_type="space", space_sdk="static")
        assert (url.repo_id, url.repo_type) == (repo, "space")
        api.upload_file(path_or_fileobj=b"<b>hi</b>", path_in_repo="index.html", repo_id=repo, repo_type="space")
        assert "index.html" in api.list_repo_files(repo, repo_type="space")
        info = api.space_info(repo)
        assert (info.sdk, info.runtime) == ("static", None)
        assert repo in [space.id for space in api.list_spaces(author="alice")]
        for act in (lambda: api.get_space_runtime(repo), lambda: api.restart_space(repo),
                    lambda: api.add_space_secret(repo, "k", "v"), lambda: api.get_space_variables(repo),
                    lambda: api.create_repo("alice/g", repo_type="space", space_sdk="gradio")):
            try:
                act()
            except HfHubHTTPError as error:
                assert error.response.status_code == 400, error
            else:
                raise AssertionError(act.__code__.co_names)
        for act in (lambda: api.paper_info("1234.56789"), lambda: list(api.list_jobs(namespace="alice")),
                    lambda: api.get_dataset_leaderboard("alice/none")):
            try:
                act()
            except HfHubHTTPError as error:
                assert error.response.status_code == 404, error
            else:
                raise AssertionError(act.__code__.co_names)
        """
    )
