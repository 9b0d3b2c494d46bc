"""SQLite and PostgreSQL answer alike."""

import json
import os
import subprocess
import sys

import pytest

from tests.models_hub import same_answers
from tests.worker import postgres

pytestmark = pytest.mark.live

OTHER = """
import django, json
django.setup()
from tests.models_hub import same_answers
print(json.dumps(same_answers.answers()))
"""


def test_lists_and_search_are_the_same_on_both_databases_and_private_ones_are_for_their_owner(db):
    with postgres.cluster() as url:
        env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.config.settings.test"}
        with subprocess.Popen([sys.executable, "-c", OTHER], env=env, stdout=subprocess.PIPE) as other:
            here = json.loads(json.dumps(same_answers.answers()))
            there = json.loads(other.communicate(timeout=120)[0])
    assert there == here
    assert here["changed"] == here["new"] != here["first"]
    assert any("walrus" in name for name in here["changed"][asked("walrus")][0])
    assert here["owner"][asked("secret")][1] == here["changed"][asked("secret")][1] + 1
    assert "/secret" not in json.dumps(here["changed"])


def asked(text: str) -> str:
    return json.dumps({"search": text})
