"""What each version of the client shares with the other ways in and out: Xet, git, pull requests, gates, new names."""

import pytest

from tests.servers import need
from tests.wire.clients import Machine
from tests.wire.environments import environment
from tests.wire.proxies import Network

pytestmark = pytest.mark.live

WITH_XET = {"hub-2.4", "hub-1.29", "hub-0.36"}


@pytest.fixture(scope="module")
def weights(live_portal, tmp_path_factory):
    """A file of a size from which the portal offers Xet, sent through Xet."""
    newest = Machine(
        live_portal, tmp_path_factory.mktemp("xet"), live_portal.user("alice"), environment=environment("hub-2.4")
    )
    newest.python(
        """
        import os
        from huggingface_hub import HfApi
        open("w.bin", "wb").write(os.urandom(17_000_000))
        HfApi().create_repo("alice/through-xet")
        HfApi().upload_file(path_or_fileobj="w.bin", path_in_repo="w.bin", repo_id="alice/through-xet")
        """
    )
    return newest.home / "w.bin"


def test_a_large_file_comes_through_xet_where_the_client_can(machine, weights):
    with Network(machine.portal.port) as network:
        machine.python(
            """
            import os, sys
            os.environ["HF_ENDPOINT"] = sys.argv[2]
            from huggingface_hub import hf_hub_download
            path = hf_hub_download("alice/through-xet", "w.bin")
            assert open(path, "rb").read() == open(sys.argv[1], "rb").read()
            """,
            str(weights),
            network.url,
        )
    asked = [line for line in network.request_lines if line.endswith(b"HTTP/1.1")]
    by_xet = any(b"/reconstructions/" in line for line in asked)
    by_http = any(line.startswith(b"GET /alice/through-xet/resolve/") for line in asked)
    assert (by_xet, by_http) == ((True, False) if machine.environment.name in WITH_XET else (False, True)), asked


def test_a_client_that_asks_for_xet_where_lfs_begins_sends_through_it(live_portal, tmp_path):
    machine = Machine(live_portal, tmp_path, live_portal.user("alice"), environment=environment("hub-0.36"))
    with Network(machine.portal.port) as network:
        machine.python(
            """
            import os, sys
            os.environ["HF_ENDPOINT"] = sys.argv[1]
            from huggingface_hub import CommitOperationAdd, HfApi
            api, repo = HfApi(), "alice/asked-for-xet"
            api.create_repo(repo)
            data = os.urandom(300_000)
            open("w.bin", "wb").write(data)
            api.upload_file(path_or_fileobj="w.bin", path_in_repo="w.bin", repo_id=repo)
            api.upload_file(path_or_fileobj=b"more" + data, path_in_repo="m.bin", repo_id=repo)
            api.create_commit(repo, [CommitOperationAdd("p.bin", b"other" + data)], commit_message="p", create_pr=True)
            assert open(api.hf_hub_download(repo, "m.bin"), "rb").read() == b"more" + data
            proposed = api.hf_hub_download(repo, "p.bin", revision="refs/pr/1")
            assert open(proposed, "rb").read() == b"other" + data
            """,
            network.url,
        )
    asked = [line for line in network.request_lines if line.startswith((b"POST", b"PUT"))]
    assert any(b"/xorbs/" in line for line in asked)
    assert not any(line.startswith(b"PUT") for line in asked)


def test_git_clones_what_the_client_committed_under_the_same_ids(machine, name):
    need("git", "git-lfs")
    told = machine.python(
        """
        import os, sys
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
        api, repo = HfApi(), "alice/" + sys.argv[1]
        open("w.bin", "wb").write(os.urandom(200_000))
        api.create_repo(repo, private=True)
        operations = [CommitOperationAdd("w.bin", "w.bin"), CommitOperationAdd("d/漢字 a.txt", b"text")]
        api.create_commit(repo, operations, commit_message="One", commit_description="Two\\n\\nlines")
        made = api.create_commit(repo, [CommitOperationDelete("d/"), CommitOperationAdd("b.txt", b"b")],
                                 commit_message="Two")
        entries = {entry.path: entry.blob_id for entry in api.list_repo_tree(repo, recursive=True)}
        print(made.oid, entries["w.bin"], entries["b.txt"])
        """,
        name,
    )
    address = machine.portal.url.replace("://", f"://alice:{machine.token}@")
    seen = machine.run(
        "bash",
        "-ec",
        f"""
        git -c filter.lfs.process='git-lfs filter-process' -c filter.lfs.smudge='git-lfs smudge -- %f' \
            -c filter.lfs.required=true clone --quiet {address}/alice/{name} clone
        cd clone
        git fsck --strict --no-progress >&2
        cmp w.bin ../w.bin
        echo $(git rev-parse HEAD HEAD:w.bin HEAD:b.txt)
        """,
    )
    assert seen.split() == told.split()


