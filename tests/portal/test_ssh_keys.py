"""Public keys of SSH: what is taken, whose they are, and the page."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.urls import reverse
from django.utils import timezone

from portal import origin
from portal.errors import Conflict
from portal.models import AuditEntry, Event, Restraint, SshKey
from portal.public_keys import KeyRefused, fingerprint_of, read
from tests.conftest import PASSWORD

PAGE = "/settings/ssh-keys"


def line_of(key, comment="laptop") -> str:
    return f"{key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}".strip()


def new_line(comment="laptop") -> str:
    return line_of(ed25519.Ed25519PrivateKey.generate(), comment)


@pytest.fixture
def key(alice):
    return SshKey.add(user=alice, text=new_line())


@pytest.fixture
def browser(as_user, alice):
    """Alice, who has given her password a moment ago."""
    client = as_user(alice)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_a_key_is_known_by_its_fingerprint():
    text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f a b"
    found = read(f"  {text}\n")
    assert (found.type, found.comment, found.text) == ("ssh-ed25519", "a b", text.removesuffix(" a b"))
    # What `ssh-keygen -l` says of it.
    assert found.fingerprint == "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
    assert found.fingerprint == fingerprint_of(base64.b64decode(text.split()[1]))
    assert read(line_of(ec.generate_private_key(ec.SECP256R1()), "")).type == "ecdsa-sha2-nistp256"


def test_what_is_no_public_key_is_refused_with_what_to_do():
    private = ed25519.Ed25519PrivateKey.generate()
    kind, encoded, comment = line_of(private).split()
    short = rsa.generate_private_key(65537, 1024)
    for text, said in {
        private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(): "private half",
        "PuTTY-User-Key-File-3: ssh-ed25519": "private half",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP": "DSA",
        line_of(short): "this one has 1024",
        f"ssh-ed25519-cert-v01@openssh.com {encoded}": "certificate",
        f'command="id" {kind} {encoded}': "begins with its type",
        f"{kind} {encoded[:-8]} {comment}": "damaged",
        f"{kind} {encoded}é": "damaged",
        f"ssh-rsa {encoded}": "damaged",
        f"{kind} {encoded}\n{kind} {encoded}": "single line",
        "": "single line",
        "x" * 9000: "single line",
    }.items():
        with pytest.raises(KeyRefused, match=said):
            read(text)


def test_one_key_cannot_be_written_in_two_ways():
    public = rsa.generate_private_key(65537, 2048)
    kind, encoded, _comment = line_of(public).split()
    blob = base64.b64decode(encoded)
    # The exponent is 00000003 010001; with a zero before it, it is the same number.
    longer = blob.replace(b"\0\0\0\3\1\0\1", b"\0\0\0\4\0\1\0\1", 1)
    with pytest.raises(KeyRefused, match="damaged"):
        read(f"{kind} {base64.b64encode(longer).decode()}")


def test_a_key_belongs_to_one_account(alice, bob, key):
    with pytest.raises(Conflict, match="already"):
        SshKey.add(user=alice, text=f"{key.text} other")
    with pytest.raises(Conflict, match="another account"):
        SshKey.add(user=bob, text=key.text, name="mine")
    assert list(SshKey.objects.all()) == [key]
    assert Event.objects.filter(kind="ssh_key.added").count() == 1


def test_a_key_opens_nothing_once_its_owner_is_held_off_or_it_is_removed(alice, key):
    known = {"fingerprint": key.fingerprint}
    assert SshKey.opened(**known).user == alice
    restraint = Restraint.objects.create(person=alice, kind=Restraint.Kind.SUSPENSION)
    assert SshKey.opened(**known) is None
    Restraint.objects.filter(pk=restraint.pk).update(lifted_at=timezone.now())
    assert SshKey.opened(**known)
    alice.deletion_due_at = timezone.now()
    alice.save()
    assert SshKey.opened(**known) is None
    key.remove()
    key.remove()
    assert Event.objects.filter(kind="ssh_key.removed").count() == 1


def test_each_new_address_is_in_the_audit_list_once(key):
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"):
        with origin.coming_from(address, "OpenSSH"):
            key.note_use()
    noted = AuditEntry.objects.filter(kind="ssh_key.used_elsewhere").values_list("address", flat=True)
    assert sorted(noted) == ["10.0.0.1", "10.0.0.2"]
    assert SshKey.objects.get().last_address == "10.0.0.2"


def test_a_key_is_added_on_the_page_after_the_password(as_user, alice, browser):
    text = new_line("")
    fresh = as_user(alice)
    assert "reauthenticate" in fresh.post(PAGE, {"text": text, "name": "x"})["Location"]
    assert fresh.get(PAGE).status_code == 200
    unnamed = browser.post(PAGE, {"text": text})
    assert (unnamed.status_code, "1 to 80 characters" in unnamed.text) == (400, True)
    assert browser.post(PAGE, {"text": text, "name": "desk", "read_only": "on"}, follow=True).status_code == 200
    key = SshKey.objects.get()
    assert (key.user, key.name, key.read_only) == (alice, "desk", True)
    page = browser.get(PAGE).text
    assert key.fingerprint in page
    assert "runs no SSH server now" in page


def test_the_page_says_how_to_try_a_key_where_a_server_runs(browser, settings, key):
    settings.SSH_PORT = 2222
    assert "ssh -T -p 2222 git@testserver" in browser.get(PAGE).text
    settings.SSH_PUBLIC_PORT, settings.SSH_ADDRESS = 22, "git.example.org"
    assert "ssh -T git@git.example.org" in browser.get(PAGE).text


def test_nobody_removes_the_keys_of_others(as_user, alice, bob, key):
    path = f"{PAGE}/{key.pk}/removal"
    assert as_user(bob).post(path).status_code == 404
    assert as_user(alice).get(path).status_code == 405
    assert as_user(alice).post(path).status_code == 302
    assert not SshKey.objects.exists()
