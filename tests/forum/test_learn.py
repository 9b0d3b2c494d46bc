"""Guides, glossary and their search: pages that come from files, alike in both languages."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve

from forum import founding, opening
from forum.learning import finding, glossary, guides, pages
from forum.models import Category
from forum.opening import NewTopic
from tests.forum.tutorials import blocks

ENGLISH, CHINESE = guides.listed(guides.ENGLISH), guides.listed(guides.CHINESE)
_LINK = re.compile(r"\]\((/[^)\s]*)\)")
pytestmark = pytest.mark.django_db


def test_every_guide_is_there_in_both_languages_with_the_same_facts():
    def facts(guide):
        return guide.slug, guide.number, guide.minutes, guide.level, guide.icon, guide.tags, guide.needs, guide.next

    assert list(map(facts, ENGLISH)) == list(map(facts, CHINESE))
    assert len({guide.number for guide in ENGLISH}) == len(ENGLISH) >= 5


@pytest.mark.parametrize("pair", list(zip(ENGLISH, CHINESE, strict=True)), ids=lambda pair: pair[0].slug)
def test_both_languages_have_the_same_code_and_the_same_parts(pair):
    english, chinese = pair
    assert list(blocks(english)) == list(blocks(chinese))
    assert len(english.sections) == len(chinese.sections)
    assert sorted(_LINK.findall(english.text)) == sorted(_LINK.findall(chinese.text))


def test_a_guide_names_guides_levels_and_languages_that_are_there():
    known = {guide.slug for guide in ENGLISH}
    for guide in ENGLISH:
        assert {*guide.needs, *guide.next} <= known - {guide.slug}
        assert guide.level in guides.LEVELS
    assert len(guides.LANGUAGES) == len(settings.LANGUAGES)


def test_links_of_guides_and_words_lead_somewhere():
    texts = [guide.text for guide in ENGLISH]
    links = {link for text in texts for link in _LINK.findall(text)} | {word.link for word in glossary.words()} - {""}
    words = {word.slug for word in glossary.words()}
    for link in links:
        path, _mark, anchor = link.partition("#")
        try:
            found = resolve(path)
        except Resolver404:
            pytest.fail(f"{link} leads nowhere")
        if found.url_name == "guide":
            assert guides.find(found.kwargs["slug"], guides.ENGLISH), link
        assert found.url_name not in {"profile", "model"}, link
        assert not anchor or anchor in words, link


def test_templates_lead_to_guides_that_are_there():
    known = {guide.slug for guide in ENGLISH} | {"search", "glossary", "articles"}
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        for slug in re.findall(r'"/learn/([\w-]+)', path.read_text(encoding="utf-8")):
            assert slug in known, f"{path}: /learn/{slug}"


def test_the_search_knows_the_anchors_that_the_renderer_makes():
    for guide in (*ENGLISH, *CHINESE):
        page = pages.shown(guide, address="http://here", name="")
        assert [one.anchor for one in guide.sections[1:]] == [one["id"] for one in page.headings]


def test_a_guide_is_filled_in_for_its_reader(as_user, alice):
    page = as_user(alice).get("/learn/publish-a-model").content.decode()
    assert "alice/first-model" in page
    assert "http://testserver" in page
    assert guides.ADDRESS not in page
    assert "your-name/first-model" in Client().get("/learn/publish-a-model").content.decode()


def test_a_guide_is_read_in_the_language_of_the_site_or_of_the_address():
    chinese = Client(headers={"accept-language": "zh-hans"}).get("/learn/publish-a-model").content.decode()
    assert "发布第一个模型" in chinese
    assert "发布第一个模型" in Client().get("/learn/publish-a-model?in=zh-hans").content.decode()


def test_words_are_explained_where_a_guide_links_them():
    page = Client().get("/learn/publish-a-model").content.decode()
    word = glossary.find("safetensors")
    assert word is not None
    assert f'href="/learn/glossary#safetensors" class="term" title="{word.means_en}"' in page.replace(
        ' rel="nofollow noopener"', ""
    )


def test_there_is_no_other_guide():
    assert Client().get("/learn/nothing-of-that-name").status_code == 404
    assert Client().post("/learn/publish-a-model").status_code == 405


def test_the_home_of_learning_lists_guides_words_and_the_way_to_write(as_user, alice):
    page = as_user(alice).get("/learn").content.decode()
    assert all(f'href="{guide.path}"' in page for guide in ENGLISH)
    assert "/learn/glossary" in page


@pytest.mark.parametrize("words", ["flip rate", "翻转率", "typing errors", "按错键"])
def test_guides_are_found_in_either_language(words):
    for language in guides.LANGUAGES:
        assert next(hit.guide.slug for hit in finding.guides_for(words, language)) == "test-robustness"


def test_words_are_found_in_either_language():
    for asked in ("flip rate", "翻转率"):
        assert finding.words_for(asked, guides.ENGLISH)[0].word.slug == "flip-rate"
    page = Client().get("/learn/search?q=翻转率").content.decode()
    assert "/learn/glossary#flip-rate" in page
    assert "/learn/test-robustness?in=zh-hans#" in page


def test_a_search_for_nothing_known_leads_to_the_forum():
    page = Client().get("/learn/search?q=zzzyqx").content.decode()
    assert "/forum/new?title=zzzyqx" in page
    assert Client().get("/learn/search").status_code == 200


def test_a_question_about_a_guide_says_so_and_stands_below_it(as_user, alice):
    founding.found()
    form = as_user(alice).get("/forum/new?category=questions&about=guide:10").content.decode()
    assert "/learn/publish-a-model" in form
    room = Category.objects.get(slug="questions")
    new = NewTopic("Where is my token?", "I cannot find it on the page.", about="guide:10")
    topic = opening.open_topic(category=room, by=alice, new=new)
    assert topic.path in Client().get("/learn/publish-a-model").content.decode()
    assert topic.path not in Client().get("/learn/choose-a-model").content.decode()


def test_pages_of_learning_ask_few_questions(as_user, alice, django_assert_max_num_queries):
    founding.found()
    client = as_user(alice)
    for address in ("/learn", "/learn/publish-a-model", "/learn/glossary", "/learn/articles"):
        client.get(address)
        with django_assert_max_num_queries(9):
            assert client.get(address).status_code == 200


def test_the_first_page_and_the_search_of_the_site_lead_to_guides():
    assert "/learn/publish-a-model" in Client().get("/fragments/learn/front").content.decode()
    assert "/learn/test-robustness" in Client().get("/fragments/learn/search?q=flip+rate").content.decode()
    assert Client().get("/fragments/learn/search?q=zzzyqx").content.decode().strip() == ""
