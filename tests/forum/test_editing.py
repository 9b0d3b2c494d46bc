"""One post, one category changed in two windows at once: whoever saves later sees what the other one changed."""

import pytest

from forum import drafting, opening
from forum.models import Category, Draft
from forum.opening import NewTopic

LINES = "First line.\n\nSecond line.\n\nThird line."


@pytest.fixture
def post(db, alice):
    room = Category.objects.create(slug="how", title_en="How to")
    return opening.open_topic(category=room, by=alice, new=NewTopic("How small?", LINES)).posts.get(number=1)


def page(browser, address, **form):
    asked = browser.post(address, form) if form else browser.get(address)
    return asked, asked.content.decode()


def edit(post):
    return f"/forum/posts/{post.pk}/edit"


def test_what_two_windows_changed_in_different_lines_is_joined_and_seen_before_it_is_saved(post, as_user, alice):
    browser, begun = as_user(alice), post.revision
    assert f'value="{begun}"' in page(browser, edit(post))[1]
    page(browser, edit(post), text=LINES.replace("First", "Foremost"), revision=begun)

    answer, shown = page(browser, edit(post), text=LINES.replace("Third", "Last").replace("\n", "\r\n"), revision=begun)
    assert answer.status_code == 409
    assert "<del>First line.</del>" in shown
    assert "<ins>Last line.</ins>" in shown
    post.refresh_from_db()
    assert "Third line." in post.text
    assert "Foremost line.\n\nSecond line.\n\nLast line." in shown

    both = "Foremost line.\n\nSecond line.\n\nLast line."
    assert page(browser, edit(post), text=both, revision=post.revision)[0].status_code == 302
    post.refresh_from_db()
    assert post.text == both
    assert not Draft.objects.exists()


def test_what_two_windows_changed_in_the_same_line_stands_beside_each_other_and_is_kept(post, as_user, alice):
    browser, begun = as_user(alice), post.revision
    page(browser, edit(post), text="Theirs alone.", revision=begun)

    answer, shown = page(browser, edit(post), text="Mine alone.", revision=begun)
    assert answer.status_code == 409
    assert '<textarea name="text"' in shown
    assert "Mine alone.</textarea>" in shown
    assert "Theirs alone.</pre>" in shown
    assert drafting.find(f"post:{post.pk}", by=alice).text == "Mine alone."
    assert "Mine alone.</textarea>" in page(browser, edit(post))[1], "the page is left and opened again"
    post.refresh_from_db()
    assert post.text == "Theirs alone."


def test_the_same_text_from_two_windows_and_an_edit_that_names_no_text_are_saved(post, as_user, alice):
    browser, begun = as_user(alice), post.revision
    for revision in (begun, begun, ""):
        assert page(browser, edit(post), text="Shorter.", revision=revision)[0].status_code == 302
    assert post.versions.count() == 1


def test_a_draft_of_an_earlier_text_shows_what_was_changed_since(post, as_user, alice):
    drafting.save(f"post:{post.pk}", by=alice, text="My draft.", data={"revision": post.revision})
    page(as_user(alice), edit(post), text="Saved elsewhere.", revision=post.revision)
    drafting.save(f"post:{post.pk}", by=alice, text="My draft.", data={"revision": post.revision})

    shown = page(as_user(alice), edit(post))[1]
    assert "Saved elsewhere.</pre>" in shown
    assert "My draft.</textarea>" in shown


def test_programs_are_told_that_a_post_was_changed(post, as_user, alice):
    browser, address = as_user(alice), f"/api/v1/forum/posts/{post.pk}"
    begun = browser.get(address).json()["revision"]
    send = {"content_type": "application/json"}
    assert browser.patch(address, {"text": "One.", "revision": begun}, **send).status_code == 200
    assert browser.patch(address, {"text": "Two.", "revision": begun}, **send).status_code == 409


def test_a_category_that_somebody_changed_meanwhile_is_seen_before_it_is_replaced(post, as_user, morgan):
    browser, address = as_user(morgan), "/forum/c/how/settings"
    form = {"slug": "how", "title_en": "How to", "icon": "chat", "color": "blue", "position": "1",
            "readers": "everyone", "trust_to_open": "0", "trust_to_reply": "0", "slow_seconds": "0"}  # fmt: skip
    begun = page(browser, address)[0].context["form"].initial["revision"]
    assert page(browser, address, **form, about_en="For beginners.", revision=begun)[0].status_code == 302

    answer, shown = page(browser, address, **form, about_en="For all.", revision=begun)
    assert answer.status_code == 400
    assert "For beginners." in shown
    seen = answer.context["form"]["revision"].value()
    assert page(browser, address, **form, about_en="For all.", revision=seen)[0].status_code == 302
    assert Category.objects.get(slug="how").about_en == "For all."
