"""Pages to learn from: guides, the glossary, articles of the community, and the search over them all."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from forum import boards, searching
from forum.learning import articles, finding, glossary, guides, pages
from forum.learning.guides import LANGUAGES, Guide
from forum.models import Article, Category, Topic
from forum.searching import Question
from forum.views.boards import number
from portal.context import site_address
from portal.errors import NotFound
from portal.models import User

ON_HOME, ON_FRONT, ASKED = 4, 3, 5
LONGEST = 200


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All guides, the newest articles, the words."""
    language = _language(request)
    lines, _older = articles.page(request.user, size=ON_HOME)
    context = {
        "guides": guides.listed(language),
        "lines": lines,
        "words": len(glossary.words()),
        "room": articles.room_to_write(request.user),
    }
    return render(request, "forum/learn/home.html", context)


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    """One guide in the reader's language, or in the one that the address asks for."""
    found = guides.find(slug, _language(request))
    if found is None:
        raise NotFound(_("There is no such guide."))
    name = request.user.username if isinstance(request.user, User) else ""
    page = pages.shown(found, address=site_address(request), name=name)
    before, after = guides.neighbours(found)
    context = {
        "guide": found,
        "html": page.html,
        "contents": pages.contents(page),
        "before": before,
        "after": after,
        "needs": guides.named(found.needs, found.language),
        "next": guides.named(found.next, found.language),
        "topics": _topics_about(request, found),
        "room": _room_for_questions(request),
        "other": next(code for code in LANGUAGES if code != found.language),
        "languages": LANGUAGES,
    }
    return render(request, "forum/learn/guide.html", context)


@require_safe
def words(request: HttpRequest) -> HttpResponse:
    """The glossary."""
    language = _language(request)
    rows = [(word, word.name(language), word.other_name(language), word.meaning(language)) for word in glossary.words()]
    return render(request, "forum/learn/glossary.html", {"rows": rows})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Guides, words and articles that answer, in whichever language."""
    text = _asked(request)
    context: dict[str, object] = {"text": text}
    if text:
        found = finding.guides_for(text, _language(request))
        named = finding.words_for(text, _language(request))
        rooms = boards.categories(request.user)
        hits = searching.find(Question(text=text, kind="article"), request.user, rooms).hits
        context |= {"guides": found, "words": named, "hits": hits, "is_empty": not (found or named or hits)}
    return render(request, "forum/learn/search.html", context)


@require_safe
def found_on_site(request: HttpRequest) -> HttpResponse:
    """The best guides, for the page of all results."""
    text = _asked(request)
    hits = finding.guides_for(text, _language(request))[:ON_FRONT] if text else []
    return render(request, "forum/learn/_found_on_site.html", {"hits": hits, "text": text})


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The first guides, for the first page of the portal."""
    return render(request, "forum/learn/_front.html", {"guides": guides.listed(_language(request))[:ON_FRONT]})


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Articles of the community, the newest first."""
    language = request.GET.get("language", "")
    language = language if language in Article.Language.values else ""
    waiting, before = bool(request.GET.get("waiting")), number(request.GET.get("before", ""))
    lines, older = articles.page(request.user, language=language, waiting=waiting, before=before)
    context = {
        "lines": lines,
        "older": older,
        "language": language,
        "waiting": waiting,
        "any_waiting": waiting or articles.listed(request.user, waiting=True).exists(),
        "languages": Article.Language.choices,
        "room": articles.room_to_write(request.user),
        "is_later": before is not None,
    }
    return render(request, "forum/learn/articles.html", context)


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("in", "")
    return asked if asked in LANGUAGES else guides.language_of(get_language())


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]


def _topics_about(request: HttpRequest, found: Guide) -> list[Topic]:
    """Return what was asked about a guide, the newest first."""
    seen = Topic.objects.in_forum(request.user).filter(about=f"guide:{found.number}")
    return list(seen.select_related("author").order_by("-pk")[:ASKED])


def _room_for_questions(request: HttpRequest) -> Category | None:
    rooms = Category.objects.visible_to(request.user).filter(archived_at=None, staff_open=False)
    return rooms.order_by("-asks_questions", "position", "pk").first()
