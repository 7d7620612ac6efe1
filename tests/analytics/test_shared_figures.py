"""What sponsors read, against counts in plain Python, and against whoever wants to find a doctor in it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.domain.erasure import ask_for_erasure
from accounts.models import User
from analytics.domain.sharing.consent import NamedDoctor, agree, ever_agreed, named_in, withdraw, wording_of
from analytics.domain.sharing.figures import SharedFigures, figures_of
from analytics.domain.sharing.suppression import LEAST, cells_of, shown
from analytics.models import SharingConsent
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer, EvaluationReceipt, EvaluationResponse
from courses.models import Course, Enrolment, Programme
from tests.analytics.shared_world import doctors_of, well_shared
from tests.assessments.feedback import hand_in
from tests.factories.accounts import UserFactory
from tests.factories.assessments import make_evaluation
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TODAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def ago(days: float) -> datetime:
    return MIDNIGHT - timedelta(days=days)


@st.composite
def doctors(draw: Any) -> dict[str, Any]:
    day = st.none() | st.sampled_from([0.5, 1.5, 2.5, -0.2])
    return {
        "country": draw(st.sampled_from(["IN", "BR", ""])),
        "specialty": draw(st.sampled_from(["Cardiology", ""])),
        "enrolled": draw(st.sampled_from([3.5, 1.5, -0.1])),
        "joined": draw(day),
        "live": draw(day),
        "recorded": draw(day),
        "visit": draw(day),
        "completed": draw(day),
        "named": draw(day),
        "is_withdrawn": draw(st.booleans()),
    }


def _enter(course: Course, webinar: Webinar, one: dict[str, Any]) -> User:
    user: User = UserFactory.create(country=one["country"], specialty=one["specialty"])
    when = {name: ago(one[name]) for name in ("joined", "completed") if one[name] is not None}
    EnrolmentFactory.create(
        user=user,
        programme=course.programme,
        enrolled_at=ago(one["enrolled"]),
        activated_at=when.get("joined"),
        completed_at=when.get("completed"),
    )
    for phase, name in ((Phase.LIVE, "live"), (Phase.ON_DEMAND, "recorded")):
        if one[name] is not None:
            WatchRecordFactory.create(user=user, webinar=webinar, phase=phase, first_beat_at=ago(one[name]))
    if one["visit"] is not None:
        at = ago(one["visit"])
        Visit.objects.create(webinar=webinar, user=user, joined_at=at, seen_at=at, left_at=at)
    if one["named"] is not None:
        SharingConsent.objects.create(
            user=user,
            programme=course.programme,
            wording="Yes",
            given_at=ago(one["named"]),
            withdrawn_at=ago(-0.3) if one["is_withdrawn"] else None,
        )
    return user


def _reference(programme: Programme, webinar: Webinar) -> tuple[datetime | None, dict[str, list[Enrolment]]]:
    """The last midnight, and by what was done the places of those who did it before."""
    deeds: dict[Any, set[int]] = defaultdict(set)
    watched: dict[int, list[WatchRecord]] = defaultdict(list)
    visits: dict[int, list[Visit]] = defaultdict(list)
    for record in WatchRecord.objects.filter(webinar=webinar):
        watched[record.user_id].append(record)
    for visit in Visit.objects.filter(webinar=webinar):
        visits[visit.user_id].append(visit)
    places = list(Enrolment.objects.filter(programme=programme).select_related("user"))
    for place in places:
        moments = [place.enrolled_at, place.activated_at, place.completed_at]
        moments += [one.first_beat_at for one in watched[place.user_id]]
        moments += [one.joined_at for one in visits[place.user_id]]
        for moment in moments:
            if moment and moment < MIDNIGHT:
                deeds[moment.date()].add(place.user_id)
    days = [day for day, people in deeds.items() if len(people) >= 5]
    if not days:
        return None, {}
    until = datetime.combine(max(days), datetime.min.time(), tzinfo=UTC) + timedelta(days=1)
    found: dict[str, list[Enrolment]] = defaultdict(list)
    for place in places:
        if place.enrolled_at >= until:
            continue
        records = {one.phase for one in watched[place.user_id] if one.first_beat_at < until}
        visited = any(one.joined_at < until for one in visits[place.user_id])
        done = {
            "invited": True,
            "joined": bool(place.activated_at and place.activated_at < until),
            "live": Phase.LIVE in records or visited,
            "recorded": Phase.ON_DEMAND in records,
            "attended": bool(records) or visited,
            "completed": bool(place.completed_at and place.completed_at < until),
        }
        for name, is_done in done.items():
            if is_done:
                found[name].append(place)
    return until, found


def _named(places: list[Enrolment], until: datetime) -> int:
    """Who may ever have been read on the list beside figures until then."""
    agreed = {one.user_id for one in SharingConsent.objects.all() if one.given_at < until}
    return sum(place.user_id in agreed for place in places)


@given(came=st.lists(doctors(), min_size=4, max_size=25))
@some
def test_every_number_is_that_of_the_reference_rounded(came: list[dict[str, Any]]) -> None:
    webinar = WebinarFactory.create()
    course = webinar.lesson.course
    for one in came:
        _enter(course, webinar, one)
    found = figures_of(course.programme, now=TODAY)
    until, done = _reference(course.programme, webinar)
    assert found.until == until
    if until is None:
        assert found == SharedFigures(course.programme, None)
        return
    steps = ("invited", "joined", "attended", "completed")
    expected = {name: shown(len(done[name]), named=_named(done[name], until)) for name in steps} | {"certified": 0}
    assert dict(found.funnel) == expected
    for cells, name in ((found.countries, "country"), (found.specialties, "specialty")):
        counts = Counter(str(getattr(place.user, name)) for place in done["attended"])
        named = {
            value: _named([place for place in done["attended"] if str(getattr(place.user, name)) == value], until)
            for value in counts
        }
        assert cells == cells_of(counts, named=named)
    (lecture,) = found.lectures
    assert (lecture.live, lecture.recorded) == (
        shown(len(done["live"]), named=_named(done["live"], until)),
        shown(len(done["recorded"]), named=_named(done["recorded"], until)),
    )
    agreed = SharingConsent.objects.filter(programme=course.programme)
    assert set(found.agreed) == {one.user_id for one in agreed if one.given_at < until}


def names(found: SharedFigures) -> list[NamedDoctor]:
    assert found.until is not None
    return named_in(found.programme, until=found.until, among=found.agreed)


def numbers(found: SharedFigures) -> list[int | None]:
    cells = [*found.countries.groups, *found.specialties.groups]
    lectures = [number for one in found.lectures for number in (one.live, one.recorded)]
    others = [found.countries.others, found.specialties.others]
    people = [one.people for one in found.means]
    return [*(number for _, number in found.funnel), *(number for _, number in cells), *lectures, *others, *people]


def test_sec_39_every_number_is_a_multiple_of_five_and_so_is_every_difference() -> None:
    """Total minus visible cells, one cell minus another, page minus file: there is nothing else to subtract."""
    course = CourseFactory.create()
    well_shared(course)
    found = figures_of(course.programme, now=datetime.now(UTC))
    assert all(number is None or number % LEAST == 0 for number in numbers(found))
    assert dict(found.countries.groups) == {"IN": 20, "BR": 5, "KE": 5}
    assert found.countries.others == 10  # Germany 4, Viet Nam 3, Malta 1, nothing stated 2
    exact = Counter(str(place.user.country) for place in Enrolment.objects.filter(programme=course.programme))
    assert exact["MT"] == 1
    assert exact["DE"] == 4
    assert 40 - sum(dict(found.countries.groups).values()) - found.countries.others == 0


def test_looking_before_and_after_one_doctor_shows_the_same() -> None:
    course = CourseFactory.create()
    webinar = well_shared(course)
    moment = datetime.now(UTC)
    before = figures_of(course.programme, now=moment)
    user = UserFactory.create(country="MT")
    EnrolmentFactory.create(user=user, programme=course.programme)
    WatchRecordFactory.create(user=user, webinar=webinar)
    assert figures_of(course.programme, now=moment) == before
    # Nor tomorrow, nor next month, while nobody else does anything.
    for days in (1, 2, 30):
        assert figures_of(course.programme, now=moment + timedelta(days=days)) == before


def test_figures_go_on_when_five_did_something_on_a_day() -> None:
    course = CourseFactory.create()
    well_shared(course, named=0)
    moment = datetime.now(UTC)
    before = figures_of(course.programme, now=moment)
    for _ in range(5):
        EnrolmentFactory.create(programme=course.programme)
    assert figures_of(course.programme, now=moment) == before
    after = figures_of(course.programme, now=moment + timedelta(days=1))
    assert dict(after.funnel)["invited"] == (dict(before.funnel)["invited"] or 0) + 5
    assert after.last_day == moment.date()


def _came(course: Course, countries: list[str], *, days: float) -> list[User]:
    """Each was invited and watched the only lecture, so many days ago."""
    webinar = Webinar.objects.filter(lesson__course=course).first() or WebinarFactory.create(
        lesson=LessonFactory.create(course=course)
    )
    users = [UserFactory.create(country=country) for country in countries]
    for user in users:
        EnrolmentFactory.create(user=user, programme=course.programme, enrolled_at=ago(days), activated_at=ago(days))
        WatchRecordFactory.create(user=user, webinar=webinar, first_beat_at=ago(days))
    return users


def _agree(users: Sequence[User], programme: Programme, *, now: datetime) -> None:
    for user in users:
        agree(user=user, programme=programme, wording=wording_of(programme), now=now)


def test_sec_39_who_was_named_counts_as_named_also_after_withdrawing() -> None:
    """Of five from Brazil four were on yesterday's list. Shown without them today, the cell would be the fifth one."""
    course = CourseFactory.create()
    users = _came(course, ["BR"] * 5 + ["IN"] * 30, days=1.5)
    _agree(users[:4], course.programme, now=ago(1.2))
    before = figures_of(course.programme, now=TODAY)
    assert (before.countries.groups, before.countries.others) == ((), 35)
    assert len(names(before)) == 4
    for user in users[:4]:
        withdraw(user=user, programme=course.programme, now=TODAY)
    assert names(before) == []
    for days in (0, 1, 30):
        after = figures_of(course.programme, now=TODAY + timedelta(days=days))
        assert after == before
        assert names(after) == []


