"""How well it played, on the page of operators: each number against a plain count of what the players told."""

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.enums import Role
from accounts.models import User
from analytics.domain.playback import Report
from analytics.domain.quality import Measures, live_now, quality_of
from analytics.domain.rollups.quality import START_BOUNDS
from analytics.domain.rollups.refreshing import refresh
from analytics.models import PlaybackReport
from analytics.views.quality import over_time
from core.clock import now
from courses.models import Programme
from tests.analytics.quality_world import LOUD, minute, on_air, tell_live
from tests.analytics.reports import WINDOWS, lecture, tell, tellings
from tests.factories.courses import CourseFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.signing_in import signed_in
from tests.webinars.watching import NOON, open_player
from webinars.enums import Phase
from webinars.models import Broadcast, PlaySession, Webinar

Cell = Callable[[PlaybackReport], tuple[object, ...]]
LATER = NOON + timedelta(days=3)
SINCE = datetime(NOON.year, NOON.month, NOON.day, tzinfo=UTC)


def _hour(one: PlaybackReport) -> datetime:
    return one.received_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _cell(one: PlaybackReport) -> tuple[object, ...]:
    return one.webinar_id, one.phase, _hour(one), one.country, one.device, one.network


def _minute(one: PlaybackReport) -> datetime:
    return one.received_at.astimezone(UTC).replace(second=0, microsecond=0)


def _minute_cell(one: PlaybackReport) -> tuple[object, ...]:
    """By minute nobody keeps devices and networks apart."""
    return one.webinar_id, one.phase, _minute(one), one.country


def _buckets(starts: Iterable[int]) -> tuple[int, ...]:
    found = [0] * (len(START_BOUNDS) + 1)
    for start in starts:
        found[sum(start >= bound for bound in START_BOUNDS)] += 1
    return tuple(found)


def _measured(told: list[PlaybackReport], cell: Cell = _cell) -> Measures:
    """Of raw reports. A bitrate counts where a report of the same hour, country, device and network told one."""
    telling = {cell(one) for one in told if one.kbits}
    starts = [one.start_ms for one in told if one.start_ms is not None]
    return Measures(
        plays=sum(one.number == 1 for one in told),
        starts=len(starts),
        start_ms=sum(starts),
        play_ms=sum(one.play_ms for one in told),
        stall_ms=sum(one.stall_ms for one in told),
        stalls=sum(one.stalls for one in told),
        kbits=sum(one.kbits for one in told),
        told_ms=sum(one.play_ms for one in told if cell(one) in telling),
        errors=sum(one.errors for one in told),
        buckets=_buckets(starts),
    )


def _grouped(
    told: list[PlaybackReport], key: Callable[[PlaybackReport], Any], cell: Cell = _cell
) -> dict[Any, Measures]:
    groups = {key(one) for one in told}
    return {group: _measured([one for one in told if key(one) == group], cell) for group in groups}


def _check_quantiles(of: Measures, starts: list[int]) -> None:
    """The figure lies in the very bucket in which the start of that rank lies."""
    for share, found in ((0.5, of.median), (0.95, of.p95)):
        if not starts:
            assert found is None
            continue
        raw = sorted(starts)[max(1, math.ceil(share * len(starts))) - 1]
        bucket = sum(raw >= bound for bound in START_BOUNDS)
        edges = (0, *START_BOUNDS)
        assert found is not None
        assert found.is_beyond == (bucket == len(START_BOUNDS))
        if not found.is_beyond:
            assert edges[bucket] < found.ms <= edges[bucket + 1]


def _share(told: list[PlaybackReport]) -> float | None:
    whole = sum(one.play_ms + one.stall_ms for one in told)
    return sum(one.stall_ms for one in told) / whole if whole else None


