"""The job kind `mark_posts`: the posts of a long topic are found where it was moved to, batch by batch."""

from forum import indexing
from worker.attempts import Attempt


def run(attempt: Attempt) -> None:
    """Begin anew after a crash: what bears its marks already is left as it is."""
    count = indexing.mark(attempt.job.spec["topic"], attempt.check)
    attempt.job.finish({"posts": count})
