"""Commits that scores are about: they stay, whatever becomes of the branches that led to them."""

from leaderboard.models import Benchmark, Entry, Evaluation


def pinned_commits(repo_id: int) -> set[str]:
    """Return the ids of a repository's commits that a benchmark, an evaluation or an entry names."""
    benchmarks = Benchmark.objects.filter(dataset_id=repo_id).values_list("commit_oid", flat=True)
    evaluations = Evaluation.objects.filter(model_id=repo_id).values_list("commit_oid", flat=True)
    bases = Evaluation.objects.filter(base_id=repo_id).values_list("base_commit", flat=True)
    entries = Entry.objects.filter(model_id=repo_id).values_list("commit_oid", flat=True)
    entry_bases = Entry.objects.filter(base_id=repo_id).values_list("base_commit", flat=True)
    found = (benchmarks, evaluations, bases, entries, entry_bases)
    return {oid for rows in found for oid in rows.distinct()}
