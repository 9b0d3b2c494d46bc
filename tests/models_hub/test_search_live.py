"""SQLite and PostgreSQL answer alike."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.forum import same_answers as forum_answers
from tests.models_hub import same_answers
from tests.worker import postgres

pytestmark = pytest.mark.live

# What is asked for in vain.
NOTHING = ["no such tag", "repositories", "moved away", "hidden"]

OTHER = """
import django, json
django.setup()
from tests.forum import same_answers as forum
from tests.models_hub import same_answers
print(json.dumps({"hub": same_answers.answers(), "forum": forum.answers()}))
"""


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, Any]:
    """What PostgreSQL answers: one cluster for all tests of this file."""
    with postgres.cluster() as url:
        env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.config.settings.test"}
        done = subprocess.run([sys.executable, "-c", OTHER], env=env, stdout=subprocess.PIPE, timeout=240, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_search_of_the_forum_is_the_same_on_both_databases(db, elsewhere):
    here = json.loads(json.dumps(forum_answers.answers()))

    assert elsewhere["forum"] == here
    assert here["marked"]
    assert [name for name, hits in here["found"].items() if not hits] == NOTHING
    assert len(here["tagged"]) == len(set(here["tagged"])) == 6


def test_both_databases_refuse_to_change_the_log_of_moderation(elsewhere):
    assert elsewhere["forum"]["log"] == {"refused": ["update", "delete"], "lines": 2, "whole": True}


def test_lists_and_search_are_the_same_on_both_databases_and_private_ones_are_for_their_owner(db, elsewhere):
    here, there = json.loads(json.dumps(same_answers.answers())), elsewhere["hub"]
    assert there == here
    assert here["changed"] == here["new"] != here["first"]
    assert any("walrus" in name for name in here["names"]["us-o"])
    assert any("walrus" in name for name in here["changed"][asked("walrus")][0])
    assert here["owner"][asked("secret")][1] == here["changed"][asked("secret")][1] + 1
    assert "/secret" not in json.dumps(here["changed"])


def asked(text: str) -> str:
    return json.dumps({"search": text})
