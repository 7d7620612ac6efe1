"""Facts of the domain become statements, once each, whoever looks how often."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from accounts.models import User
from analytics.domain.erasure import PART
from analytics.domain.statements.making import make_all
from analytics.domain.statements.outbox import empty_sent, forget_those_who_left
from analytics.domain.statements.sources import MARKED_WITHIN
from analytics.enums import StatementState, StatementVerb
from analytics.models import Pseudonym, Statement, StatementFeed
from assessments.enums import AttemptState
from assessments.models import Attempt
from certification.domain.chain import NewEntry, append, lock_chain
from certification.enums import EntryKind
from certification.models import Claim
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.analytics.statements.store import settings_for
from tests.analytics.statements.world import LATER, doctor, everything, watched
from tests.webinars.watching import NOON, record_of, send
from webinars.models import PlaySession

pytestmark = pytest.mark.django_db
SEGMENTS = "https://w3id.org/xapi/video/extensions/played-segments"


@pytest.fixture(autouse=True)
def _on() -> Any:
    with override_settings(XAPI=settings_for("https://lrs.example/xapi")):
        yield


def verbs() -> list[str]:
    return sorted(Statement.objects.values_list("verb", flat=True))


def test_all_that_somebody_did_is_told_once() -> None:
    enrolment = everything()

    assert make_all(now=LATER) == len(verbs())

    assert verbs() == [
        "completed", "completed", "earned", "initialized", "passed", "paused", "satisfied", "satisfied",
    ]  # fmt: skip
    assert set(Statement.objects.values_list("user", "programme")) == {(enrolment.user_id, enrolment.programme_id)}
    before = list(Statement.objects.order_by("pk").values())
    assert make_all(now=LATER + timedelta(minutes=5)) == 0
    assert make_all(now=LATER + timedelta(days=1), whole=True) == 0
    assert list(Statement.objects.order_by("pk").values()) == before


def test_the_same_ids_come_of_the_same_facts_when_everything_is_made_anew() -> None:
    everything()
    make_all(now=LATER)
    ids = set(Statement.objects.values_list("pk", flat=True))
    Statement.objects.all().delete()

    make_all(now=LATER + timedelta(days=3), whole=True)

    assert set(Statement.objects.values_list("pk", flat=True)) == ids


def test_what_was_watched_is_told_when_it_has_been_quiet_and_again_when_there_is_more() -> None:
    session = watched(None, (0.0, 60.0))
    last = record_of(session).last_beat_at
    make_all(now=last + timedelta(minutes=9))
    assert verbs() == ["initialized"]

    make_all(now=last + timedelta(minutes=11))
    send(session, (120.0, 180.0), after=1_200)
    make_all(now=NOON + timedelta(hours=1))
    make_all(now=NOON + timedelta(hours=2))

    told = Statement.objects.filter(verb=StatementVerb.PAUSED).order_by("happened_at")
    assert [one.body["result"]["extensions"][SEGMENTS] for one in told] == ["0[.]60", "0[.]60[,]120[.]180"]
    assert told[0].body["context"]["extensions"]["https://w3id.org/xapi/video/extensions/session-id"] == str(session.pk)


def test_nothing_names_the_person() -> None:
    enrolment = everything()
    make_all(now=LATER)

    text = " ".join(str(one.body) for one in Statement.objects.all())

    user = enrolment.user
    assert [word for word in (user.email, user.first_name, user.last_name) if word and word in text] == []


def test_another_mark_takes_the_one_before_back_and_so_does_striking_out() -> None:
    everything()
    make_all(now=LATER)
    first = Statement.objects.get(verb=StatementVerb.PASSED)
    attempt = Attempt.objects.get()

    Attempt.objects.filter(pk=attempt.pk).update(score=Decimal(2), is_passed=False)
    make_all(now=LATER + timedelta(minutes=1))
    failed = Statement.objects.get(verb=StatementVerb.FAILED)
    Attempt.objects.filter(pk=attempt.pk).update(score=Decimal(8), is_passed=True)
    make_all(now=LATER + timedelta(minutes=2))
    again = Statement.objects.exclude(pk=first.pk).get(verb=StatementVerb.PASSED)
    Attempt.objects.filter(pk=attempt.pk).update(state=AttemptState.VOID, counts=False)
    make_all(now=LATER + timedelta(minutes=3))
    make_all(now=LATER + timedelta(minutes=4))

    taken_back = [one.body["object"]["id"] for one in Statement.objects.filter(verb="voided").order_by("happened_at")]
    assert taken_back == [str(first.pk), str(failed.pk), str(again.pk)]
    assert (failed.body["result"]["score"]["scaled"], again.body["result"]["success"]) == (0.2, True)
    assert not Statement.objects.filter(verb__in=["passed", "failed"], voided_at=None).exists()


def test_a_correction_in_the_ledger_takes_the_credit_before_back() -> None:
    everything()
    make_all(now=LATER)
    first = Statement.objects.get(verb=StatementVerb.EARNED)
    claim = Claim.objects.get()
    for number, (kind, amount) in enumerate(
        [(EntryKind.CREDIT_CORRECTED, Decimal("0.5")), (EntryKind.CREDIT_REVOKED, Decimal(0))], 1
    ):
        entry = NewEntry(
            kind=kind, user_id=claim.user_id, claim_id=claim.pk, credits=amount, reason="Why", details={"n": 1}
        )
        append(chain=lock_chain(claim.programme), entries=[entry], now=LATER + timedelta(days=30, minutes=number))
        make_all(now=LATER + timedelta(days=30, minutes=number, seconds=1))

    earned = Statement.objects.filter(verb="earned").exclude(pk=first.pk).get()
    assert list(earned.body["result"]["extensions"].values()) == [0.5]
    taken_back = {one.body["object"]["id"] for one in Statement.objects.filter(verb="voided")}
    assert taken_back == {str(first.pk), str(earned.pk)}


def _erased(one: Enrolment) -> None:
    PART.erase(user=one.user, now=LATER)
    User.objects.filter(pk=one.user_id).update(is_active=False)


@pytest.mark.parametrize(
    "leaving",
    [
        lambda one: User.objects.filter(pk=one.user_id).update(is_active=False),
        lambda one: User.objects.filter(pk=one.user_id).update(erasure_asked_at=LATER),
        lambda one: Enrolment.objects.filter(pk=one.pk).update(status=EnrolmentStatus.WITHDRAWN),
        lambda one: Enrolment.objects.filter(pk=one.pk).update(status=EnrolmentStatus.SUSPENDED),
        _erased,
    ],
    ids=["struck out", "asked to be erased", "withdrawn", "suspended", "erased"],
)
def test_of_who_left_nothing_is_made_and_nothing_waits(leaving: Any) -> None:
    mine, theirs = doctor(), doctor()
    for session in (watched(mine), watched(theirs)):
        PlaySession.objects.filter(pk=session.pk).update(ended_at=LATER - timedelta(hours=1))
    make_all(now=LATER)
    assert Statement.objects.filter(user=mine.user, verb=StatementVerb.TERMINATED).count() == 1
    sent = Statement.objects.filter(user=mine.user).first()
    assert sent is not None

    leaving(mine)
    watched(theirs)
    make_all(now=LATER + timedelta(minutes=5), whole=True)

    assert set(Statement.objects.values_list("user", flat=True)) == {theirs.user_id}


def test_who_comes_back_is_told_of_again_and_what_was_to_be_taken_back_too() -> None:
    enrolment = everything()
    make_all(now=LATER)
    Statement.objects.update(state=StatementState.SENT, ended_at=LATER)
    Attempt.objects.update(score=Decimal(2), is_passed=False)
    make_all(now=LATER)
    whole = set(Statement.objects.values_list("pk", "verb"))

    Enrolment.objects.filter(pk=enrolment.pk).update(status=EnrolmentStatus.SUSPENDED)
    assert forget_those_who_left() == 2
    assert Statement.objects.filter(voided_at=None).count() == Statement.objects.count() == len(whole) - 2
    Enrolment.objects.filter(pk=enrolment.pk).update(status=EnrolmentStatus.ACTIVE, completed_at=None)
    make_all(now=LATER, whole=True)

    assert set(Statement.objects.values_list("pk", "verb")) == whole


def test_erasure_takes_the_name_in_the_store_too() -> None:
    enrolment = doctor()
    Pseudonym.objects.create(user=enrolment.user)
    other = Pseudonym.objects.create(user=doctor().user)
    assert PART.own_data(enrolment.user)["name_in_the_record_store"] == [
        Pseudonym.objects.get(user=enrolment.user).name
    ]

    PART.erase(user=enrolment.user, now=LATER)

    assert list(Pseudonym.objects.all()) == [other]


def test_a_row_that_cannot_be_told_holds_up_no_other_source() -> None:
    everything()
    quarter = timedelta(minutes=15)
    StatementFeed.objects.create(name="lrs", made_through=NOON - quarter)
    good = Attempt.objects.values_list("score", flat=True).get()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to be made is not altered
        cursor.execute("ALTER TABLE assessments_attempt DROP CONSTRAINT assessments_attempt_marked")
    Attempt.objects.update(score=None)

    make_all(now=LATER)
    make_all(now=LATER + 8 * quarter)

    assert verbs() == ["completed", "completed", "earned", "initialized", "paused", "satisfied", "satisfied"]
    feed, stuck = StatementFeed.objects.order_by("name")
    assert (feed.name, feed.made_through) == ("lrs", LATER + 8 * quarter)
    assert (stuck.name, stuck.made_through, stuck.failures) == ("tests", NOON - quarter, 2)
    assert stuck.problem.startswith("TypeError: ")

    long_ago = NOON - MARKED_WITHIN  # for the other sources
    Attempt.objects.update(score=good, started_at=long_ago, submitted_at=long_ago)
    make_all(now=LATER + 9 * quarter)
    assert "passed" in verbs()
    assert list(StatementFeed.objects.values_list("name", flat=True)) == ["lrs"]


def test_what_cannot_be_written_down_holds_up_no_other_source() -> None:
    everything()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_statement ADD CONSTRAINT no_openings CHECK (verb <> 'initialized')")

    make_all(now=LATER)

    assert verbs() == ["completed", "completed", "earned", "passed", "paused", "satisfied", "satisfied"]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE analytics_statement DROP CONSTRAINT no_openings")
    assert make_all(now=LATER) == 1


def test_of_what_the_store_has_had_for_a_month_the_content_goes() -> None:
    everything()
    make_all(now=LATER)
    month = timedelta(days=30)
    sent, refused, fresh = ("paused", "passed", "earned")
    for verb, state, ended_at in (
        (sent, StatementState.SENT, LATER),
        (refused, StatementState.REFUSED, LATER),
        (fresh, StatementState.SENT, LATER + timedelta(minutes=1)),
    ):
        Statement.objects.filter(verb=verb).update(state=state, ended_at=ended_at)

    assert empty_sent(now=LATER + month) == 0
    assert empty_sent(now=LATER + month + timedelta(seconds=1)) == 1
    assert empty_sent(now=LATER + month + timedelta(seconds=1)) == 0
    assert list(Statement.objects.filter(body={}).values_list("verb", flat=True)) == [sent]

    empty_sent(now=LATER + 2 * month)
    Attempt.objects.update(is_passed=False, score=Decimal("1.00"))
    before = Statement.objects.get(verb="passed").pk
    Statement.objects.filter(pk=before).update(state=StatementState.SENT, body={})
    assert make_all(now=LATER + 2 * month, whole=True) == 2, "known by its id, and taken back"
    assert Statement.objects.get(verb="voided").body["object"]["id"] == str(before)


def test_without_a_store_nothing_is_made_and_nothing_waits() -> None:
    watched()
    make_all(now=LATER)
    Statement.objects.filter(verb=StatementVerb.PAUSED).update(state=StatementState.SENT, ended_at=LATER)

    with override_settings(XAPI=settings_for("")):
        assert make_all(now=LATER) == 0

    assert verbs() == ["paused"]
    assert not StatementFeed.objects.exists()
    assert make_all(now=LATER) == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_each_statement_once() -> None:
    for _ in range(3):
        watched()
    made: list[int] = []

    def work() -> None:
        with override_settings():
            made.append(make_all(now=LATER))
        connection.close()

    both = [threading.Thread(target=work) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sum(made) == Statement.objects.count() == 6
