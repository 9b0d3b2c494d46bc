"""Boards and benchmarks that people propose, and what moderators decide."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from leaderboard import benchmarks, reviewing, submitting, suites
from leaderboard.models import Evaluation, Standing, Suite
from leaderboard.ranking import board_of
from models_hub import publishing
from models_hub.changes import PutFile
from portal.errors import Conflict, InvalidInput, NotAllowed, QuotaExceeded
from portal.reach import Reach
from tests.evaluating import dataset_files, make_benchmark, model_files
from tests.leaderboard.scored import renew, score

SOON = timedelta(days=3)


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


@pytest.fixture
def fresh(alice, make_repo):
    """A benchmark as a person registers it: nobody has reviewed it."""
    return benchmarks.register(make_repo(alice, "fresh", kind="dataset", files=dataset_files()), by=alice)[0]


@pytest.fixture
def proposed(bob, mood):
    return propose(bob, mood)


def propose(by, *chosen, slug: str = "moods", title: str = "Moods", **more) -> Suite:
    return suites.create_suite(by=by, slug=slug, title=title, benchmarks=[(one, 1.0) for one in chosen], **more)


class TestBoards:
    def test_only_its_author_and_moderators_see_a_proposal(self, as_user, alice, bob, charlie, morgan, proposed):
        for person, status in ((bob, 200), (morgan, 200), (alice, 404), (charlie, 404), (None, 404)):
            assert as_user(person).get(proposed.get_absolute_url()).status_code == status
            assert as_user(person).get(f"/api/v1/suites/proposals/{proposed.pk}").status_code == status
            assert as_user(person).get("/leaderboard/moods").status_code == 404
            assert "Moods" not in as_user(person).get("/leaderboard").text
            assert as_user(person).get("/api/v1/suites").json()["results"] == []

    def test_only_moderators_have_a_queue(self, as_user, bob, charlie, morgan, proposed):
        page = as_user(morgan).get("/leaderboard/proposals").text
        assert proposed.get_absolute_url() in page.split('id="waiting"')[1]
        assert 'id="waiting"' not in as_user(charlie).get("/leaderboard/proposals").text
        assert proposed.get_absolute_url() in as_user(bob).get("/leaderboard/proposals").text
        assert proposed.get_absolute_url() not in as_user(charlie).get("/leaderboard/proposals").text
        assert as_user(None).get("/leaderboard/proposals").headers["Location"].startswith("/accounts/login/")

    def test_an_approved_proposal_is_a_board_for_everybody(self, as_user, client, morgan, proposed):
        answer = as_user(morgan).post(f"{proposed.get_absolute_url()}/decision", {"answer": "approve"})
        assert answer.headers["Location"] == "/leaderboard/moods"
        assert client.get("/leaderboard/moods").status_code == 200
        assert client.get(f"/leaderboard/proposals/{proposed.pk}").headers["Location"] == "/leaderboard/moods"

    def test_the_author_reads_why_a_proposal_was_refused(self, as_user, bob, morgan, proposed):
        send = {"answer": "refuse", "reason": "It repeats another board."}
        as_user(morgan).post(f"{proposed.get_absolute_url()}/decision", send)
        for address in (proposed.get_absolute_url(), "/leaderboard/proposals"):
            assert "It repeats another board." in as_user(bob).get(address).text
        assert as_user(None).get("/leaderboard/moods").status_code == 404

    def test_a_refusal_needs_a_reason(self, morgan, proposed):
        with pytest.raises(InvalidInput):
            reviewing.refuse_suite(proposed, by=morgan, reason=" ")

    def test_nobody_else_decides(self, as_user, alice, bob, proposed):
        assert as_user(bob).post(f"{proposed.get_absolute_url()}/decision", {"answer": "approve"}).status_code == 403
        assert as_user(alice).post(f"{proposed.get_absolute_url()}/decision", {"answer": "approve"}).status_code == 404
        assert as_user(bob).get(f"{proposed.get_absolute_url()}/decision").status_code == 405
        proposed.refresh_from_db()
        assert proposed.is_proposed

    def test_the_author_takes_it_back(self, as_user, charlie, bob, morgan, proposed):
        assert as_user(charlie).post(f"{proposed.get_absolute_url()}/withdrawal").status_code == 404
        assert as_user(morgan).post(f"{proposed.get_absolute_url()}/withdrawal").status_code == 403
        as_user(bob).post(f"{proposed.get_absolute_url()}/withdrawal")
        assert not Suite.objects.exists()

    def test_an_approved_one_is_not_taken_back(self, bob, morgan, proposed):
        reviewing.approve_suite(proposed, by=morgan)
        with pytest.raises(Conflict):
            suites.withdraw(proposed, by=bob)

    def test_a_proposal_does_not_tell_that_there_is_another_of_its_name(self, alice, proposed, mood):
        assert propose(alice, mood).is_proposed

    def test_the_name_of_a_board_is_its_authors(self, alice, bob, morgan, proposed, mood):
        late = propose(alice, mood)
        reviewing.approve_suite(proposed, by=morgan)
        for another_version in (False, True):
            with pytest.raises(Conflict):
                propose(alice, mood, title="Mine", another_version=another_version)
        with pytest.raises(Conflict):
            propose(bob, mood, title="Mine")
        with pytest.raises(Conflict):
            reviewing.approve_suite(late, by=morgan)

    def test_a_change_is_another_version_and_the_one_before_stays(
        self, client, bob, morgan, make_repo, alice, mood, proposed
    ):
        reviewing.approve_suite(proposed, by=morgan)
        other = make_benchmark(make_repo, alice, "tone")
        second = propose(bob, mood, other, title="Moods and tones", another_version=True)
        assert "Moods and tones" not in client.get("/leaderboard/moods").text
        assert reviewing.approve_suite(second, by=morgan).version == 2
        assert "Moods and tones" in client.get("/leaderboard/moods").text
        before = client.get("/leaderboard/moods?version=1").text
        assert "version 2 has taken its place" in before
        assert 'href="?version=2"' in before
        assert client.get("/leaderboard/moods?version=3").status_code == 404
        assert [suite.version for suite in Suite.objects.current()] == [2]
        with pytest.raises(Conflict):
            propose(bob, mood, other, title="Moods and tones", another_version=True)

    def test_a_person_has_few_proposals_that_wait(self, monkeypatch, bob, mood, proposed):
        monkeypatch.setattr("leaderboard.suites.MAX_WAITING", 1)
        with pytest.raises(QuotaExceeded):
            propose(bob, mood, slug="another")

    def test_other_pages_keep_their_addresses(self, bob, mood):
        with pytest.raises(InvalidInput):
            propose(bob, mood, slug="top")

    def test_the_form_proposes_with_weights_and_a_last_day(self, as_user, bob, mood):
        browser = as_user(bob)
        assert f'name="weight-{mood.pk}"' in browser.get("/leaderboard/proposals/new").text
        day = (timezone.now() + SOON).date()
        sent = {"slug": "moods", "title": "Moods", f"weight-{mood.pk}": "2.5", "last_day": day.isoformat()}
        answer = browser.post("/leaderboard/proposals/new", sent)
        suite = Suite.objects.get()
        assert answer.headers["Location"] == suite.get_absolute_url()
        assert list(suite.entries.values_list("benchmark", "weight")) == [(mood.pk, 2.5)]
        assert suite.ends_at == datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
        assert suite.proposed_by == bob

    @pytest.mark.parametrize("change", [{"weight": ""}, {"slug": "a b"}, {"title": ""}, {"last_day": "2001-01-01"}])
    def test_a_bad_form_says_what_to_mend(self, as_user, bob, mood, change):
        weight = {f"weight-{mood.pk}": change.pop("weight", "1")}
        sent = {"slug": "moods", "title": "Moods", **weight, **change}
        assert as_user(bob).post("/leaderboard/proposals/new", sent).status_code == 400
        assert not Suite.objects.exists()

    def test_the_form_for_another_version_is_filled_and_makes_one(self, as_user, bob, morgan, mood, proposed):
        reviewing.approve_suite(proposed, by=morgan)
        assert 'value="Moods"' in as_user(bob).get("/leaderboard/proposals/new?of=moods").text
        sent = {"slug": "moods", "title": "Moods", f"weight-{mood.pk}": "3"}
        assert as_user(bob).post("/leaderboard/proposals/new", sent).status_code == 409
        answer = as_user(bob).post("/leaderboard/proposals/new?of=moods", sent)
        assert answer.headers["Location"] == Suite.objects.latest("pk").get_absolute_url()

    def test_a_limited_token_neither_sees_nor_decides_nor_proposes(self, bob, morgan, mood, proposed):
        for person in (bob, morgan):
            limited = type(person).objects.get(pk=person.pk)
            limited.reach = Reach(everywhere=3)
            assert not Suite.objects.visible_to(limited).exists()
            with pytest.raises(NotAllowed):
                propose(limited, mood, slug="another")
            with pytest.raises(NotAllowed):
                reviewing.approve_suite(proposed, by=limited)

    def test_the_api_proposes_reviews_and_withdraws(self, as_user, bob, charlie, morgan, mood):
        sent = {"slug": "moods", "title": "Moods", "benchmarks": [{"id": mood.pk}]}
        post = {"content_type": "application/json"}
        made = as_user(bob).post("/api/v1/suites", sent, **post).json()
        assert made["state"] == "proposed"
        address = f"/api/v1/suites/proposals/{made['id']}"
        assert as_user(charlie).get("/api/v1/suites/proposals").json()["results"] == []
        assert as_user(None).get("/api/v1/suites/proposals").status_code == 401
        for person in (bob, morgan):
            assert [one["id"] for one in as_user(person).get("/api/v1/suites/proposals").json()["results"]] == [
                made["id"]
            ]
        assert as_user(bob).post(f"{address}/decision", {"approve": True}, **post).status_code == 403
        assert as_user(charlie).delete(address).status_code == 404
        refused = as_user(morgan).post(f"{address}/decision", {"approve": False, "reason": "No."}, **post).json()
        assert (refused["state"], refused["reason"]) == ("refused", "No.")
        approved = as_user(morgan).post(f"{address}/decision", {"approve": True}, **post).json()
        assert (approved["state"], approved["version"], approved["reason"]) == ("open", 1, "")
        assert as_user(bob).delete(address).status_code == 409


class TestEnds:
    @pytest.fixture
    def board(self, morgan, mood):
        return propose(morgan, mood)

    def test_an_ended_board_keeps_what_was_asked_for_before(self, client, alice, make_repo, mood, board):
        first = score(make_repo(alice, "early", files=model_files(1.0)), mood, alice, 0.8)
        late = score(make_repo(alice, "late", files=model_files(2.0)), mood, alice, 0.9)
        ended = timezone.now() - timedelta(hours=1)
        Evaluation.objects.filter(pk=first.pk).update(created_at=ended - timedelta(hours=1))
        Suite.objects.filter(pk=board.pk).update(ends_at=ended)
        board.refresh_from_db()
        renew()
        assert [row.model for row in board_of(board).rows] == [first.model]
        page = client.get("/leaderboard/moods").text
        assert f"It ended on {ended:%Y-%m-%d %H:%M}" in page
        assert late.get_absolute_url() not in page
        assert 'id="submit"' not in page

    def test_an_ended_board_takes_no_model(self, as_user, alice, make_repo, board):
        make_repo(alice, files=model_files())
        Suite.objects.filter(pk=board.pk).update(ends_at=timezone.now())
        as_user(alice).post("/leaderboard/moods/submissions", {"model": "alice/bert"})
        answer = as_user(alice).post(
            "/api/v1/suites/moods/submissions", {"model": "alice/bert"}, content_type="application/json"
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "suite_ended")
        assert not Evaluation.objects.exists()

    def test_an_open_board_asks_for_all_its_scores(self, as_user, alice, charlie, make_repo, mood, morgan):
        model = make_repo(alice, "tiny", files=model_files())
        propose(morgan, mood, make_benchmark(make_repo, alice, "tone"))
        answer = as_user(charlie).post("/leaderboard/moods/submissions", {"model": "alice/tiny"})
        assert answer.headers["Location"] == f"{model.path}/evaluations"
        assert Evaluation.objects.filter(model=model, requested_by=charlie).count() == 2
        assert as_user(None).post("/leaderboard/moods/submissions").headers["Location"].startswith("/accounts/login/")

    def test_a_hidden_model_is_as_if_missing(self, as_user, alice, charlie, make_repo, board):
        make_repo(alice, "secret", files=model_files(), private=True)
        answers = [
            as_user(charlie).post("/api/v1/suites/moods/submissions", {"model": name}, content_type="application/json")
            for name in ("alice/secret", "alice/nothing")
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert not Evaluation.objects.exists()

    def test_moderators_set_the_last_day(self, as_user, bob, morgan, board):
        day = (timezone.now() + SOON).date()
        assert as_user(bob).post("/leaderboard/moods/end", {"last_day": day.isoformat()}).status_code == 403
        as_user(morgan).post("/leaderboard/moods/end", {"last_day": day.isoformat()})
        assert f"Open until {day.isoformat()} 23:59" in as_user(None).get("/leaderboard/moods").text
        as_user(morgan).patch("/api/v1/suites/moods", {"ends_at": None}, content_type="application/json")
        board.refresh_from_db()
        assert board.ends_at is None

    def test_what_has_ended_stays_ended(self, morgan, board):
        Suite.objects.filter(pk=board.pk).update(ends_at=timezone.now())
        with pytest.raises(Conflict):
            suites.set_end(board, by=morgan, ends_at=None)

    def test_others_set_no_end(self, bob, board):
        with pytest.raises(NotAllowed):
            suites.set_end(board, by=bob, ends_at=None)


class TestBenchmarks:
    def test_what_nobody_reviewed_is_in_no_list(self, as_user, alice, charlie, morgan, make_repo, fresh):
        make_repo(charlie, "tiny", files=model_files())
        for person, is_listed in ((alice, True), (morgan, True), (charlie, False), (None, False)):
            browser = as_user(person)
            assert (fresh.get_absolute_url() in browser.get("/benchmarks").text) is is_listed
            listed = [one["id"] for one in browser.get("/api/v1/benchmarks").json()["results"]]
            assert listed == [fresh.pk] * is_listed
            assert browser.get(fresh.get_absolute_url()).status_code == 200
        assert f'name="benchmark" value="{fresh.pk}"' not in as_user(charlie).get("/charlie/tiny/evaluations").text

    def test_moderators_find_it_in_the_queue_and_approve_it(self, as_user, client, morgan, fresh):
        browser = as_user(morgan)
        assert fresh.get_absolute_url() in browser.get("/leaderboard/proposals").text.split('id="waiting"')[1]
        browser.post(f"{fresh.get_absolute_url()}/decision", {"answer": "approve"})
        assert fresh.get_absolute_url() in client.get("/benchmarks").text

    def test_a_private_one_is_in_no_queue(self, as_user, alice, morgan, make_repo):
        files = dataset_files()
        hidden = benchmarks.register(make_repo(alice, "hid", kind="dataset", files=files, private=True), by=alice)[0]
        assert hidden.get_absolute_url() not in as_user(morgan).get("/leaderboard/proposals").text
        assert as_user(morgan).post(f"{hidden.get_absolute_url()}/decision", {"answer": "approve"}).status_code == 404

    def test_a_refused_one_takes_no_models_and_says_why(self, as_user, alice, charlie, morgan, make_repo, fresh):
        model = make_repo(alice, files=model_files())
        as_user(morgan).post(
            f"/api/v1{fresh.get_absolute_url()}/decision",
            {"approve": False, "reason": "The labels are swapped."},
            content_type="application/json",
        )
        for person in (alice, charlie):
            assert "The labels are swapped." in as_user(person).get(fresh.get_absolute_url()).text
            assert fresh.get_absolute_url() not in as_user(person).get("/benchmarks").text
        fresh.refresh_from_db()
        with pytest.raises(Conflict, match="swapped"):
            submitting.submit(model, fresh, by=alice)

    def test_its_author_does_not_approve_it(self, as_user, alice, fresh):
        assert as_user(alice).post(f"{fresh.get_absolute_url()}/decision", {"answer": "approve"}).status_code == 403

    def test_it_is_approved_with_its_board(self, morgan, bob, fresh):
        reviewing.approve_suite(propose(bob, fresh), by=morgan)
        fresh.refresh_from_db()
        assert fresh.standing == Standing.APPROVED

    def test_a_board_of_a_refused_one_is_not_approved(self, morgan, bob, fresh):
        suite = propose(bob, fresh)
        reviewing.refuse_benchmark(fresh, by=morgan, reason="No.")
        with pytest.raises(Conflict):
            reviewing.approve_suite(suite, by=morgan)

    def test_each_version_is_reviewed(self, alice, morgan, fresh):
        reviewing.approve_benchmark(fresh, by=morgan)
        text = (
            str(dataset_files()["eval.yaml"])
            .replace("version: 1", "version: 2")
            .replace("max_length: 64", "max_length: 32")
        )
        publishing.commit(repo=fresh.dataset, by=alice, title="x", changes=[PutFile("eval.yaml", text.encode())])
        second, is_new = benchmarks.register(fresh.dataset, by=alice)
        assert is_new
        assert second.is_proposed

    def test_what_moderators_register_needs_no_review(self, morgan, make_repo):
        made = benchmarks.register(make_repo(morgan, "own", kind="dataset", files=dataset_files()), by=morgan)[0]
        assert made.is_approved


def test_a_queue_costs_the_same_however_long_it_is(as_user, bob, morgan, mood, django_assert_num_queries):
    browser = as_user(morgan)
    propose(bob, mood, slug="one")
    browser.get("/leaderboard/proposals")
    with django_assert_num_queries(6) as few:
        browser.get("/leaderboard/proposals")
    for number in range(3):
        propose(bob, mood, slug=f"more-{number}")
    with django_assert_num_queries(len(few)):
        browser.get("/leaderboard/proposals")