def test_sec_39_no_number_changes_because_one_doctor_agrees() -> None:
    """A cell that goes when the fourth of eight agrees tells that it had eight. It goes with the next day's figures."""
    course = CourseFactory.create()
    users = _came(course, ["BR"] * 8 + ["IN"] * 30, days=2.5)
    _came(course, ["IN"] * 5, days=0.5)
    before = figures_of(course.programme, now=ago(0.4))
    assert dict(before.countries.groups) == {"IN": 30, "BR": 10}
    for user in users[:4]:
        _agree([user], course.programme, now=ago(0.4))
        assert figures_of(course.programme, now=ago(0.4)) == before
        assert names(before) == []
    found = figures_of(course.programme, now=TODAY)
    assert (found.countries.groups, found.countries.others) == ((), 45)
    assert len(names(found)) == 4


@st.composite
def sayings(draw: Any) -> list[tuple[float, int, bool]]:
    """(days ago, which doctor, agrees), in their order."""
    times = st.sampled_from([3.2, 2.8, 2.4, 2.2, 1.8, 1.4, 1.2, 0.8, 0.4, -0.1, -0.3])
    drawn = draw(st.lists(st.tuples(times, st.integers(0, 11), st.booleans()), max_size=30))
    return sorted(drawn, key=lambda one: -one[0])


