"""Rows of the forum."""

from forum.models.articles import Article
from forum.models.attachments import Attachment
from forum.models.categories import Category, CategoryQuerySet, Steward
from forum.models.marks import Bookmark, Draft, Reaction
from forum.models.polls import Poll, PollOption, PollVote
from forum.models.posts import Post, PostVersion
from forum.models.reading import CategoryReader, Ignoring, Level, Reader, TopicReader
from forum.models.searching import PostWords
from forum.models.tags import Tag, TopicTag
from forum.models.topics import LISTED, Topic, TopicQuerySet

__all__ = [
    "LISTED",
    "Article",
    "Attachment",
    "Bookmark",
    "Category",
    "CategoryQuerySet",
    "CategoryReader",
    "Draft",
    "Ignoring",
    "Level",
    "Poll",
    "PollOption",
    "PollVote",
    "Post",
    "PostVersion",
    "PostWords",
    "Reaction",
    "Reader",
    "Steward",
    "Tag",
    "Topic",
    "TopicQuerySet",
    "TopicReader",
    "TopicTag",
]
