"""Who may enter what into a challenge, and when; teams."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from leaderboard import pinning
from leaderboard.challenges import drafting, entering, objecting, teams
from leaderboard.challenges.objecting import medals_for
from leaderboard.models import Challenge, Entry, Standing, Team, TeamInvitation
from leaderboard.not_evaluable import NotEvaluable
from models_hub.models import Repo
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, QuotaExceeded
from portal.models import User
from tests.challenging import (
    CLOSES,
    OPENS,
    content,
    draft,
    join,
    judged,
    note,
    opened,
    send,
    split,
)  # fmt: skip
from tests.evaluating import adapter_files, model_files, safetensors

pytestmark = pytest.mark.django_db
Clock = Callable[[datetime], None]
MakeRepo = Callable[..., Repo]


@pytest.fixture
def challenge(alice: User, morgan: User, clock: Clock) -> Challenge:
    made = opened(alice, morgan, daily_limit=2, final_limit=1, team_size=2)
    clock(OPENS)
    return made


def test_the_rules_come_first(challenge: Challenge, bob: User) -> None:
    with pytest.raises(NotAllowed) as first:
        send(challenge, bob)
    assert first.value.code == "rules_not_accepted"
    with pytest.raises(InvalidInput):
        teams.join(challenge, by=bob, accepts_rules=False)
    assert join(challenge, bob) == join(challenge, bob)


def test_whoever_knows_the_answers_takes_no_part(
    challenge: Challenge, alice: User, bob: User, make_repo: MakeRepo
) -> None:
    with pytest.raises(NotAllowed):
        join(challenge, alice)
    dataset = make_repo(bob, "rows", kind="dataset", private=True)
    challenge.data.dataset = dataset
    challenge.data.save()
    with pytest.raises(NotAllowed):
        join(challenge, bob)


def test_the_answers_may_not_come_from_a_public_data_set(alice: User, make_repo: MakeRepo, clock: Clock) -> None:
    own = draft(alice, "own")
    public = make_repo(alice, "rows", kind="dataset", files={"rows.jsonl": content()})
    with pytest.raises(InvalidInput):
        drafting.take_file_of(own, public, by=alice, path="rows.jsonl", public_percent=30)
    hidden = make_repo(alice, "hidden", kind="dataset", private=True, files={"rows.jsonl": content()})
    drafting.take_file_of(own, hidden, by=alice, path="rows.jsonl", public_percent=30)
    assert Challenge.objects.get(pk=own.pk).data.dataset == hidden


def test_a_day_has_so_many_entries_and_what_is_cancelled_counts_not(
    challenge: Challenge,
    bob: User,
    clock: Clock,
) -> None:
    join(challenge, bob)
    entering.cancel(send(challenge, bob), by=bob)
    judged(challenge, bob, 0.5, 0.5)
    send(challenge, bob)
    with pytest.raises(QuotaExceeded) as full:
        send(challenge, bob)
    assert full.value.code == "daily_limit"
    clock(OPENS.replace(hour=23, minute=59, second=59))
    with pytest.raises(QuotaExceeded):
        send(challenge, bob)
    clock(OPENS.replace(hour=0) + timedelta(days=1))
    assert send(challenge, bob)


def test_the_last_second_counts_and_the_next_does_not(challenge: Challenge, bob: User, clock: Clock) -> None:
    join(challenge, bob)
    clock(CLOSES - timedelta(microseconds=1))
    assert send(challenge, bob).is_late is False
    clock(CLOSES)
    with pytest.raises(Conflict, match="ended at 2031-03-31 12:00:00 UTC"):
        send(challenge, bob)


def test_a_model_must_be_ones_own_small_enough_and_free_enough(
    challenge: Challenge, bob: User, charlie: User, make_repo: MakeRepo
) -> None:
    join(challenge, bob)
    mine, others = make_repo(bob, "mine", files=model_files()), make_repo(charlie, "others", files=model_files())
    with pytest.raises(NotAllowed):
        entering.enter_model(challenge, others, by=bob)
    for limits, code in (
        ({"max_bytes": 10}, "too_many_bytes"),
        ({"max_bytes": None, "max_parameters": 1}, "too_many_parameters"),
        ({"max_parameters": 2, "licenses": ["apache-2.0"]}, "wrong_license"),
    ):
        Challenge.objects.filter(pk=challenge.pk).update(**limits)
        challenge.refresh_from_db()
        with pytest.raises(InvalidInput) as refused:
            entering.enter_model(challenge, mine, by=bob)
        assert refused.value.code == code
    Challenge.objects.filter(pk=challenge.pk).update(licenses=["mit"])
    challenge.refresh_from_db()
    assert entering.enter_model(challenge, mine, by=bob).commit_oid == mine.head


def test_an_adapter_enters_with_its_base_and_both_keep_the_limits(
    challenge: Challenge, bob: User, make_repo: MakeRepo
) -> None:
    join(challenge, bob)
    base = make_repo(bob, "bert", files=model_files())
    adapter = make_repo(bob, "tuned", files=adapter_files("bob/bert"))
    entry = entering.enter_model(challenge, adapter, by=bob)
    assert (entry.model, entry.base, entry.base_commit) == (adapter, base, base.head)
    assert entry.job is not None
    assert entry.job.spec["reads"] == [adapter.pk, base.pk]
    assert pinning.pinned_commits(base.pk) == {base.head}
    own = len(safetensors(3.0))
    for limits, code in (
        ({"max_bytes": own}, "too_many_bytes"),
        ({"max_bytes": None, "max_parameters": adapter.parameters}, "too_many_parameters"),
    ):
        Challenge.objects.filter(pk=challenge.pk).update(**limits)
        challenge.refresh_from_db()
        with pytest.raises(InvalidInput) as refused:
            entering.enter_model(challenge, adapter, by=bob)
        assert refused.value.code == code
    Challenge.objects.filter(pk=challenge.pk).update(max_parameters=None)
    alone = make_repo(bob, "alone", files=adapter_files("alice/bert"))
    with pytest.raises(NotEvaluable) as missing:
        entering.enter_model(challenge, alone, by=bob)
    assert missing.value.code == "missing_base"


def test_two_teams_become_one_with_the_better_of_both_scores(
    challenge: Challenge, bob: User, charlie: User, morgan: User
) -> None:
    own, other = join(challenge, bob), join(challenge, charlie)
    judged(challenge, bob, 0.61, 0.6)
    judged(challenge, charlie, 0.74, 0.7)
    invitation = teams.invite(own, "charlie", by=bob)
    with pytest.raises(NotAllowed):
        teams.accept(invitation, by=morgan, accepts_rules=True)
    teams.accept(invitation, by=charlie, accepts_rules=False)
    own.refresh_from_db()
    assert (own.shown, own.members.count(), Team.objects.filter(pk=other.pk).exists()) == (0.74, 2, False)
    with pytest.raises(Conflict):
        teams.invite(own, "morgan", by=bob)  # two people are as many as may be
    with pytest.raises(NotAllowed):
        teams.rename(own, by=charlie, name="Ours")


def test_an_invitation_that_was_taken_back_leads_nowhere(challenge: Challenge, bob: User, charlie: User) -> None:
    own = join(challenge, bob)
    invitation = teams.invite(own, "charlie", by=bob)
    teams.refuse(TeamInvitation.objects.get(pk=invitation.pk), by=bob)  # while charlie’s answer is on its way
    with pytest.raises(NotFound):
        teams.accept(invitation, by=charlie, accepts_rules=True)
    assert teams.member_of(challenge, charlie) is None


def test_a_merged_team_has_no_more_entries_a_day_than_any(challenge: Challenge, bob: User, charlie: User) -> None:
    own, other = join(challenge, bob), join(challenge, charlie)
    for user in (bob, bob, charlie):
        send(challenge, user)
    with pytest.raises(Conflict, match="Merge tomorrow"):
        teams.accept(teams.invite(own, "charlie", by=bob), by=charlie, accepts_rules=True)
    assert other.members.count() == 1


def test_a_team_chooses_what_counts_among_its_own(challenge: Challenge, bob: User, charlie: User) -> None:
    own = join(challenge, bob)
    join(challenge, charlie)
    first, second = judged(challenge, bob, 0.6, 0.5), judged(challenge, bob, 0.7, 0.4)
    foreign = judged(challenge, charlie, 0.9, 0.9)
    entering.choose_finals(own, [first.pk], by=bob)
    with pytest.raises(InvalidInput):
        entering.choose_finals(own, [first.pk, second.pk], by=bob)
    with pytest.raises(NotFound):
        entering.choose_finals(own, [foreign.pk], by=bob)
    with pytest.raises(NotAllowed):
        entering.choose_finals(own, [second.pk], by=charlie)
    assert list(Entry.objects.filter(is_final=True)) == [first]


def test_practice_after_the_end_is_marked_and_ranks_nobody(
    challenge: Challenge,
    bob: User,
    clock: Clock,
) -> None:
    own = join(challenge, bob)
    now = CLOSES + timedelta(days=1)
    Challenge.objects.filter(pk=challenge.pk).update(takes_late=True, revealed_at=now, objections_until=now)
    challenge.refresh_from_db()
    clock(now)
    entry = note(send(challenge, bob), 0.9, 0.8)
    own.refresh_from_db()
    assert (entry.is_late, entry.shown, own.shown) == (True, 0.9, None)


def test_what_is_approved_changes_no_more_but_for_a_later_end(challenge: Challenge, alice: User, bob: User) -> None:
    with pytest.raises(Conflict):
        drafting.change(challenge, by=alice, task={"task": "text-regression"}, title="Another")
    with pytest.raises(NotAllowed):
        drafting.extend(challenge, by=bob, closes_at=CLOSES + timedelta(days=1))
    with pytest.raises(InvalidInput):
        drafting.extend(challenge, by=alice, closes_at=CLOSES - timedelta(days=1))
    assert drafting.extend(challenge, by=alice, closes_at=CLOSES + timedelta(days=1)).closes_at > CLOSES


def test_a_draft_needs_rows_and_its_organizer(alice: User, bob: User, clock: Clock) -> None:
    own = draft(alice, "own")
    with pytest.raises(Conflict):
        drafting.submit(own, by=alice)
    split(own)
    with pytest.raises(NotAllowed):
        drafting.submit(own, by=bob)
    assert drafting.submit(own, by=alice).standing == Standing.PROPOSED


@pytest.mark.parametrize(("count", "medals"), [(0, 0), (2, 0), (3, 1), (9, 1), (10, 3), (39, 3), (45, 4), (500, 10)])
def test_so_many_teams_get_so_many_medals(count: int, medals: int) -> None:
    assert medals_for(count) == medals


def test_nobody_confirms_an_outcome_of_ones_own(challenge: Challenge, morgan: User) -> None:
    join(challenge, morgan)
    with pytest.raises(NotAllowed):
        objecting.confirm(challenge, by=morgan)
