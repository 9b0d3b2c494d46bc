"""Commits that runs began from: they stay, or no run could be repeated."""

from models_hub.models import Run, RunAid


def pinned_commits(repo_id: int) -> set[str]:
    """Return the ids of a repository's commits that a run began from or ended with."""
    bases = Run.objects.filter(base_id=repo_id).exclude(base_commit="").values_list("base_commit", flat=True)
    data = Run.objects.filter(data_id=repo_id).exclude(data_commit="").values_list("data_commit", flat=True)
    results = Run.objects.filter(result_id=repo_id).exclude(result_commit="").values_list("result_commit", flat=True)
    aids = RunAid.objects.filter(repo_id=repo_id).values_list("commit", flat=True)
    return {*aids.distinct(), *bases.distinct(), *data.distinct(), *results.distinct()}