def _check_minutes(programme: Programme, webinar: Webinar, told: list[PlaybackReport], since: datetime) -> None:
    """Of one broadcast, minute by minute, as the page draws it: only minutes in which somebody told something."""
    told = [one for one in told if one.received_at >= since]
    found = quality_of(programme, since=since, webinar=webinar, phase=Phase.LIVE)
    assert found.by_minute
    assert dict(found.times) == _grouped(told, _minute, _minute_cell)
    minutes = sorted({_minute(one) for one in told})
    assert [at for at, _of in found.times] == minutes
    drawn = over_time(found)
    groups = [[one for one in told if _minute(one) == at] for at in minutes]
    if all(_share(group) is None for group in groups):
        assert drawn == []
        return
    waiting, plays = drawn
    seconds = [at.timestamp() for at in minutes]
    assert list(waiting.points) == list(zip(seconds, map(_share, groups), strict=True))
    starts = [sum(one.number == 1 for one in group) for group in groups]
    assert list(plays.points) == list(zip(seconds, starts, strict=True))


def _check(programme: Programme, told: list[PlaybackReport], **narrowed: Any) -> None:
    found = quality_of(programme, since=SINCE, **narrowed)
    assert found.total == _measured(told)
    assert dict(found.countries) == _grouped(told, lambda one: one.country)
    assert dict(found.devices) == _grouped(told, lambda one: one.device)
    assert dict(found.networks) == _grouped(told, lambda one: one.network)
    assert {(pk, phase.value): of for pk, phase, of in found.lectures} == _grouped(
        told, lambda one: (one.webinar_id, one.phase)
    )
    assert dict(found.times) == _grouped(told, lambda one: _hour(one).replace(hour=0))
    assert [at for at, _of in found.times] == sorted(at for at, _of in found.times)
    _check_line(found.total, told)
    for name, groups in (("country", found.countries), ("device", found.devices), ("network", found.networks)):
        played = [of.play_ms for _name, of in groups]
        assert played == sorted(played, reverse=True)
        for value, of in groups:
            _check_line(of, [one for one in told if getattr(one, name) == value])
    for webinar, phase, of in found.lectures:
        _check_line(of, [one for one in told if (one.webinar_id, one.phase) == (webinar, phase)])


def _check_line(of: Measures, told: list[PlaybackReport]) -> None:
    """What a line of a table says."""
    _check_quantiles(of, [one.start_ms for one in told if one.start_ms is not None])
    assert of.waiting == _share(told)
    telling = {_cell(one) for one in told if one.kbits}
    played = sum(one.play_ms for one in told if _cell(one) in telling) / 1000
    assert of.kbit_s == (pytest.approx(sum(one.kbits for one in told) / played, abs=0.51) if played else None)
    assert of.errors == sum(one.errors for one in told)


