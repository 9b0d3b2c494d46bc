"""A repository leaves as one file and comes back the same, or not at all."""

import json
import shutil
import subprocess
import tarfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError

from models_hub import bundle_format, bundling, publishing, quotas, referencing, unbundling
from models_hub.bundle_format import BundleRefused
from models_hub.models import Commit, Import, QuotaAccount, Ref, Repo
from models_hub.publishing import PutFile
from portal.errors import Conflict, DomainError, NotAllowed, QuotaExceeded
from tests.models_hub.wire import Wire, body_of
from tests.servers import need

WEIGHTS = b"weights\x00" * 3000


@pytest.fixture
def repo(make_repo, alice, settings, tmp_path) -> Repo:
    settings.BUNDLE_KEY_FILE = tmp_path / "key"
    bundle_format._own_key.cache_clear()
    repo = make_repo(alice, files={"README.md": "---\nlicense: mit\n---\n# Bert", "a.bin": WEIGHTS, "b.bin": b"b\x00"})
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.bin", b"second\x00")], title="Second")
    referencing.create_branch(repo, by=alice, name="old/one")
    referencing.create_tag(repo, by=alice, name="v1")
    return repo


@pytest.fixture
def bundle(repo) -> bytes:
    return written(repo)


def written(repo: Repo) -> bytes:
    with bundling.exported(repo) as bundle:
        data = b"".join(bundle.blocks)
        assert len(data) == bundle.size
    return data


def read(data: bytes, by, name="copy", step=777, **options) -> Repo:
    blocks = (data[start : start + step] for start in range(0, len(data), step))
    return unbundling.receive(blocks, by=by, namespace=by.username, name=name, **options)


def remade(data: bytes, **changes: bytes) -> bytes:
    """Write the tar file again with other parts; manifest.json keeps what it says."""
    made = BytesIO()
    names = {"manifest.json": "manifest", "repository.bundle": "history", "signature.json": "signature"}
    with (
        tarfile.open(fileobj=BytesIO(data)) as old,
        tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as new,
    ):
        for entry in old:
            file = old.extractfile(entry)
            assert file is not None
            content = changes.get(names.get(entry.name, "content"), file.read())
            entry.size = len(content)
            new.addfile(entry, BytesIO(content))
    return made.getvalue()


def part(data: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=BytesIO(data)) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def signed_again(data: bytes, **changes) -> bytes:
    """Change the manifest and sign it as this portal would."""
    manifest = json.loads(part(data, "manifest.json")) | changes
    encoded = json.dumps(manifest).encode()
    return remade(data, manifest=encoded, signature=bundle_format.signature(encoded))


def test_a_bundle_comes_back_with_every_id_branch_tag_and_file(repo, bundle, charlie):
    copy = read(bundle, charlie)
    assert set(copy.refs.values_list("name", "oid")) == set(repo.refs.values_list("name", "oid"))
    assert set(copy.commits.values_list("oid")) == set(repo.commits.values_list("oid"))
    digests = "blob__sha256"
    assert set(copy.repo_blobs.values_list(digests)) == set(repo.repo_blobs.values_list(digests))
    assert (copy.head, copy.license, copy.private) == (repo.commits.last().oid, "mit", False)
    assert copy.origin.finished_at is not None


def test_it_is_charged_to_whoever_brings_it(bundle, charlie):
    copy = read(bundle, charlie)
    account = QuotaAccount.objects.get(namespace=copy.namespace)
    assert account.used == quotas.recount(copy.namespace_id) > len(WEIGHTS)


