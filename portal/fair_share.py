"""The order in which due jobs of a queue start: by fair share between their owners.

The owner with the fewest jobs in hand comes first; among equals the one whose last turn is longest ago, or who has
waited longest for the first. Whoever asks for five hundred jobs thus delays nobody else by more than one. Within an
owner's jobs priority counts, then age; a job whose worker died comes behind those of the same priority, for it may be
the cause, or it would be what the next worker dies with. What staff have raised starts before all else, in the same
order.

Workers take jobs by this order and pages count positions by it. Every turn moves its owner behind all who wait with
as few jobs in hand, and jobs end, so nobody waits for ever.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from portal.models import Job

# The k-th job of an owner who has m in hand starts in round k + m. Within a round those owners come first whose jobs
# in hand put them there: those who follow have yet to take a turn that is later than any up to now.
_ORDER = """
WITH waiting AS ({waiting}),
owners AS (
    SELECT
        share,
        (SELECT COUNT(*) FROM portal_job AS held
            WHERE held.queue = %s AND held.state IN ('leased', 'running') AND held.share = head.share) AS in_hand,
        COALESCE(
            (SELECT MAX(taken.started_at) FROM portal_job AS taken
                WHERE taken.queue = %s AND taken.share = head.share AND taken.started_at IS NOT NULL),
            MIN(created_at)
        ) AS since
    FROM waiting AS head
    GROUP BY share
)
SELECT id, kind, needs
FROM waiting JOIN owners USING (share)
ORDER BY is_raised DESC, in_hand + nth, nth, since, id
"""
_COLUMNS = ("id", "kind", "needs", "share", "is_raised", "created_at")


class Turn(NamedTuple):
    """A due job in its place."""

    job: int
    kind: str
    needs: Mapping[str, Any]


def line(queue: str) -> list[Turn]:
    """Return all due jobs of a queue in the order in which they start."""
    own = (F("is_raised").desc(), F("priority").desc(), F("losses"), F("id"))
    nth = Window(RowNumber(), partition_by=F("share"), order_by=own)
    rows = Job.objects.due().filter(queue=queue).annotate(nth=nth)
    waiting, values = rows.values(*_COLUMNS, "nth").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_ORDER.format(waiting=waiting), (*values, queue, queue))
        return [Turn(pk, kind, json.loads(needs)) for pk, kind, needs in cursor.fetchall()]