@given(countries=st.lists(st.sampled_from(["BR", "KE"]), min_size=12, max_size=12), said=sayings())
@some
def test_sec_39_names_given_and_taken_back_on_several_days_never_leave_fewer_than_five(
    countries: list[str], said: list[tuple[float, int, bool]]
) -> None:
    """Whoever keeps every page and every file, and takes off each number whom they have ever read a name of."""
    course = CourseFactory.create()
    programme = course.programme
    users = _came(course, countries, days=3.5)
    users += _came(course, ["IN"] * 5, days=2.5)
    users += _came(course, ["IN"] * 5, days=1.5)
    for number, user in enumerate(users):
        User.objects.filter(pk=user.pk).update(last_name=f"N{number}", title="", first_name="")
    enrolled = Enrolment.objects.filter(programme=programme).select_related("user").order_by("user_id")
    places = {f"N{number}": place for number, place in enumerate(enrolled)}
    known: set[str] = set()
    earlier: SharedFigures | None = None
    listed: set[str] = set()
    for look in (2.9, 2.3, 1.9, 1.3, 0.9, 0.3, -0.2, -0.4):
        while said and said[0][0] > look:
            days, number, is_yes = said.pop(0)
            if is_yes:
                _agree([users[number]], programme, now=ago(days))
            else:
                withdraw(user=users[number], programme=programme, now=ago(days))
        found = figures_of(programme, now=ago(look))
        until = found.until
        assert until is not None
        before, listed = listed, {one.name for one in names(found)}
        known |= listed
        if earlier and earlier.until == until:
            assert found == earlier
            assert listed <= before
        earlier = found
        there = [one for one in places.items() if one[1].enrolled_at < until]
        counts = Counter(str(place.user.country) for _, place in there)
        unnamed = Counter(str(place.user.country) for name, place in there if name not in known)
        told = dict(found.countries.groups)
        assert all(unnamed[country] >= LEAST for country in told)
        folded = set(counts) - set(told)
        assert found.countries.others is None or sum(unnamed[country] for country in folded) >= LEAST
        for number_told in (dict(found.funnel)["attended"], found.lectures[0].live):
            assert number_told is None or sum(unnamed.values()) >= LEAST


