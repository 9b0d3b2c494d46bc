"""What clients do to read: caches, revisions, absent things, private things, broken connections."""

import pytest

from tests.wire.proxies import Network

pytestmark = pytest.mark.live


def test_what_is_cached_is_not_fetched_again(machine, name):
    machine.python(
        """
        import pathlib, sys
        from huggingface_hub import HfApi, hf_hub_download, scan_cache_dir, snapshot_download
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        for path, content in (("a.txt", b"first"), ("b.bin", b"\\x00" * 5000)):
            api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo)
        folder = pathlib.Path(snapshot_download(repo))
        for path in ("a.txt", "b.bin"):  # a mark that a second download would wipe out
            (folder / path).resolve().write_bytes((folder / path).read_bytes().replace(b"\\x00", b"\\x01").upper())
        assert pathlib.Path(snapshot_download(repo)) == folder
        assert open(hf_hub_download(repo, "a.txt")).read() == "FIRST"
        assert open(hf_hub_download(repo, "b.bin"), "rb").read() == b"\\x01" * 5000
        assert open(hf_hub_download(repo, "a.txt", force_download=True)).read() == "first"
        changed = api.upload_file(path_or_fileobj=b"second", path_in_repo="a.txt", repo_id=repo)
        newer = pathlib.Path(snapshot_download(repo))
        assert newer.name == changed.oid and (newer / "a.txt").read_text() == "second"
        assert (newer / "b.bin").read_bytes() == b"\\x01" * 5000, "the file that did not change was fetched again"
        assert (pathlib.Path(snapshot_download(repo, revision=folder.name)) / "a.txt").read_text() == "first"
        assert {r.commit_hash for r in next(iter(scan_cache_dir().repos)).revisions} == {folder.name, newer.name}
        """,
        name,
    )


def test_part_of_a_repository_comes_into_a_folder(machine, name):
    machine.python(
        """
        import pathlib, sys
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo, repo_type="dataset")
        source = pathlib.Path("source/data")
        source.mkdir(parents=True)
        for n in range(4):
            (source / f"{n}.jsonl").write_text(f"{n}\\n")
        (source / "rows.parquet").write_bytes(b"PAR1" * 100)
        api.upload_folder(repo_id=repo, repo_type="dataset", folder_path="source", ignore_patterns="*3.jsonl")
        options = dict(repo_type="dataset", local_dir="here")
        snapshot_download(repo, allow_patterns="data/*.jsonl", ignore_patterns="*0.jsonl", **options)
        found = sorted(str(p.relative_to("here")) for p in pathlib.Path("here").rglob("*") if p.is_file())
        assert [p for p in found if ".cache" not in p] == ["data/1.jsonl", "data/2.jsonl"], found
        hf_hub_download(repo, "rows.parquet", subfolder="data", **options)
        assert pathlib.Path("here/data/rows.parquet").read_bytes() == b"PAR1" * 100
        """,
        name,
    )


