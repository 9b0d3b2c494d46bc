"""Addresses of what people learn from."""

from django.urls import path

from forum.views import article_acts, feeds, learn

urlpatterns = [
    path("learn", learn.home, name="learn"),
    path("learn/search", learn.search, name="learn_search"),
    path("learn/glossary", learn.words, name="glossary"),
    path("learn/articles", learn.listed, name="articles"),
    path("learn/articles.atom", feeds.articles, name="articles_feed"),
    path("learn/articles/<int:pk>", article_acts.article, name="article"),
    path("learn/articles/<int:pk>/acceptance", article_acts.acceptance, name="article_acceptance"),
    path("learn/articles/<int:pk>/acceptance/removal", article_acts.acceptance_removal, name="acceptance_removal"),
    path("learn/<slug:slug>", learn.guide, name="guide"),
    path("fragments/learn/front", learn.front, name="learn_front"),
    path("fragments/learn/search", learn.found_on_site, name="learn_search_piece"),
]
