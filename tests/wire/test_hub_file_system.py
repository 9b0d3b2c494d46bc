"""HfFileSystem: repositories as a file system, as pandas, dask and polars use them."""

import pytest

pytestmark = pytest.mark.live


def test_files_are_listed_found_and_read_in_parts(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, HfFileSystem
        api, repo = HfApi(), "alice/" + sys.argv[1]
        api.create_repo(repo, repo_type="dataset")
        content = b"".join(b"%05d\\n" % n for n in range(20_000))
        for path in ("data/train/a.csv", "data/test/b.csv", "w.bin"):
            api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo, repo_type="dataset")
        fs, root = HfFileSystem(), f"datasets/{repo}"
        assert fs.ls(root, detail=False) == [f"{root}/.gitattributes", f"{root}/data", f"{root}/w.bin"]
        assert fs.glob(f"{root}/**/*.csv") == [f"{root}/data/test/b.csv", f"{root}/data/train/a.csv"]
        assert fs.find(root + "/data") == fs.glob(f"{root}/data/*/*")
        assert [top for top, _, _ in fs.walk(root)] == [root, f"{root}/data", f"{root}/data/test", f"{root}/data/train"]
        assert fs.isdir(root) and fs.isfile(f"{root}/w.bin") and not fs.exists(f"{root}/nope")
        about = fs.info(f"{root}/w.bin")
        assert about["size"] == len(content) and about["lfs"]["sha256"] and fs.modified(f"{root}/w.bin").tzinfo
        assert fs.cat_file(f"{root}/w.bin", 600, 606) == content[600:606]
        with fs.open(f"{root}/data/test/b.csv", block_size=1000) as file:
            file.seek(-6, 2)
            assert file.read() == b"19999\\n"
            file.seek(6000)
            assert file.readline() == b"01000\\n"
        fs.get(f"{root}/data", "here", recursive=True)
        assert open("here/train/a.csv", "rb").read() == content
        at = api.dataset_info(repo).sha
        assert fs.ls(f"{root}@{at}/data/test", detail=False) == [f"{root}@{at}/data/test/b.csv"]
        assert fs.url(f"{root}/w.bin").endswith(f"/datasets/{repo}/resolve/main/w.bin")
        """,
        name,
    )


def test_files_are_written_copied_and_removed(machine, name):
    machine.python(
        """
        import sys
        from huggingface_hub import HfApi, HfFileSystem
        repo, fs = "alice/" + sys.argv[1], HfFileSystem()
        HfApi().create_repo(repo)
        with fs.open(f"{repo}/notes/a.txt", "w") as file:
            file.write("hello")
        with fs.open(f"{repo}/w.bin", "wb") as file:
            file.write(b"\\x00" * 3000)
        assert fs.read_text(f"{repo}/notes/a.txt") == "hello"
        fs.cp(f"{repo}/w.bin", f"{repo}/copy/w.bin")
        fs.mv(f"{repo}/notes/a.txt", f"{repo}/notes/b.txt")
        fs.invalidate_cache()
        assert fs.find(repo) == [f"{repo}/{path}" for path in (".gitattributes", "copy/w.bin", "notes/b.txt", "w.bin")]
        fs.rm(f"{repo}/copy", recursive=True)
        fs.invalidate_cache()
        assert not fs.exists(f"{repo}/copy") and fs.size(f"{repo}/w.bin") == 3000
        """,
        name,
    )