def test_a_stranger_proposes_and_the_owner_merges(machine, name, live_portal, tmp_path):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        HfApi().create_repo("alice/" + sys.argv[1])
        """,
        name,
    )
    proposed = machine.of(tmp_path / "charlie", live_portal.user("charlie")).python(
        """
        import os, sys
        from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        open("w.bin", "wb").write(os.urandom(50_000))
        made = api.create_commit(repo, [CommitOperationAdd("w.bin", "w.bin"), CommitOperationAdd("a.txt", b"a")],
                                 commit_message="Add weights", create_pr=True)
        assert made.pr_revision == f"refs/pr/{made.pr_num}" and made.pr_url.endswith(f"/discussions/{made.pr_num}")
        api.create_commit(repo, [CommitOperationAdd("b.txt", b"b")], commit_message="More", revision=made.pr_revision)
        assert sorted(api.list_repo_files(repo, revision=made.pr_revision))[1:] == ["a.txt", "b.txt", "w.bin"]
        path = hf_hub_download(repo, "w.bin", revision=made.pr_revision)
        assert open(path, "rb").read() == open("w.bin", "rb").read()
        assert api.list_repo_files(repo) == [".gitattributes"]
        try:
            api.merge_pull_request(repo, made.pr_num)
        except HfHubHTTPError as error:
            assert error.response.status_code == 403, error
        else:
            raise AssertionError("a stranger merged")
        print(made.pr_num)
        """,
        name,
    )
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        api, repo, number = HfApi(), "alice/" + sys.argv[1], int(sys.argv[2])
        assert [d.num for d in api.get_repo_discussions(repo)] == [number]
        about = api.get_discussion_details(repo, number)
        assert about.is_pull_request and about.title == "Add weights" and about.author == "charlie"
        assert "+a" in about.diff and about.conflicting_files in (None, False, [])
        api.comment_discussion(repo, number, "Thank you")
        if about.status == "draft":
            api.change_discussion_status(repo, number, "open")
        api.merge_pull_request(repo, number, comment="Merged")
        merged = api.get_discussion_details(repo, number)
        assert merged.status == "merged" and merged.merge_commit_oid == api.model_info(repo).sha
        assert sorted(api.list_repo_files(repo)) == [".gitattributes", "a.txt", "b.txt", "w.bin"]
        """,
        name,
        proposed.split()[-1],
    )


def test_a_gate_has_its_own_error_and_opens(machine, name, live_portal, tmp_path):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        api.upload_file(path_or_fileobj=b"gated", path_in_repo="a.txt", repo_id=repo)
        api.update_repo_settings(repo, gated="manual")
        """,
        name,
    )
    refused = """
        import sys
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download
        from huggingface_hub.errors import GatedRepoError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        assert api.model_info(repo).gated == "manual" and "a.txt" in api.list_repo_files(repo)
        for call in (lambda: hf_hub_download(repo, "a.txt"), lambda: snapshot_download(repo),
                     lambda: api.auth_check(repo)):
            try:
                call()
            except GatedRepoError:
                continue
            raise AssertionError
        """
    charlie = machine.of(tmp_path / "charlie", live_portal.user("charlie"))
    charlie.python(refused, name)
    machine.of(tmp_path / "nobody", None).python(refused, name)
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        HfApi().grant_access("alice/" + sys.argv[1], "charlie")
        assert [r.username for r in HfApi().list_accepted_access_requests("alice/" + sys.argv[1])] == ["charlie"]
        """,
        name,
    )
    charlie.python(
        """
        import sys
        from huggingface_hub import hf_hub_download
        assert open(hf_hub_download("alice/" + sys.argv[1], "a.txt")).read() == "gated"
        """,
        name,
    )


def test_a_moved_repository_answers_to_its_old_name(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
        api, old, new = HfApi(), "alice/" + sys.argv[1], "alice/" + sys.argv[1] + "-new"
        api.create_repo(old)
        api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=old)
        api.move_repo(old, new)
        assert api.model_info(old).id == new and api.list_repo_files(old) == [".gitattributes", "a.txt"]
        assert open(hf_hub_download(old, "a.txt")).read() == "text" and snapshot_download(old)
        assert HfFileSystem().read_text(f"{old}/a.txt") == "text"
        api.upload_file(path_or_fileobj=b"\\x00more", path_in_repo="b.bin", repo_id=old)
        assert api.file_exists(new, "b.bin")
        """,
        name,
    )


def test_what_is_in_pickles_is_told_with_the_files(live_portal, tmp_path):
    machine = Machine(live_portal, tmp_path, live_portal.user("alice"), environment=environment("hub-2.4"))
    machine.python(
        """
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/with-pickles"
        api.create_repo(repo)
        api.upload_file(path_or_fileobj=b"cos\\nsystem\\n.", path_in_repo="bad.pkl", repo_id=repo)
        api.upload_file(path_or_fileobj=b"ccollections\\nOrderedDict\\n.", path_in_repo="good.pkl", repo_id=repo)
        found = {entry.path: entry.security for entry in api.list_repo_tree(repo, expand=True)}
        assert not found["bad.pkl"]["safe"] and found["bad.pkl"]["status"] == "unsafe"
        assert found["good.pkl"]["safe"] and found["good.pkl"]["av_scan"]["status"] == "unscanned"
        (bad,) = api.get_paths_info(repo, "bad.pkl", expand=True)
        assert bad.security.pickle_import_scan["pickleImports"][0]["name"] == "system"
        status = api.model_info(repo, securityStatus=True).security_repo_status
        assert status == {"scansDone": True, "filesWithIssues": [{"path": "bad.pkl", "level": "unsafe"}]}
        """
    )
