"""What people say to have done and others confirm, and who looks after whom."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import evidence, subjects, trust
from portal.badge_catalogue import RULES, Rule
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Asker, BadgeClaim, Event, Mentorship, TrustLevel, User

MAX_OPEN = 5
MAX_NOTE = 500
MAX_MENTEES = 5
BY_STAFF = ("bug-reporter", "security-reporter")
BY_AUTHOR = ("peer-reviewer",)


def claim(rule: Rule, *, by: User, key: str, note: str) -> BadgeClaim:
    """Ask to have a contribution confirmed; `key` is the thing it was made to, which the asker sees."""
    if not rule.claimed:
        raise InvalidInput(_("This badge is counted from rows; there is nothing to confirm."))
    note = note.strip()
    if not note or len(note) > MAX_NOTE:
        raise InvalidInput(_("Say in at most %(max)d characters what you did.") % {"max": MAX_NOTE})
    if subjects.find(key, by) is None:
        raise InvalidInput(_("Name a page of this portal that you can open."))
    if BadgeClaim.objects.waiting().filter(user=by).count() >= MAX_OPEN:
        raise Conflict(_("At most %(max)d of your contributions can wait at a time.") % {"max": MAX_OPEN})
    try:
        with transaction.atomic():
            made = BadgeClaim.objects.create(user=by, badge=rule.slug, key=key, note=note, is_private=rule.is_private)
            Event.record("claim.made", subject=f"user:{by.pk}", by=by, claim=made.pk, badge=rule.slug)
    except IntegrityError as error:
        raise Conflict(_("You have named this already.")) from error
    return made


def may_decide(claim: BadgeClaim, user: Asker) -> bool:
    """Whether somebody may confirm: at level 3 or staff, for some staff alone, for a review its author; never close."""
    if not isinstance(user, User) or claim.user_id == user.pk:
        return False
    if evidence.close({(claim.user_id, user.pk)}):
        return False
    if user.is_staff:
        return True
    if claim.badge in BY_STAFF:
        return False
    if claim.badge in BY_AUTHOR:
        about = subjects.find(claim.key, user)
        return about is not None and about.author_id == user.pk
    return trust.level(user) >= TrustLevel.REGULAR and subjects.find(claim.key, user) is not None


def decide(claim: BadgeClaim, *, by: User, accept: bool, reason: str = "") -> None:
    """Confirm a contribution or do not, saying why."""
    if not may_decide(claim, by):
        raise NotAllowed(_("You may not decide on this contribution."))
    if not accept and not reason.strip():
        raise InvalidInput(_("Say why it is not confirmed."))
    state = BadgeClaim.State.ACCEPTED if accept else BadgeClaim.State.REFUSED
    with transaction.atomic():
        decided = BadgeClaim.objects.waiting().filter(pk=claim.pk)
        if not decided.update(state=state, decided_by=by, decided_at=timezone.now(), reason=reason.strip()[:300]):
            raise Conflict(_("Somebody else has decided on it meanwhile."))
        facts = {"claim": claim.pk, "badge": claim.badge, "user": claim.user_id, "accepted": accept}
        Event.record("claim.decided", subject=f"user:{claim.user_id}", by=by, **facts)


def take_back(claim: BadgeClaim, *, by: User, reason: str) -> None:
    """Take a confirmation back, which only staff may: what rests on it is then void."""
    if not by.is_staff:
        raise NotAllowed(_("Only staff may take a confirmation back."))
    with transaction.atomic():
        if (
            BadgeClaim.objects.accepted()
            .filter(pk=claim.pk)
            .update(
                state=BadgeClaim.State.REFUSED, decided_by=by, decided_at=timezone.now(), reason=reason.strip()[:300]
            )
        ):
            facts = {"claim": claim.pk, "badge": claim.badge, "user": claim.user_id, "accepted": False}
            Event.record("claim.decided", subject=f"user:{claim.user_id}", by=by, **facts)


def offer_mentoring(mentee: User, *, by: User) -> Mentorship:
    """Offer a newcomer to look after them; it begins when the newcomer agrees."""
    if trust.level(by) < TrustLevel.MEMBER:
        raise NotAllowed(_("Mentors have at least level 2."))
    if mentee == by or trust.level(mentee) >= TrustLevel.MEMBER:
        raise InvalidInput(_("Mentoring is for people at level 0 or 1."))
    open_ones = Mentorship.objects.filter(mentor=by, ended_at__isnull=True)
    if open_ones.exclude(mentee__trust__level__gte=TrustLevel.MEMBER).count() >= MAX_MENTEES:
        raise Conflict(_("You look after %(max)d newcomers, which is enough.") % {"max": MAX_MENTEES})
    with transaction.atomic():
        made, is_new = Mentorship.objects.get_or_create(
            mentor=by, mentee=mentee, defaults={"mentee_level": trust.level(mentee)}
        )
        if not is_new:
            raise Conflict(_("You have offered this already."))
        Event.record("mentorship.offered", subject=f"user:{mentee.pk}", by=by, user=mentee.pk)
    return made


def answer_mentor(mentorship: Mentorship, *, by: User, agree: bool) -> None:
    """The newcomer agrees, or ends it."""
    if mentorship.mentee_id != by.pk:
        raise NotAllowed(_("This was offered to somebody else."))
    with transaction.atomic():
        rows = Mentorship.objects.filter(pk=mentorship.pk, ended_at__isnull=True)
        now = timezone.now()
        changed = rows.filter(agreed_at__isnull=True).update(agreed_at=now) if agree else rows.update(ended_at=now)
        if changed:
            kind = "mentorship.agreed" if agree else "mentorship.ended"
            Event.record(kind, subject=f"user:{by.pk}", by=by, user=mentorship.mentor_id)


def rule_of(slug: str) -> Rule | None:
    return RULES.get(slug)
