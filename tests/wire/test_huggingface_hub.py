"""The real huggingface_hub against a live portal: four versions of it, with Xet and without."""

import pytest

from tests.wire.conftest import HUBS

pytestmark = pytest.mark.live


def test_a_folder_goes_up_and_comes_down(machine, name):
    machine.python(
        """
        import filecmp, os, pathlib, sys
        from huggingface_hub import HfApi, snapshot_download
        api, repo = HfApi(), "alice/" + sys.argv[1]
        folder = pathlib.Path("folder")
        (folder / "sub").mkdir(parents=True)
        (folder / "README.md").write_text("---\\nlicense: mit\\n---\\n# Hello")
        (folder / "config.json").write_text("{}")
        (folder / "empty.bin").write_bytes(b"")
        (folder / "tiny.bin").write_bytes(b"7 bytes")
        (folder / "sub" / "to? 漢字%25.txt").write_text("awkward")
        (folder / "sub" / "weights.bin").write_bytes(os.urandom(3_000_000))
        assert api.create_repo(repo).repo_id == repo
        assert api.create_repo(repo, exist_ok=True).repo_id == repo
        made = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="First")
        assert made.oid == api.model_info(repo).sha, made
        assert made.repo_url.repo_id == repo
        again = api.upload_folder(repo_id=repo, folder_path=folder)
        assert again.oid == made.oid
        local = pathlib.Path(snapshot_download(repo))
        compared = filecmp.dircmp(folder, local)
        assert not compared.left_only and not compared.diff_files, compared.report()
        sub = filecmp.dircmp(folder / "sub", local / "sub")
        assert not sub.left_only and not sub.diff_files, sub.report()
        assert (local / "sub" / "weights.bin").read_bytes() == (folder / "sub" / "weights.bin").read_bytes()
        files = {f.rfilename: f for f in api.model_info(repo, files_metadata=True).siblings}
        assert files["sub/weights.bin"].lfs.size == 3_000_000
        assert files["tiny.bin"].lfs.size == 7 and files["config.json"].lfs is None
        assert api.list_repo_commits(repo)[0].title == "First"
        """,
        name,
    )


def test_files_are_changed_copied_deleted_and_listed(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo, repo_type="dataset", private=True)
        options = dict(repo_id=repo, repo_type="dataset")
        add = lambda path, data: CommitOperationAdd(path, data)
        first = api.create_commit(operations=[add("a.txt", b"a"), add("d/w.bin", b"w" * 1000), add("d/b.txt", b"b")],
                                  commit_message="one", **options)
        second = api.create_commit(operations=[
            CommitOperationCopy("d/w.bin", "copy.bin"), CommitOperationCopy("a.txt", "copy.txt"),
            CommitOperationDelete("a.txt"), CommitOperationDelete("d/"),
        ], commit_message="two", parent_commit=first.oid, **options)
        assert sorted(api.list_repo_files(**options)) == [".gitattributes", "copy.bin", "copy.txt"]
        before = api.list_repo_files(revision=first.oid, **options)
        assert sorted(before) == [".gitattributes", "a.txt", "d/b.txt", "d/w.bin"]
        try:
            api.create_commit(operations=[add("x", b"x")], commit_message="late", parent_commit=first.oid, **options)
        except HfHubHTTPError as error:
            assert error.response.status_code == 412 and "was updated since you opened" in str(error)
        else:
            raise AssertionError("a stale parent was accepted")
        try:
            api.delete_file("nope", **options)
        except EntryNotFoundError as error:
            assert "A file with this name doesn't exist" in str(error)
        else:
            raise AssertionError
        tree = {e.path: e for e in api.list_repo_tree(recursive=True, expand=True, **options)}
        assert tree["copy.bin"].last_commit.title == "two" and tree["copy.bin"].size == 1000
        info = api.get_paths_info(paths=["copy.bin", "nope"], **options)
        assert [i.path for i in info] == ["copy.bin"] and info[0].lfs.sha256
        assert [c.title for c in api.list_repo_commits(**options)] == ["two", "one", "initial commit"]
        """,
        name,
    )


def test_branches_and_tags(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        api.create_branch(repo, branch="feature/x")
        api.create_branch(repo, branch="feature/x", exist_ok=True)
        api.upload_file(path_or_fileobj=b"on the branch", path_in_repo="d/a b.txt", repo_id=repo, revision="feature/x")
        api.create_tag(repo, tag="v1.0", revision="feature/x", tag_message="first")
        api.create_tag(repo, tag="v1.0", revision="feature/x", exist_ok=True)
        refs = api.list_repo_refs(repo, include_pull_requests=True)
        assert [b.name for b in refs.branches] == ["feature/x", "main"] and [t.name for t in refs.tags] == ["v1.0"]
        for revision in ("feature/x", "v1.0", refs.tags[0].target_commit, refs.tags[0].target_commit[:7]):
            assert open(hf_hub_download(repo, "d/a b.txt", revision=revision)).read() == "on the branch"
        api.delete_tag(repo, tag="v1.0")
        api.delete_branch(repo, branch="feature/x")
        for call in (lambda: api.model_info(repo, revision="feature/x"), lambda: api.delete_tag(repo, tag="v1.0")):
            try:
                call()
            except RevisionNotFoundError:
                pass
            else:
                raise AssertionError
        try:
            api.delete_branch(repo, branch="main")
        except HfHubHTTPError as error:
            assert "Cannot delete refs/heads/main" in str(error)
        else:
            raise AssertionError
        """,
        name,
    )


