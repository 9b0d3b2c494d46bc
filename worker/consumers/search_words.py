"""Posts are found by their words as soon as the event of them is delivered."""

from forum import indexing
from portal.models import Event, Job

JOB_KIND = "mark_posts"
HEARD = tuple(
    f"{place}.{what}"
    for place in ("topic", "discussion")
    for what in (
        "opened",
        "held",
        "commented",
        "comment_held",
        "edited",
        "renamed",
        "split",
        "status_changed",
        "reviewed",
    )
)
# After these the posts of a topic are in another place, of another kind, under other tags, or answered.
MOVED = (
    "topic.moved",
    "topic.retagged",
    "topic.kind",
    "topic.split",
    "topic.split_from",
    "topic.merged",
    "topic.accepted",
    "topic.unaccepted",
)


def index(event: Event) -> None:
    """Take in the words of the post that the event is about, and another title of its topic."""
    post, topic = event.payload.get("post"), event.payload.get("topic")
    if isinstance(post, int):
        indexing.index([post])
    if isinstance(topic, int) and event.kind.endswith((".renamed", ".split")):
        indexing.index_topic(topic)


def mark(event: Event) -> None:
    """Let the posts of the topic be found where they are now."""
    topic = event.payload.get("topic")
    if isinstance(topic, int):
        mark_topic(topic, event)


def mark_topic(topic: int, event: Event) -> None:
    """Mark the posts of a topic anew, those of a long one in a job."""
    if not indexing.is_long(topic):
        indexing.mark(topic)
        return
    Job.enqueue(
        JOB_KIND,
        spec={"topic": topic},
        owner=None,
        title=event.kind,
        queue="light",
        idempotency_key=f"{JOB_KIND}:{topic}:{event.pk}",
    )