def test_what_is_absent_has_its_own_error(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url, snapshot_download
        from huggingface_hub import try_to_load_from_cache, _CACHED_NO_EXIST
        from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo)
        api.upload_file(path_or_fileobj=b"text", path_in_repo="d/a.txt", repo_id=repo)
        assert api.repo_exists(repo) and not api.repo_exists(repo, repo_type="dataset")
        assert api.revision_exists(repo, "main") and not api.revision_exists(repo, "nope")
        assert api.file_exists(repo, "d/a.txt") and not api.file_exists(repo, "d") and not api.file_exists(repo, "x")
        about = get_hf_file_metadata(hf_hub_url(repo, "d/a.txt"))
        assert about.size == 4 and about.commit_hash == api.model_info(repo).sha and len(about.etag) == 40

        def raises(kind, *calls):
            for call in calls:
                try:
                    call()
                except kind as error:
                    assert type(error).__name__.endswith(kind.__name__), type(error)
                else:
                    raise AssertionError(kind)

        put = dict(path_or_fileobj=b"", path_in_repo="a")
        gone = "alice/nope"
        raises(RepositoryNotFoundError,
               lambda: hf_hub_download(gone, "a"), lambda: snapshot_download(gone), lambda: api.model_info(gone),
               lambda: api.list_repo_commits(gone), lambda: api.upload_file(repo_id=gone, **put),
               lambda: api.delete_repo(gone), lambda: api.dataset_info(repo))
        raises(RevisionNotFoundError,
               lambda: hf_hub_download(repo, "d/a.txt", revision="x"), lambda: snapshot_download(repo, revision="x"),
               lambda: api.model_info(repo, revision="0" * 40), lambda: api.list_repo_commits(repo, revision="x"),
               lambda: list(api.list_repo_tree(repo, revision="x/y")), lambda: api.list_repo_files(repo, revision="x"),
               lambda: api.create_tag(repo, tag="t", revision="x"),
               lambda: api.upload_file(repo_id=repo, revision="x", **put))
        raises(EntryNotFoundError,
               lambda: hf_hub_download(repo, "x"), lambda: hf_hub_download(repo, "d"),
               lambda: list(api.list_repo_tree(repo, "x")), lambda: api.delete_file("x", repo))
        assert try_to_load_from_cache(repo, "x") is _CACHED_NO_EXIST
        assert not any(api.get_paths_info(repo, ["x"]))
        """,
        name,
    )


def test_a_private_repository_opens_with_its_owners_token_alone(machine, name, live_portal, tmp_path):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        HfApi().create_repo("alice/" + sys.argv[1], private=True)
        HfApi().upload_file(path_or_fileobj=b"\\x00secret", path_in_repo="s.bin", repo_id="alice/" + sys.argv[1])
        """,
        name,
    )
    read = """
        import sys
        from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
        from huggingface_hub.errors import RepositoryNotFoundError
        repo, token = "alice/" + sys.argv[1], sys.argv[2] or False
        assert open(hf_hub_download(repo, "s.bin", token=token), "rb").read() == b"\\x00secret"
        assert HfApi(token=token).model_info(repo).private
        assert HfFileSystem(token=token).ls(repo, detail=False) == [repo + "/.gitattributes", repo + "/s.bin"]
        """
    machine.of(tmp_path / "reader", None).python(read, name, live_portal.user("alice", "read"))
    refused = """
        import sys
        from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
        from huggingface_hub.errors import RepositoryNotFoundError
        api, repo = HfApi(), "alice/" + sys.argv[1]
        for call in (lambda: hf_hub_download(repo, "s.bin"), lambda: snapshot_download(repo),
                     lambda: api.model_info(repo), lambda: api.get_paths_info(repo, "s.bin"),
                     lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo)):
            try:
                call()
            except RepositoryNotFoundError:
                continue
            raise AssertionError
        assert repo not in {m.id for m in api.list_models(author="alice")}
        assert not api.file_exists(repo, "s.bin") and not HfFileSystem().exists(repo + "/s.bin")
        """
    machine.of(tmp_path / "charlie", live_portal.user("charlie")).python(refused, name)
    machine.of(tmp_path / "nobody", None).python(refused, name)


def test_a_cut_connection_goes_on_where_it_was(machine, name, tmp_path):
    """A text of this size is kept in git, and every version fetches it over plain HTTP."""
    content = b"".join(b"%07d\n" % n for n in range(500_000))
    (tmp_path / "long.txt").write_bytes(content)
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi
        HfApi().create_repo("alice/" + sys.argv[1])
        HfApi().upload_file(path_or_fileobj="long.txt", path_in_repo="long.txt", repo_id="alice/" + sys.argv[1])
        """,
        name,
    )
    with Network(machine.portal.port, cut_after=1_000_000) as network:
        machine.python(
            """
            import os, sys
            os.environ["HF_ENDPOINT"] = sys.argv[2]
            from huggingface_hub import constants, hf_hub_download
            constants.DOWNLOAD_CHUNK_SIZE = 100_000  # so that a small file has a beginning to keep
            try:
                path = hf_hub_download("alice/" + sys.argv[1], "long.txt")
            except OSError:  # 0.36 leaves it to the next call
                path = hf_hub_download("alice/" + sys.argv[1], "long.txt")
            assert open(path, "rb").read() == open("long.txt", "rb").read()
            """,
            name,
            network.url,
        )
    assert network.cut
    ranges = [line for line in network.request_lines if line.lower().startswith(b"range: bytes=")]
    start = int(ranges[-1].split(b"=")[1].split(b"-")[0])
    assert 0 < start <= 1_000_000
