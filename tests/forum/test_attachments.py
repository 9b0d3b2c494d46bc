"""Pictures in comments: what is taken in, what is left out of them, who gets them, and when they go."""

import os
import struct
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from forum import attaching, discussing, posting
from forum.models import Attachment
from models_hub import collecting
from models_hub.storage import attachment_store, local
from portal import picture_formats
from portal.errors import InvalidInput, TooLarge
from portal.models import AccessToken, Event
from tests.forum import pictures
from tests.models_hub.wire import Wire, body_of


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice, private=True, files={"a.txt": "one\n"})


@pytest.fixture
def sender(alice, token_of):
    return Wire(token_of(alice))


def send(wire: Wire, data: bytes = pictures.PNG) -> str:
    response = wire.post("/uploads", data, content_type="image/png")
    assert (response.status_code, response["Content-Type"]) == (200, "text/plain; charset=utf-8"), response.content
    return response.content.decode()


def path_of(address: str) -> str:
    return address.removeprefix("http://portal.example")


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "attachments").rglob("*") if path.is_file()]


def age(**fields) -> None:
    Attachment.objects.update(**fields)


@pytest.mark.parametrize("form", pictures.BY_FORMAT)
def test_a_picture_keeps_what_draws_it_and_nothing_else(form):
    told = pictures.telling()[form]
    assert pictures.SECRET in told
    picture = picture_formats.cleaned(told)
    assert (picture.format, picture.data) == (form, pictures.BY_FORMAT[form])


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photograph_stays_upright_though_it_tells_no_more_than_how_to_turn_it(order):
    tags = struct.pack(order + "HHHIII", 2, 0x010E, 2, len(pictures.SECRET), 38, 0)[:14]
    tags += struct.pack(order + "HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(order + "I", 0) + pictures.SECRET
    exif = b"Exif\0\0" + (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + tags
    told = pictures.JPEG[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + pictures.JPEG[2:]
    kept = picture_formats.cleaned(told).data
    turned = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    assert kept == pictures.JPEG[:2] + b"\xff\xe1\0\x22" + turned + pictures.JPEG[2:]
    assert picture_formats.cleaned(kept).data == kept


@pytest.mark.parametrize("form", pictures.BY_FORMAT)
def test_a_picture_cut_off_anywhere_is_refused(form):
    data = pictures.BY_FORMAT[form]
    for length in range(len(data)):
        with pytest.raises(InvalidInput):
            picture_formats.cleaned(data[:length])


@pytest.mark.parametrize(
    "data",
    [
        pictures.PNG[:16] + struct.pack(">II", 20_000, 20_000) + pictures.PNG[24:],
        pictures.GIF[:6] + b"\xff\xff\xff\xff" + pictures.GIF[10:],
        pictures.WEBP.replace(b"\x9d\x01\x2a\x03\0\x02\0", b"\x9d\x01\x2a\xff\x3f\xff\x3f"),
        pictures.JPEG.replace(b"\0\x11\x08\0\x02\0\x03", b"\0\x11\x08\xff\xff\xff\xff"),
    ],
)
def test_a_picture_too_wide_for_its_readers_is_refused(data):
    if data.startswith(pictures.PNG[:8]):
        data = pictures.PNG[:8] + pictures.png_part(b"IHDR", data[16:29]) + data[33:]
    with pytest.raises(TooLarge):
        picture_formats.cleaned(data)


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"%PDF-1.7", b"\0\0\0\x18ftypmp42"]
)
def test_other_files_are_refused(sender, data, own_blob_folder):
    response = sender.post("/uploads", data, content_type="image/png")
    assert response.status_code == 400
    assert "PNG, JPEG, GIF or WebP" in response.json()["error"]
    assert not files(own_blob_folder)


def test_a_sent_picture_is_there_under_its_address_and_can_be_nothing_but_a_picture(sender, alice):
    address = send(sender, pictures.telling()["jpg"])
    response = Wire().get(path_of(address))
    assert body_of(response) == pictures.JPEG
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert Event.objects.get(kind="attachment.added").actor == alice


def test_an_address_is_not_to_be_guessed_and_its_ending_counts(sender):
    first, second = path_of(send(sender)), path_of(send(sender))
    assert first != second
    assert len(first) == len("/uploads/") + 43 + len(".png")
    for wrong in (first[:-5] + "~.png", first.replace(".png", ".gif"), f"/uploads/{'a' * 43}.png", "/uploads"):
        assert Wire().get(wrong).status_code in {404, 405}


def test_who_may_send(alice, charlie, token_of):
    assert Wire().post("/uploads", pictures.PNG).status_code == 401
    assert Wire(token_of(charlie, "read")).post("/uploads", pictures.PNG).status_code == 403
    for permissions, status in ((("discussions",), 200), (("collections",), 403)):
        _row, secret = AccessToken.issue_fine_grained(
            user=alice, name="limited", grants=[], permissions=permissions, expires_at=None
        )
        assert Wire(secret).post("/uploads", pictures.PNG).status_code == status


def test_a_browser_must_prove_that_it_meant_it(as_user, alice):
    browser = as_user(alice)
    browser.handler.enforce_csrf_checks = True
    assert browser.post("/uploads", pictures.PNG, content_type="image/png").status_code == 403


def test_too_large_a_picture_and_too_many_of_a_day_are_refused(sender, monkeypatch):
    monkeypatch.setattr(attaching, "MAX_BYTES", len(pictures.PNG))
    monkeypatch.setattr(attaching, "MAX_A_DAY", 2)
    assert sender.post("/uploads", pictures.PNG + b"?").status_code == 413
    send(sender)
    send(sender)
    assert sender.post("/uploads", pictures.PNG).status_code == 507
    age(created_at=timezone.now() - timedelta(days=1, minutes=1))
    send(sender)
    monkeypatch.setattr(attaching, "MAX_BYTES_A_DAY", 2 * len(pictures.PNG) - 1)
    assert sender.post("/uploads", pictures.PNG).status_code == 507


def test_a_comment_shows_pictures_of_this_site_and_of_no_other(repo, sender, alice):
    address = send(sender)
    path = path_of(address)
    elsewhere = f"https://other.example/uploads/{'a' * 43}.png"
    text = f"![mine]({address})\n\n![short]({path})\n\n![theirs]({elsewhere})"
    topic = discussing.open_discussion(repo=repo, by=alice, title="Look", text=text)
    html = topic.posts.get().html
    assert html.count(f'src="{path}"') == 2
    assert html.count("<img") == 2
    assert f'href="{elsewhere}"' in html
    assert "portal.example" not in html


def test_a_picture_that_nothing_shows_goes_after_its_grace(repo, sender, alice, own_blob_folder):
    shown, forgotten = send(sender, pictures.PNG), send(sender, pictures.GIF)
    topic = discussing.open_discussion(repo=repo, by=alice, title="Look", text=f"![]({shown})")
    discussing.edit(topic.posts.get(), by=alice, text="Never mind.")  # the former text can still be read
    assert attaching.collect() == 0
    age(created_at=timezone.now() - timedelta(hours=49))
    long_ago = time.time() - local.LEASE_SECONDS - 60
    for path in files(own_blob_folder):
        os.utime(path, (long_ago, long_ago))
    assert attaching.collect() == 1
    assert Wire().get(path_of(shown)).status_code == 200
    assert Wire().get(path_of(forgotten)).status_code == 404
    assert len(files(own_blob_folder)) == 1
    topic.delete()
    attaching.collect()
    assert not files(own_blob_folder)


def test_the_same_picture_sent_twice_stays_for_the_one_that_is_shown(repo, sender, alice):
    shown, forgotten = send(sender), send(sender)
    discussing.open_discussion(repo=repo, by=alice, title="Look", text=f"![]({shown})")
    attaching.collect(grace=timedelta(0))
    assert Wire().get(path_of(forgotten)).status_code == 404
    assert attachment_store().has(Attachment.objects.get().sha256)
    assert body_of(Wire().get(path_of(shown))) == pictures.PNG


def test_with_a_hidden_comment_go_its_author_s_pictures_that_are_shown_nowhere_else(repo, sender, alice, token_of):
    alone, shared = send(sender), send(sender)
    topic = discussing.open_discussion(repo=repo, by=alice, title="Look", text=f"![]({shared})")
    comment = discussing.comment(topic, by=alice, text=f"![]({alone}) ![]({shared})")
    discussing.hide(comment, by=alice)
    assert Wire().get(path_of(alone)).status_code == 404
    assert Wire().get(path_of(shared)).status_code == 200
    assert posting.written(repo, f"![]({alone})").html.count("<img") == 0


def test_the_hub_s_collector_leaves_attachments_alone(repo, sender):
    address = send(sender)
    collecting.collect(grace=timedelta(0))
    assert Wire().get(path_of(address)).status_code == 200
