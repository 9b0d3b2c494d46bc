"""What clients do to write: nothing twice, nothing over another's work, many files, and little by little."""

import pytest

pytestmark = pytest.mark.live


def test_what_is_there_already_makes_no_commit_and_is_not_sent(machine, name, live_portal):
    before = machine.python(
        """
        import os, sys
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/" + sys.argv[1]
        os.mkdir("folder")
        open("folder/a.txt", "w").write("text")
        open("folder/w.bin", "wb").write(os.urandom(500_000))
        api.create_repo(repo)
        api.upload_folder(repo_id=repo, folder_path="folder")
        print(api.model_info(repo).sha)
        """,
        name,
    )
    received = sum(path.stat().st_size for path in (live_portal.data / "blobs").rglob("*") if path.is_file())
    after = machine.of(machine.home, machine.token).python(
        """
        import sys
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.upload_folder(repo_id=repo, folder_path="folder")
        api.upload_file(path_or_fileobj="folder/w.bin", path_in_repo="w.bin", repo_id=repo)
        api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=repo)
        assert len(api.list_repo_commits(repo)) == 2
        print(api.model_info(repo).sha)
        moved = api.upload_file(path_or_fileobj="folder/w.bin", path_in_repo="again/w.bin", repo_id=repo)
        assert api.get_paths_info(repo, "again/w.bin")[0].lfs.size == 500_000 and moved.oid == api.model_info(repo).sha
        """,
        name,
    )
    assert after == before
    # The same bytes under another name are known, by whichever way they came.
    stored = sum(path.stat().st_size for path in (live_portal.data / "blobs").rglob("*") if path.is_file())
    assert stored - received < 5_000


def test_a_commit_on_an_old_parent_is_refused_and_can_be_made_again(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.errors import HfHubHTTPError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        parent = api.model_info(repo).sha
        first = api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=repo, parent_commit=parent)
        try:
            api.upload_file(path_or_fileobj=b"2", path_in_repo="a", repo_id=repo, parent_commit=parent)
        except HfHubHTTPError as error:
            assert error.response.status_code == 412
        else:
            raise AssertionError
        api.upload_file(path_or_fileobj=b"2", path_in_repo="a", repo_id=repo, parent_commit=first.oid[:10])
        assert [c.title for c in api.list_repo_commits(repo)][-1] == "initial commit"
        assert len(api.list_repo_commits(repo)) == 3
        """,
        name,
    )


def test_a_folder_replaces_another_and_files_are_deleted_by_pattern(machine, name):
    machine.python(
        """
        import os, sys
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        os.makedirs("one/logs"), os.makedirs("two")
        for path in ("one/logs/1.txt", "one/logs/2.txt", "one/keep.md", "two/3.txt"):
            open(path, "w").write(path)
        api.upload_folder(repo_id=repo, folder_path="one")
        api.upload_folder(repo_id=repo, folder_path="two", path_in_repo="logs", delete_patterns="*.txt")
        assert sorted(api.list_repo_files(repo)) == [".gitattributes", "keep.md", "logs/3.txt"]
        api.delete_folder("logs", repo)
        api.delete_files(repo, ["*.md"])
        assert api.list_repo_files(repo) == [".gitattributes"]
        """,
        name,
    )


def test_many_files_go_up_as_a_large_folder_and_again_from_where_it_was(machine, name):
    machine.python(
        """
        import os, sys, warnings
        from pathlib import Path
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/" + sys.argv[1]
        for n in range(120):
            path = Path("many") / f"{n % 6}" / f"{n}.{'bin' if n % 10 == 0 else 'txt'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{sys.argv[1]} {n}".encode() * 100)
        # The newest client sends any folder so, and has no other way.
        large = getattr(api, "upload_large_folder", None)
        api.create_repo(repo, repo_type="dataset")
        def send():
            if large is None:
                api.upload_folder(repo_id=repo, repo_type="dataset", folder_path="many")
            else:
                warnings.simplefilter("ignore")
                from huggingface_hub import _upload_large_folder
                _upload_large_folder.WAITING_TIME_IF_NO_TASKS = 0.1  # seconds, else 10
                large(repo_id=repo, repo_type="dataset", folder_path="many", print_report=False)
        send()
        (Path("many") / "late.txt").write_text("late")
        send()
        files = set(api.list_repo_files(repo, repo_type="dataset"))
        local = {str(p.relative_to("many")) for p in Path("many").rglob("*") if p.is_file() and ".cache" not in p.parts}
        assert files - {".gitattributes"} == local, files ^ local
        """,
        name,
    )


def test_a_scheduler_commits_what_a_program_writes(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import CommitScheduler, HfApi, hf_hub_download
        repo = "alice/" + sys.argv[1]
        with CommitScheduler(repo_id=repo, repo_type="dataset", folder_path="log", path_in_repo="data") as job:
            with job.lock, open("log/rows.jsonl", "a") as file:
                file.write("{}\\n")
            job.trigger().result()
            with job.lock, open("log/rows.jsonl", "a") as file:
                file.write("{}\\n")
        assert open(hf_hub_download(repo, "data/rows.jsonl", repo_type="dataset")).read() == "{}\\n{}\\n"
        """,
        name,
    )
