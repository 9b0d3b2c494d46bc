"""Rows of the forum."""

from forum.models.attachments import Attachment
from forum.models.posts import Post, PostVersion
from forum.models.topics import Topic, TopicQuerySet

__all__ = ["Attachment", "Post", "PostVersion", "Topic", "TopicQuerySet"]