def test_errors_are_those_that_programs_catch(machine, name, live_portal, tmp_path):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        api = HfApi()
        api.create_repo("alice/" + sys.argv[1], private=True)
        api.upload_file(path_or_fileobj=b"s", path_in_repo="s.txt", repo_id="alice/" + sys.argv[1])
        assert api.auth_check("alice/" + sys.argv[1]) is None
        """,
        name,
    )
    script = """
        import sys
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError
        api = HfApi()
        for repo in ("alice/" + sys.argv[1], "alice/not-there", "repo-that-does-not-exist"):
            for call in (
                lambda: api.model_info(repo), lambda: hf_hub_download(repo, "s.txt"), lambda: api.list_repo_files(repo),
                lambda: api.list_repo_refs(repo), lambda: api.auth_check(repo),
            ):
                try:
                    call()
                except RepositoryNotFoundError as error:
                    assert "s.txt" not in str(error).replace("resolve/main/s.txt", "")
                else:
                    raise AssertionError(repo)
        """
    machine.of(tmp_path / "charlie", live_portal.user("charlie")).python(script, name)
    machine.of(tmp_path / "nobody", None).python(script, name)
    reader = machine.of(tmp_path / "reader", live_portal.user("alice", "read"))
    reader.python(
        """
        import sys
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
        repo = "alice/" + sys.argv[1]
        assert open(hf_hub_download(repo, "s.txt")).read() == "s"
        for _ in range(2):  # the second time from the cached absence
            try:
                hf_hub_download(repo, "nope.txt")
            except EntryNotFoundError:
                pass
        for data in (b"text", b"\\x00binary" * 10):
            try:
                HfApi().upload_file(path_or_fileobj=data, path_in_repo="x.bin", repo_id=repo)
            except HfHubHTTPError as error:
                assert error.response.status_code == 403 and "write" in str(error), error
            else:
                raise AssertionError
        """,
        name,
    )
    bad = machine.of(tmp_path / "bad", "hf_" + "x" * 37)
    bad.python(
        """
        from huggingface_hub import HfApi
        for call in (HfApi().whoami, lambda: HfApi().model_info("alice/x")):
            try:
                call()
            except OSError as error:  # the HTTP errors of every version; whoami of 0.36 raises its library's own
                assert error.response.status_code == 401
                assert "Invalid" in str(error), error
            else:
                raise AssertionError
        """
    )


def test_lists_search_and_settings(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        from huggingface_hub.errors import BadRequestError
        api, name = HfApi(), sys.argv[1]
        repo = "alice/" + name
        api.create_repo(repo)
        card = f"---\\nlicense: mit\\nlanguage: zh\\npipeline_tag: text-classification\\ntags: [{name}]\\n---\\n"
        api.upload_file(path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=repo)
        task = "text-classification"
        found = list(api.list_models(filter=[name, "license:mit", "zh"], pipeline_tag=task, full=True))
        assert [m.id for m in found] == [repo] and found[0].siblings and found[0].card_data["license"] == "mit"
        found = api.list_models(search=name.upper(), author="alice", sort="last_modified", limit=5)
        assert [m.id for m in found] == [repo]
        assert list(api.list_datasets(search=name)) == []
        info = api.model_info(repo, expand=["tags", "cardData", "createdAt", "siblings", "safetensors"])
        assert info.card_data.license == "mit" and name in info.tags and info.created_at and info.sha is None
        try:
            api.model_info(repo, expand=["foo"])
        except BadRequestError as error:
            assert error.response.json()["error"].startswith('"expand" must be one of [author, ')
        api.update_repo_settings(repo, private=True)
        assert api.model_info(repo).private
        assert list(HfApi(token=False).list_models(search=name)) == []
        api.delete_repo(repo)
        api.delete_repo(repo, missing_ok=True)
        assert not api.repo_exists(repo)
        """,
        name,
    )


