"""Posts are found by their words as soon as the event of them is delivered."""

from forum import indexing
from portal.models import Event

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


def index(event: Event) -> None:
    """Take in the words of the post that the event is about, and another title of its topic."""
    post, topic = event.payload.get("post"), event.payload.get("topic")
    if isinstance(post, int):
        indexing.index([post])
    if isinstance(topic, int) and event.kind.endswith((".renamed", ".split")):
        indexing.index_topic(topic)
