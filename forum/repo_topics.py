"""The conversation about each pull request: what the hub reports becomes a topic and its posts."""

from collections.abc import Sequence

from forum import discussing, posting
from forum.models import Post, Topic
from models_hub import rendering
from models_hub.models import Commit, PullRequest
from portal.models import User

MAX_SHOWN = 250  # commits of one push


class RepoTopics:
    """Keeps models_hub.conversation.Conversation. All of it runs inside the transaction of the change."""

    def opened(self, pull: PullRequest, *, by: User, title: str, description: str) -> None:
        topic = Topic.objects.create(
            repo=pull.repo, number=pull.number, is_pull_request=True, title=title, status=pull.status, author=by
        )
        post = posting.append(topic, by=by, text=_unrendered(description))
        discussing.record("opened", topic, by=by, title=title, **posting.facts(post))

    def title_of(self, pull: PullRequest) -> str:
        return _topic(pull).title

    def committed(self, pull: PullRequest, commits: Sequence[Commit], *, by: User | None) -> None:
        topic = _topic(pull)
        for commit in commits[-MAX_SHOWN:]:
            facts = {"subject": commit.title, "oid": commit.oid}
            posting.append(topic, by=commit.author or by, kind=Post.Kind.COMMIT, data=facts)
        discussing.record("committed", topic, by=by, commit=commits[-1].oid if commits else "", count=len(commits))

    def status_changed(self, pull: PullRequest, *, by: User, comment: str) -> None:
        discussing.note_status(_topic(pull), pull.status, by=by, text=_unrendered(comment))

    def reviewed(self, pull: PullRequest, *, by: User, verdict: str, comment: str) -> None:
        topic = _topic(pull)
        note = posting.append(topic, by=by, kind=Post.Kind.REVIEW, data={"verdict": verdict})
        if comment:
            discussing.add_comment(topic, by=by, text=_unrendered(comment))
        discussing.record("reviewed", topic, by=by, verdict=verdict, **posting.facts(note))

    def merged(self, pull: PullRequest, *, by: User, comment: str) -> None:
        discussing.note_status(_topic(pull), pull.status, by=by, text=_unrendered(comment))


def _topic(pull: PullRequest) -> Topic:
    topic = Topic.objects.get(repo=pull.repo, number=pull.number)
    topic.repo = pull.repo
    return topic


def _unrendered(text: str) -> posting.Written:
    """Rendering takes too long for a transaction: whoever looks first renders."""
    return posting.Written(text, "", 0 if text else rendering.VERSION)