def test_a_card_is_checked_before_it_is_committed(machine, name):
    machine.python(
        """
        import sys
        import huggingface_hub
        from huggingface_hub import HfApi, ModelCard, metadata_update
        from huggingface_hub.errors import HfHubHTTPError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        card = ModelCard("---\\nlicense: mit\\ntags: [tiny]\\n---\\n# Hello\\n")
        if huggingface_hub.__version__ > "2.2":  # older ones ask another site whether the card is valid
            card.push_to_hub(repo)
            metadata_update(repo, {"language": "zh"})
        else:
            api.upload_file(path_or_fileobj=str(card).encode(), path_in_repo="README.md", repo_id=repo)
        assert ModelCard.load(repo, ignore_metadata_errors=True).data.tags[0] == "tiny"
        for bad in (b"---\\nmodel-index: foo\\n---\\n", b"---\\na: [\\n---\\n"):
            try:
                api.upload_file(path_or_fileobj=bad, path_in_repo="README.md", repo_id=repo)
            except (ValueError, HfHubHTTPError) as error:
                assert "README.md" in str(error) or "Invalid metadata" in str(error), error
            else:
                raise AssertionError
        """,
        name,
    )


def test_the_same_content_in_two_repositories_is_stored_once(machine, name, live_portal):
    size = 1_000_001 + HUBS.index(machine.environment.name)
    machine.python(
        """
        import os, sys
        from huggingface_hub import HfApi
        api, data = HfApi(), os.urandom(int(sys.argv[2]))
        open("data.bin", "wb").write(data)
        for n in range(2):
            repo = f"alice/{sys.argv[1]}-{n}"
            api.create_repo(repo)
            api.upload_file(path_or_fileobj="data.bin", path_in_repo=f"{n}.bin", repo_id=repo)
            assert open(api.hf_hub_download(repo, f"{n}.bin"), "rb").read() == data
        """,
        name,
        str(size),
    )
    count = f"from models_hub.models import Blob; print(Blob.objects.get(size={size}).repo_blobs.count())"
    assert live_portal.script(count).strip() == "2"
    # Neither the store's files nor its pieces hold it twice.
    files = [path.stat().st_size for path in (live_portal.data / "blobs").rglob("*") if path.is_file()]
    assert files.count(size) <= 1


def test_a_large_file_goes_up_and_is_read_in_parts(machine, name):
    machine.python(
        """
        import os, sys
        from huggingface_hub import HfApi, HfFileSystem
        api, repo, block = HfApi(), "alice/" + sys.argv[1], os.urandom(1_000_000)
        with open("large.bin", "wb") as file:
            for n in range(70):
                file.write(n.to_bytes(4, "big") + block)
        api.create_repo(repo)
        api.upload_file(path_or_fileobj="large.bin", path_in_repo="large.bin", repo_id=repo)
        with HfFileSystem().open(f"{repo}/large.bin", "rb") as remote, open("large.bin", "rb") as local:
            for position in (0, 1_000_004 * 35 - 10, 1_000_004 * 70 - 20):
                remote.seek(position), local.seek(position)
                assert remote.read(100) == local.read(100)
        assert open(api.hf_hub_download(repo, "large.bin"), "rb").read() == open("large.bin", "rb").read()
        """,
        name,
    )