class TestRandom(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(tellings, tellings)
    def test_every_number_is_that_of_the_raw_reports(self, told: list[Any], elsewhere: list[Any]) -> None:
        webinar, players = lecture()
        foreign, others = lecture()
        for sessions, rows in ((players, told), (others, elsewhere)):
            for who, after, country, agent, reports in rows:
                tell(sessions[who], *reports, after=after, country=country, agent=agent)
        for one in (webinar, foreign):
            refresh(webinar_id=one.pk, now=LATER)
        mine = list(PlaybackReport.objects.filter(webinar=webinar))

        programme = webinar.lesson.course.programme
        _check(programme, mine)
        _check(programme, mine, webinar=webinar)
        _check(programme, [one for one in mine if one.phase == Phase.ON_DEMAND], phase=Phase.ON_DEMAND)
        _check(programme, [], phase=Phase.LIVE)
        late = quality_of(programme, since=SINCE + timedelta(days=1))
        assert late.total.play_ms == sum(one.play_ms for one in mine if one.received_at >= SINCE + timedelta(days=1))


class TestMinutes(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(tellings, tellings, st.integers(0, 26 * 60))
    def test_a_broadcast_minute_by_minute_is_that_of_the_raw_reports(
        self, told: list[Any], again: list[Any], after: int
    ) -> None:
        """Two of the three watch live, the third the recording; another lecture of the programme is live, too."""
        webinar, players = lecture()
        other, others = lecture()
        programme = webinar.lesson.course.programme
        other.lesson.course = CourseFactory.create(programme=programme)
        other.lesson.save()
        watching = PlaySession.objects.filter(pk__in=[one.pk for one in (*players[1:], *others)])
        watching.update(phase=Phase.LIVE, epoch=NOON)
        for sessions, rows in ((players, told), (others, again)):
            for who, seconds, country, agent, reports in sorted(rows, key=lambda one: one[1]):
                tell(sessions[who], *reports, after=seconds, country=country, agent=agent)
                if who == 2:  # what came in so far is added up already
                    refresh(webinar_id=webinar.pk, now=NOON + timedelta(seconds=seconds))
        for one in (webinar, other):
            refresh(webinar_id=one.pk, now=LATER)
        for one in (webinar, other):
            live = list(PlaybackReport.objects.filter(webinar=one, phase=Phase.LIVE))
            for since in (SINCE, NOON + timedelta(minutes=after)):
                _check_minutes(programme, one, live, since)
        everywhere = list(PlaybackReport.objects.filter(phase=Phase.LIVE))
        _check(programme, everywhere, phase=Phase.LIVE)


@pytest.fixture
def programme(db: None) -> Programme:
    found: Programme = CourseFactory.create().programme
    return found


@pytest.fixture
def moderator(programme: Programme) -> User:
    user: User = RoleGrantFactory.create(programme=programme, role=Role.MODERATOR).user
    return user


def _text(browser: Client, programme: Programme, query: str = "") -> str:
    response = browser.get(f"/reports/{programme.slug}/quality/{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def _told(programme: Programme, **fields: Any) -> PlaySession:
    session = open_player()
    lesson = session.webinar.lesson
    lesson.course = programme.courses.get()
    lesson.position = lesson.course.lessons.count() + 1
    lesson.save()
    PlaySession.objects.filter(pk=session.pk).update(started_at=now() - timedelta(hours=1))
    tell(session, Report(1, **fields), country="IN", agent=WINDOWS)
    PlaybackReport.objects.update(received_at=now())
    refresh(webinar_id=session.webinar_id, now=now(), whole=True)
    return session


def test_an_operator_reads_how_well_it_played(programme: Programme, moderator: User) -> None:
    session = _told(programme, start_ms=1_500, play_ms=180_000, stall_ms=60_000, kbits=360_000, errors=2)
    page = _text(signed_in(moderator), programme)
    for words in ("How well it plays", '<b class="num">25%', "2,000", "India", "Computer", "1 to 2 s", "in 1 player"):
        assert words in page, words
    for query in (f"?webinar={session.webinar_id}&phase=on_demand", f"?days=7&webinar={session.webinar_id}"):
        assert '<b class="num">25%' in _text(signed_in(moderator), programme, query)
    assert "No player has told anything yet" in _text(signed_in(moderator), programme, "?phase=live")


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "UTC", "Pacific/Kiritimati"])
def test_a_day_has_its_date_wherever_the_reader_is(programme: Programme, moderator: User, zone: str) -> None:
    session = _told(programme, play_ms=180_000)
    PlaybackReport.objects.update(received_at=now() - timedelta(days=1))
    refresh(webinar_id=session.webinar_id, now=now(), whole=True)
    day = PlaybackReport.objects.get().received_at.astimezone(UTC).date()
    User.objects.filter(pk=moderator.pk).update(timezone=zone)
    page = signed_in(moderator).get(f"/reports/{programme.slug}/quality/")
    shown = [datetime.fromtimestamp(x, ZoneInfo(zone)).date() for x, _ in page.context["over_time"][0].points]
    assert (page.context["quality"].by_minute, shown) == (False, [day])


def test_the_state_of_a_live_webinar_stands_there_in_the_words_of_the_alert(
    programme: Programme, moderator: User
) -> None:
    bad, good, over = (on_air(programme.courses.get(), title) for title in ("Stopping", "Going well", "Has ended"))
    elsewhere = on_air(CourseFactory.create(), "Elsewhere")
    minute(bad, "IN", play=LOUD, stall=LOUD // 8)
    minute(bad, "DE", play=LOUD, stall=LOUD // 10)  # an eleventh
    minute(bad, "FR", play=60_000, stall=600_000)  # of one person
    minute(bad, "IT", play=LOUD, stall=LOUD, ago=12)
    minute(bad, "", play=LOUD, stall=LOUD)
    minute(good, "BR", play=LOUD, stall=0)
    minute(over, "PT", play=LOUD, stall=LOUD)
    minute(elsewhere, "ES", play=LOUD, stall=LOUD)
    Broadcast.objects.filter(webinar=over).update(ended_at=now())

    found = live_now(programme, now=now())
    assert {webinar: [one.country for one in lines if one.is_degraded] for webinar, lines in found.items()} == {
        bad.pk: ["", "IN"],
        good.pk: [],
    }
    page = _text(signed_in(moderator), programme)
    assert "<bdi>Stopping</bdi> is live and keeps stopping in: Country not known, India<" in page
    assert "<bdi>Going well</bdi> is live and plays well everywhere." in page
    assert "Has ended" not in page
    assert "Elsewhere" not in page


def _states(programme: Programme, moderator: User) -> list[str]:
    page = _text(signed_in(moderator), programme)
    return re.findall(r"<strong><bdi>On air</bdi> (.*?)</strong>", page)


def test_where_nothing_plays_errors_tell_of_it(programme: Programme, moderator: User) -> None:
    webinar = on_air(programme.courses.get(), "On air")
    tell_live(webinar, "KE", 4, errors=3)
    tell_live(webinar, "TZ", 1, players=9, errors=3)  # one person again and again
    tell_live(webinar, "BR", 5, errors=3, ago=12)
    minute(webinar, "IN", play=LOUD, stall=0)
    assert _states(programme, moderator) == ["is live and plays well wherever enough people watch to tell."]

    tell_live(webinar, "KE", 1, errors=3)
    (found,) = live_now(programme, now=now()).values()
    assert [(one.country, one.players, one.stuck, one.stuck_people) for one in found if one.has_no_picture] == [
        ("KE", 5, 5, 5)
    ]
    assert _states(programme, moderator) == ["is live and does not play for many in: Kenya"]
    tell_live(webinar, "KE", 45, play=60_000)  # a tenth
    minute(webinar, "DE", play=LOUD, stall=LOUD)
    assert _states(programme, moderator) == ["is live and keeps stopping in: Germany"]


def test_of_too_few_players_nothing_good_is_said(programme: Programme, moderator: User) -> None:
    webinar = on_air(programme.courses.get(), "On air")
    tell_live(webinar, "KE", 2, errors=3)
    minute(webinar, "IN", play=LOUD - 1, stall=0)
    assert _states(programme, moderator) == ["is live. Too few players have told yet how well it plays."]


@pytest.mark.parametrize("query", ["?days=0", "?days=x", "?phase=later", "?webinar=x", "?webinar=²", "?webinar=0"])
def test_what_cannot_be_asked_is_not_found(programme: Programme, moderator: User, query: str) -> None:
    assert signed_in(moderator).get(f"/reports/{programme.slug}/quality/{query}").status_code == 404


def test_a_lecture_of_another_programme_is_not_found(programme: Programme, moderator: User) -> None:
    other = LiveWebinarFactory.create()
    assert signed_in(moderator).get(f"/reports/{programme.slug}/quality/?webinar={other.pk}").status_code == 404


@pytest.mark.parametrize("role", [Role.PRESENTER, Role.SPONSOR, Role.AUDITOR])
def test_only_staff_of_the_programme_read_it(programme: Programme, role: Role) -> None:
    user = RoleGrantFactory.create(programme=programme, role=role).user
    staff_elsewhere = RoleGrantFactory.create(role=Role.MODERATOR).user
    for reader in (user, staff_elsewhere):
        assert signed_in(reader).get(f"/reports/{programme.slug}/quality/").status_code == 404


def test_the_page_costs_the_same_for_one_and_three_lectures(programme: Programme, moderator: User) -> None:
    browser = signed_in(moderator)
    counts = []
    for number in (1, 2):
        for _ in range(number):
            minute(on_air(programme.courses.get(), "A lecture"), "IN", play=LOUD, stall=LOUD)
            _told(programme, play_ms=60_000)
        with CaptureQueriesContext(connection) as asked:
            _text(browser, programme)
        counts.append(len(asked))
    assert counts == [8, 8]
