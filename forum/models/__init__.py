"""Rows of the forum."""

from forum.models.posts import Post, PostVersion
from forum.models.topics import Topic, TopicQuerySet

__all__ = ["Post", "PostVersion", "Topic", "TopicQuerySet"]
