"""Addresses of the forum where people read: lists, topics, what is unread, search, feeds."""

from django.urls import path, re_path

from forum.views import boards, feeds, finding, people, topic_page, unread

TOPIC = r"^forum/topics/(?P<pk>[1-9]\d{0,17})"

urlpatterns = [
    path("forum", boards.home, name="forum"),
    path("forum/search", finding.search, name="forum_search"),
    path("fragments/forum/front", boards.front, name="forum_front"),
    path("fragments/forum/search", finding.piece, name="forum_search_piece"),
    path("forum/latest.atom", feeds.latest, name="forum_feed"),
    path("forum/c/<slug:slug>.atom", feeds.category, name="forum_category_feed"),
    re_path(r"^forum/tags/(?P<name>[^/]{1,40})\.atom$", feeds.tag, name="forum_tag_feed"),
    re_path(r"^forum/t/(?P<pk>[1-9]\d{0,17})\.atom$", feeds.topic, name="forum_topic_feed"),
    path("forum/people/<account:name>.atom", feeds.author, name="forum_author_feed"),
    path("fragments/people/<account:name>/answers", people.answers, name="answers_of_person"),
    path("forum/latest", boards.latest, name="forum_latest"),
    path("forum/c/<slug:slug>", boards.category, name="forum_category"),
    path("forum/c/<slug:slug>/level", boards.category_level, name="forum_category_level"),
    path("forum/c/<slug:slug>/read", boards.category_read, name="forum_category_read"),
    path("forum/tags", boards.tags, name="forum_tags"),
    re_path(r"^forum/tags/(?P<name>[^/]{1,40})$", boards.tag, name="forum_tag"),
    path("forum/unread", unread.unread, name="forum_unread"),
    path("forum/unread/new", unread.new, name="forum_unread_new"),
    path("forum/unread/count", unread.count, name="forum_unread_count"),
    path("forum/read", unread.all_read, name="forum_all_read"),
    path("forum/people/<account:name>/ignoring", unread.ignoring, name="forum_ignoring"),
    re_path(rf"{TOPIC}/news$", topic_page.news, name="forum_topic_news"),
    re_path(rf"{TOPIC}/read$", unread.read, name="forum_topic_read"),
    re_path(rf"{TOPIC}/level$", unread.topic_level, name="forum_topic_level"),
    re_path(r"^forum/t/(?P<pk>[1-9]\d{0,17})(?:/(?P<slug>[\w-]*))?$", topic_page.show, name="forum_topic"),
]
