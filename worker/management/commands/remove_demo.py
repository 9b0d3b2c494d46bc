"""manage.py remove_demo: takes the demo's account, repositories, scores and suites away again."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from leaderboard.models import Suite
from models_hub import publishing
from models_hub.models import Repo
from portal.models import Job, User


class Command(BaseCommand):
    help = "Remove the demo: its user, repositories, benchmarks, scores and the suites that then are empty."

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(is_demo=True).first()
        if user is None:
            self.stdout.write("There is no demo to remove.")
            return
        with transaction.atomic():
            for job in Job.objects.unfinished().filter(owner=user):
                job.cancel(by=user)
            suites = list(Suite.objects.filter(benchmarks__dataset__namespace__user=user).distinct())
            repos = list(Repo.objects.filter(namespace__user=user).select_related("namespace"))
            for repo in repos:
                publishing.delete_repo(repo, by=user)
            for suite in suites:
                if not suite.entries.exists():
                    suite.delete()
            user.delete()
        shutil.rmtree(Path(settings.DATA_DIR) / "demo", ignore_errors=True)
        self.stdout.write(f"Removed the demo: {len(repos)} repositories with their scores.")