def test_any_tar_reads_it_and_git_clones_what_is_inside(bundle, repo, tmp_path):
    git, _lfs = need("git", "git-lfs")
    with tarfile.open(fileobj=BytesIO(bundle)) as tar:
        names = tar.getnames()
        tar.extractall(tmp_path, filter="data")
    assert (names[0], names[1], names[-1]) == ("manifest.json", "repository.bundle", "signature.json")
    clone = tmp_path / "clone"
    run = {
        "cwd": tmp_path,
        "check": True,
        "capture_output": True,
        "env": {"GIT_LFS_SKIP_SMUDGE": "1", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    }
    subprocess.run([git, "clone", "repository.bundle", "clone"], **run)
    head = subprocess.run([git, "-C", "clone", "rev-parse", "HEAD"], **run).stdout.decode().strip()
    assert head == Ref.objects.get(repo=repo, name="refs/heads/main").oid
    subprocess.run([git, "-C", "clone", "fsck", "--strict"], **run)
    shutil.copytree(tmp_path / "lfs", clone / ".git" / "lfs", dirs_exist_ok=True)
    subprocess.run([git, "-C", "clone", "lfs", "checkout"], **run)
    assert (clone / "a.bin").read_bytes() == b"second\x00"


@pytest.mark.parametrize("cut", [100, 5000, -600, -1])
def test_a_file_that_was_cut_off_is_refused_and_leaves_nothing(bundle, charlie, cut):
    with pytest.raises(BundleRefused):
        read(bundle[:cut], charlie)
    assert not charlie.namespace.repos.exists()
    assert not QuotaAccount.objects.filter(namespace=charlie.namespace, used__gt=0).exists()


def test_every_flipped_byte_of_a_part_is_found(bundle, charlie):
    offsets = [bundle.index(b"PACK") + 40, bundle.index(b"second\x00"), bundle.index(b'"sha256"') + 15]
    for offset in offsets:
        damaged = bytearray(bundle)
        damaged[offset] ^= 1
        with pytest.raises(DomainError):
            read(bytes(damaged), charlie)
        assert not charlie.namespace.repos.exists()


def test_a_manifest_that_somebody_changed_has_no_valid_signature(bundle, charlie):
    other = part(bundle, "manifest.json").replace(b"alice/bert", b"alice/bart")
    with pytest.raises(BundleRefused, match="signature"):
        read(remade(bundle, manifest=other), charlie)
    assert not charlie.namespace.repos.exists()


def test_only_trusted_portals_where_the_admin_names_them(bundle, charlie, settings):
    settings.BUNDLE_KEYS = ["c29tZWJvZHkgZWxzZQ=="]
    with pytest.raises(BundleRefused, match="not trusted"):
        read(bundle, charlie)
    settings.BUNDLE_KEYS = [bundle_format.public_key()]
    assert read(bundle, charlie).full_name == "charlie/copy"


def test_references_that_the_history_does_not_have_are_refused(bundle, charlie, repo):
    refs = {"refs/heads/main": "1" * 40}
    with pytest.raises(DomainError):
        read(signed_again(bundle, refs=refs), charlie)
    hidden = {"refs/heads/main": repo.refs.get(name="refs/heads/main").oid, "refs/pr/1": "1" * 40}
    with pytest.raises(DomainError):
        read(signed_again(bundle, refs=hidden), charlie)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "lfs/objects/aa/bb/" + "c" * 64, "repository.bundle", "lfs/x"]
)
def test_parts_with_other_names_are_refused(bundle, charlie, path):
    manifest = json.loads(part(bundle, "manifest.json"))
    manifest["parts"][1]["path"] = path
    with pytest.raises(BundleRefused):
        read(signed_again(bundle, parts=manifest["parts"]), charlie)


@pytest.mark.parametrize("data", [b"", b"hello" * 1000, bytes(4096), b"PK\x03\x04" + bytes(2000)])
def test_what_is_no_bundle_is_refused(repo, charlie, data):
    with pytest.raises(BundleRefused):
        read(data, charlie)


def test_content_that_the_history_needs_must_be_in_it(bundle, charlie):
    manifest = json.loads(part(bundle, "manifest.json"))
    kept = bytearray()
    with tarfile.open(fileobj=BytesIO(bundle)) as tar:
        dropped = manifest["parts"].pop()["path"]
        encoded = json.dumps(manifest).encode()
        for entry in tar:
            file = tar.extractfile(entry)
            assert file is not None
            content = {"manifest.json": encoded, "signature.json": bundle_format.signature(encoded)}.get(
                entry.name, file.read()
            )
            if entry.name != dropped:
                kept += bundle_format.head(entry.name, len(content)) + content + bundle_format.padding(len(content))
    with pytest.raises(DomainError, match="not been uploaded"):
        read(bytes(kept) + bundle_format.END, charlie)
    assert not charlie.namespace.repos.exists()


def test_nobody_brings_a_bundle_into_a_name_of_somebody_else(bundle, charlie):
    with pytest.raises(NotAllowed):
        unbundling.receive(iter([bundle]), by=charlie, namespace="alice", name="copy")
    with pytest.raises(Conflict):
        read(bundle, charlie, name=read(bundle, charlie).name)


def test_a_full_account_takes_nothing(bundle, charlie):
    QuotaAccount.objects.create(namespace=charlie.namespace, limit=5000)
    with pytest.raises(QuotaExceeded):
        read(bundle, charlie)
    assert not charlie.namespace.repos.exists()


def test_what_a_killed_import_left_is_gone_on_with(bundle, charlie, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bundle_format, "check_signature", die)
        with pytest.raises(Killed):
            read(bundle, charlie)
    left = Repo.objects.get(namespace=charlie.namespace)
    assert left.private
    assert Commit.objects.filter(repo=left).count() == 1
    assert Wire().get("/api/models/charlie/copy").status_code == 401
    copy = read(bundle, charlie)
    assert (copy.pk, copy.private) == (left.pk, False)
    assert Import.objects.count() == 1


