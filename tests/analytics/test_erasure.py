"""What figures keep of a person goes with them, and is in their own copy."""

from datetime import timedelta

import pytest

from accounts.domain.erasure import parts_above
from analytics.domain.erasure import PART
from analytics.domain.playback import Report
from analytics.domain.rollups.refreshing import refresh_all
from analytics.domain.statements.outbox import BODY_LASTS, empty_sent
from analytics.enums import StatementState, StatementVerb
from analytics.models import PlaybackReport, PlayerSummary, QualityHour, SharingConsent, Statement
from tests.analytics.reports import tell
from tests.webinars.watching import NOON, open_player
from webinars.models import PlaySession

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1)


def somebody() -> PlaySession:
    session = open_player()
    tell(session, Report(1, play_ms=60_000), Report(2, play_ms=1_000))
    programme = session.webinar.lesson.course.programme
    Statement.objects.create(
        user=session.user,
        programme=programme,
        verb=StatementVerb.PAUSED,
        happened_at=NOON,
        due_at=NOON,
        body={"object": "lecture"},
    )
    SharingConsent.objects.create(user=session.user, programme=programme, wording="Yes, show it.", given_at=NOON)
    return session


def test_the_part_is_among_those_that_are_erased_together() -> None:
    assert PART in parts_above()


def test_reports_and_statements_go_sums_and_the_agreement_stay() -> None:
    mine, others = somebody(), somebody()
    refresh_all(now=LATER)
    figures = list(QualityHour.objects.values())
    assert PART.found(mine.user) == {
        "reports of how well lectures played": 2,
        "players whose reports are in cold storage": 0,
        "statements for a learning record store": 1,
    }

    PART.erase(user=mine.user, now=LATER)

    assert set(PlaybackReport.objects.values_list("session", flat=True)) == {others.pk}
    assert Statement.objects.get().user == others.user
    assert list(QualityHour.objects.values()) == figures
    assert list(SharingConsent.objects.filter(withdrawn_at=LATER)) == [SharingConsent.objects.get(user=mine.user)]
    assert [one.what for one in PART.kept(mine.user)] == ["agreements to share figures (1)"]
    assert not any(PART.found(mine.user).values())


def test_so_does_what_is_left_of_their_players_of_months_in_cold_storage() -> None:
    mine, others = open_player(), open_player()
    for session in (mine, others):
        PlayerSummary.objects.create(
            session=session, phase=session.phase, webinar=session.webinar, month=NOON.date().replace(day=1),
            device="phone", replayed=((0, 30),),
        )  # fmt: skip
    assert PART.found(mine.user)["players whose reports are in cold storage"] == 1
    (own,) = PART.own_data(mine.user)["how_it_was_played_before"]
    assert (own["device"], own["replayed"]) == ("phone", ((0, 30),))

    PART.erase(user=mine.user, now=LATER)

    assert list(PlayerSummary.objects.values_list("session", flat=True)) == [others.pk]


def test_ones_own_copy_has_ones_own_and_nobody_elses() -> None:
    mine = somebody()
    somebody()

    data = PART.own_data(mine.user)

    assert [one["play_ms"] for one in data["how_well_it_played"]] == [60_000, 1_000]
    assert [(one["verb"], one["body"]) for one in data["statements"]] == [("paused", {"object": "lecture"})]
    assert [one["wording"] for one in data["agreed_to_share"]] == ["Yes, show it."]


def test_ones_own_copy_says_in_words_what_is_no_longer_kept_of_a_statement() -> None:
    mine = somebody()
    Statement.objects.update(state=StatementState.SENT, ended_at=NOON)
    empty_sent(now=NOON + BODY_LASTS + timedelta(seconds=1))

    (told,) = PART.own_data(mine.user)["statements"]

    assert (told["verb"], told["body"]) == ("paused", "The record store has it; what it said is no longer kept here.")


def test_who_never_opened_a_player_has_nothing() -> None:
    somebody()
    person = open_player().user
    PlaySession.objects.filter(user=person).delete()

    assert not any(PART.found(person).values())
    PART.erase(user=person, now=LATER)
    assert PlaybackReport.objects.count() == 2