def test_cells_and_totals_never_leave_fewer_than_five_unnamed() -> None:
    counts, named = {"IN": 30, "BR": 9, "KE": 6, "MT": 5}, {"BR": 5, "KE": 1, "MT": 5}
    found = cells_of(counts, named=named)
    assert dict(found.groups) == {"IN": 30}  # Kenya keeps Brazil and Malta company
    assert found.others == 20
    assert [shown(8, named=number) for number in (0, 3, 4, 8)] == [10, 10, None, None]
    with pytest.raises(ValueError, match="named"):
        shown(3, named=4)


def _evaluated(course: Course, about: Any, marks: list[int]) -> Evaluation:
    questions = ({"kind": QuestionKind.LIKERT, "dimension": Dimension.CONTENT, "text": "Sound?"},)
    evaluation = make_evaluation(questions=questions, lesson__course=course, about=about)
    for mark in marks:
        _say(evaluation, course, mark)
    return evaluation


def _say(evaluation: Evaluation, course: Course, mark: int) -> None:
    user = UserFactory.create()
    EnrolmentFactory.create(user=user, programme=course.programme)
    hand_in(evaluation, mark, user=user)


def _dated() -> None:
    Enrolment.objects.update(enrolled_at=ago(3), activated_at=ago(3))
    EvaluationReceipt.objects.update(answered_on=ago(3).date())
    EvaluationResponse.objects.update(answered_on=ago(3).date())


def test_means_come_in_fives_of_answers() -> None:
    course = CourseFactory.create()
    webinar = WebinarFactory.create(lesson=LessonFactory.create(course=course))
    evaluation = _evaluated(course, webinar.lesson, [5, 4, 4, 3])
    for _ in range(5):
        EnrolmentFactory.create(programme=course.programme)
    _dated()
    assert figures_of(course.programme, now=TODAY).means == ()
    _say(evaluation, course, 1)
    _dated()
    seen = figures_of(course.programme, now=TODAY)
    assert [(one.dimension, one.value, one.people) for one in seen.means] == [(Dimension.CONTENT, 3.4, 5)]
    assert [one.mean for one in seen.lectures] == [3.4]
    # Days later four more: had they moved the mean, the first of them would be known from two looks.
    EvaluationResponse.objects.update(answered_on=ago(9).date())
    for mark in (1, 1, 1, 1):
        _say(evaluation, course, mark)
        EvaluationResponse.objects.filter(answered_on__gt=ago(9).date()).update(answered_on=ago(3).date())
        assert figures_of(course.programme, now=TODAY).means == seen.means
    _say(evaluation, course, 1)
    EvaluationResponse.objects.filter(answered_on__gt=ago(9).date()).update(answered_on=ago(3).date())
    (mean,) = figures_of(course.programme, now=TODAY).means
    assert (mean.value, mean.people) == (2.2, 10)
    assert EvaluationAnswer.objects.count() == 10