def test_what_somebody_wrote_into_an_unfinished_import_is_not_removed_with_it(bundle, charlie, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bundle_format, "check_signature", die)
        with pytest.raises(Killed):
            read(bundle, charlie)
    left = Repo.objects.get(namespace=charlie.namespace)
    publishing.commit(repo=left, by=charlie, changes=[PutFile("own.txt", b"own")], title="My own work")
    for data in (bundle, bundle[:-2000]):
        with pytest.raises(DomainError):
            read(data, charlie)
        assert left.commits.filter(title="My own work").exists()


def test_a_bundle_of_the_same_state_names_the_same_content(repo, bundle):
    one, two = (json.loads(part(data, "manifest.json")) for data in (bundle, written(repo)))
    assert one["refs"] == two["refs"]
    assert one["parts"][1:] == two["parts"][1:]


def test_programs_send_and_fetch_bundles(repo, token_of, charlie, alice):
    data = body_of(Wire(token_of(alice)).get("/api/v1/bundles/models/alice/bert"))
    wire = Wire(token_of(charlie))
    made = wire.call("PUT", "/api/v1/bundles/models/charlie/bert", data, content_type="application/x-tar")
    assert (made.status_code, made.json()["page"]) == (201, "/charlie/bert")
    assert Repo.objects.get(namespace=charlie.namespace).head == made.json()["sha"]
    again = wire.call("PUT", "/api/v1/bundles/models/charlie/bert", data, content_type="application/x-tar")
    assert again.status_code == 409
    wrong = wire.call("PUT", "/api/v1/bundles/datasets/charlie/cars", data, content_type="application/x-tar")
    assert wrong.status_code == 400
    reader = Wire(token_of(charlie, role="read"))
    assert reader.call("PUT", "/api/v1/bundles/models/charlie/x", data).status_code == 403
    assert Wire().call("PUT", "/api/v1/bundles/models/charlie/x", data).status_code == 401


def test_who_may_not_see_a_repository_gets_no_bundle(make_repo, alice, charlie, as_user, token_of):
    make_repo(alice, "secret", private=True)
    for user in (None, charlie):
        wire = Wire(token_of(user) if user else None)
        hidden, missing = (wire.get(f"/api/v1/bundles/models/alice/{name}") for name in ("secret", "none"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
        assert as_user(user).get("/alice/secret/bundle").status_code == 404
    assert as_user(alice).get("/alice/secret/bundle").status_code == 200


def test_of_a_gated_repository_only_who_was_let_in_gets_a_bundle(repo, charlie, as_user):
    Repo.objects.filter(pk=repo.pk).update(gated="manual")
    assert as_user(charlie).get("/alice/bert/bundle").status_code == 403
    assert Wire().get("/api/v1/bundles/models/alice/bert").status_code == 403


def test_a_page_makes_a_repository_of_a_bundle(bundle, charlie, as_user):
    browser = as_user(charlie)
    assert "bundle-file" in browser.get("/new/import").content.decode()
    form = {"bundle-namespace": "charlie", "bundle-name": "mine", "bundle-private": "on"}
    answer = browser.post("/new/bundle", {**form, "bundle-file": SimpleUploadedFile("x.tar", bundle)})
    assert (answer.status_code, answer["Location"]) == (302, "/charlie/mine")
    assert Repo.objects.get(namespace=charlie.namespace).private
    bad = browser.post("/new/bundle", {**form, "bundle-name": "n", "bundle-file": SimpleUploadedFile("x.tar", b"no")})
    assert (bad.status_code, "ends too early" in bad.content.decode()) == (400, True)
    assert as_user(None).post("/new/bundle", form).status_code == 302


def test_commands_write_and_read_bundles(repo, charlie, tmp_path, capsys):
    file = tmp_path / "bert.tar"
    call_command("export_bundle", "alice/bert", str(file))
    assert bundle_format.public_key() in capsys.readouterr().out
    call_command("import_bundle", str(file), "--as", "charlie/bert", "--private")
    assert Repo.objects.get(namespace=charlie.namespace).private
    with pytest.raises(CommandError, match="already"):
        call_command("import_bundle", str(file), "--as", "charlie/bert")
    with pytest.raises(CommandError):
        call_command("export_bundle", "alice/none", str(file))


def test_large_sizes_fit_into_the_head_of_a_part():
    entry = tarfile.TarInfo.frombuf(
        bundle_format.head("lfs/objects/aa/bb/" + "a" * 64, 50 * 1024**3), "utf-8", "strict"
    )
    assert entry.size == 50 * 1024**3


@pytest.mark.parametrize("odd", ["\ud800", "a\x00b"], ids=ascii)
def test_names_that_no_database_can_hold_are_refused(bundle, charlie, odd):
    refs = json.loads(part(bundle, "manifest.json"))["refs"]
    changes = {"repository": {"kind": "model", "name": odd}}, {"refs": {**refs, f"refs/heads/{odd}": "1" * 40}}
    for change in changes:
        with pytest.raises(BundleRefused):
            read(signed_again(bundle, **change), charlie)
    assert not charlie.namespace.repos.exists()
