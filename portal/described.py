"""What the commons say of their own things where only a key is known."""

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from portal import merging, subjects
from portal.badge_catalogue import RULES
from portal.models import Asker, BadgeClaim, Job, Organization, Placing, User
from portal.subjects import Subject


def register() -> None:
    subjects.register("user", _users)
    subjects.register("organization", _organizations)
    subjects.register("job", _jobs)
    subjects.register("claim", _claims)
    subjects.register("placing", _placings)


def _users(pks: Collection[int], _reader: Asker) -> Iterator[Subject]:
    found = {user.pk: user for user in User.objects.filter(pk__in=pks, is_active=True)}
    if gone := set(pks) - found.keys():
        found |= merging.merged_into(gone)
    for pk, user in found.items():
        yield Subject("user", pk, user.display_name, f"/{user.username}", _("person"), user.username, user.pk)


def _organizations(pks: Collection[int], _reader: Asker) -> Iterator[Subject]:
    for one in Organization.objects.filter(pk__in=pks):
        yield Subject("organization", one.pk, one.display_name, f"/{one.name}", _("organization"), one.name)


def _jobs(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for job in Job.objects.visible_to(reader).filter(pk__in=pks):
        title = _("Job %(number)d") % {"number": job.pk}
        # Of a failure its code alone: reasons may quote values.
        failed = f" · {job.get_state_display()} ({job.reason_code})" if job.state == Job.State.FAILED else ""
        yield Subject("job", job.pk, title, f"/jobs/{job.pk}", _("job"), job.kind + failed, job.owner_id)


def _claims(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for claim in BadgeClaim.objects.filter(pk__in=pks):
        rule = RULES.get(claim.badge)
        if rule is not None and (not claim.is_private or reader.is_staff or claim.user_id == reader.pk):
            label = _("confirmed contribution")
            yield Subject("claim", claim.pk, claim.note, rule.path, label, rule.name, claim.user_id)


def _placings(pks: Collection[int], _reader: Asker) -> Iterator[Subject]:
    for place in Placing.objects.filter(pk__in=pks).select_related("season"):
        path, label = f"/seasons/{place.season.slug}", _("place in a season")
        yield Subject("placing", place.pk, place.board, path, label, place.season.slug, place.user_id)