def test_names_are_of_those_who_agreed_and_say_no_more_than_that() -> None:
    course = CourseFactory.create()
    webinar = WebinarFactory.create(lesson=LessonFactory.create(course=course))
    willing, other = (
        UserFactory.create(first_name=name, specialty="Cardiology", phone="+919876543210") for name in ("Asha", "Bela")
    )
    for user in (willing, other):
        EnrolmentFactory.create(user=user, programme=course.programme, enrolled_at=ago(2), completed_at=ago(1))
        WatchRecordFactory.create(user=user, webinar=webinar, first_beat_at=ago(2))
    foreign = EnrolmentFactory.create(enrolled_at=ago(2))
    _agree([willing], course.programme, now=ago(2))
    _agree([foreign.user], foreign.programme, now=ago(2))
    among = ever_agreed(course.programme, until=MIDNIGHT)
    (one,) = named_in(course.programme, until=MIDNIGHT, among=among)
    assert (one.name, one.country, one.specialty, one.lectures, one.is_completed) == (
        "Dr Asha Nair", "IN", "Cardiology", 1, True,
    )  # fmt: skip
    assert named_in(course.programme, until=MIDNIGHT, among=[]) == []
    withdraw(user=willing, programme=course.programme, now=TODAY)
    assert ever_agreed(course.programme, until=MIDNIGHT) == among
    assert named_in(course.programme, until=MIDNIGHT, among=among) == []


def test_who_has_left_or_wants_to_is_named_no_more() -> None:
    course = CourseFactory.create()
    users = _came(course, ["IN"] * 6, days=2)
    _agree(users, course.programme, now=ago(2))
    shut, asked, suspended, withdrawn, kept, done = users
    User.objects.filter(pk=shut.pk).update(is_active=False)
    ask_for_erasure(user=asked, now=ago(1))
    for user, status in ((suspended, "suspended"), (withdrawn, "withdrawn")):
        Enrolment.objects.filter(user=user).update(status=status)
    Enrolment.objects.filter(user=done).update(status="completed", completed_at=ago(1))
    User.objects.filter(pk=kept.pk).update(last_name="Kept")
    User.objects.filter(pk=done.pk).update(last_name="Done")
    found = figures_of(course.programme, now=TODAY)
    assert [one.name.split()[-1] for one in names(found)] == ["Done", "Kept"]
    assert set(found.agreed) == {user.pk for user in users}


def test_drafts_and_other_programmes_are_in_no_number() -> None:
    course = CourseFactory.create()
    well_shared(course)
    before = figures_of(course.programme, now=datetime.now(UTC))
    well_shared(CourseFactory.create())
    WebinarFactory.create(
        lesson=LessonFactory.create(course=CourseFactory.create(programme=course.programme, status="draft"))
    )
    assert figures_of(course.programme, now=datetime.now(UTC)) == before
    assert len(doctors_of(course)) == 40


def test_the_queries_do_not_grow(django_assert_num_queries: Any) -> None:
    course = CourseFactory.create()
    well_shared(course)
    with django_assert_num_queries(7):
        figures_of(course.programme, now=datetime.now(UTC))
    WebinarFactory.create(lesson=LessonFactory.create(course=course))
    WebinarFactory.create(lesson=LessonFactory.create(course=course))
    with django_assert_num_queries(7):
        assert len(figures_of(course.programme, now=datetime.now(UTC)).lectures) == 3
