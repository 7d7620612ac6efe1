"""Each number that sponsors and auditors read, on random data, beside a count of rows that shares nothing with it.

Four lectures: two that are published, one in a draft, one of another programme in which the same doctors have places.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.domain.sharing.consent import named_in
from analytics.domain.sharing.figures import figures_of
from analytics.models import SharingConsent
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer, EvaluationReceipt, EvaluationResponse
from certification.enums import CertificateKind, EntryKind
from certification.models import Certificate, LedgerEntry
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Enrolment, Programme
from tests.analytics.certified import CERTIFICATES, certify
from tests.assessments.feedback import questions_of
from tests.factories.accounts import UserFactory
from tests.factories.assessments import make_evaluation
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
LOOKS = (timedelta(minutes=1), timedelta(hours=9), timedelta(hours=23, minutes=59))
ZONES = ("UTC", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Asia/Kolkata")
DAY = timedelta(days=1)
# Before midnight: within days, on their borders, and a moment before those; the last ones are after it.
AGES = (12 * DAY / 24, DAY, DAY + timedelta(microseconds=1), 1.5 * DAY, 2 * DAY, 2.5 * DAY, -DAY / 30, -DAY * 0)
ages = st.sampled_from(AGES)
FIVE = 5

people = st.fixed_dictionaries(
    {
        "places": st.sampled_from(("here", "here", "here", "both", "elsewhere")),
        "status": st.sampled_from((EnrolmentStatus.ACTIVE, EnrolmentStatus.ACTIVE, EnrolmentStatus.WITHDRAWN)),
        "country": st.sampled_from(("IN", "BR", "")),
        "specialty": st.sampled_from(("Cardiology", "")),
        "enrolled": ages,
        "joined": st.none() | ages,
        "completed": st.none() | ages,
        "watched": st.dictionaries(
            st.tuples(st.integers(0, 3), st.sampled_from(Phase)),
            st.tuples(ages, st.sampled_from((0, 60, 60))),
            max_size=3,
        ),
        "visits": st.dictionaries(st.integers(0, 3), ages, max_size=2),
        "certificate": st.sampled_from((*CERTIFICATES, "given", "given")),
        "certified": st.tuples(ages, ages),
        "named": st.none() | st.none() | st.tuples(ages, st.booleans()),
        "receipts": st.dictionaries(st.integers(0, 3), ages, max_size=1),
    }
)


def _lectures() -> list[Webinar]:
    programme, other = ProgrammeFactory.create(), ProgrammeFactory.create()
    courses = [CourseFactory.create(programme=programme) for _ in range(2)]
    courses += [CourseFactory.create(programme=programme, status=PublishStatus.DRAFT)]
    courses += [CourseFactory.create(programme=other)]
    return [WebinarFactory.create(lesson=LessonFactory.create(course=course)) for course in courses]


def _enter(lectures: Sequence[Webinar], forms: Sequence[Evaluation], one: dict[str, Any]) -> None:
    here, other = lectures[0].lesson.course.programme, lectures[3].lesson.course.programme
    user = UserFactory.create(country=one["country"], specialty=one["specialty"])
    programmes = {"here": [here], "both": [here, other], "elsewhere": [other]}[one["places"]]
    for programme in programmes:
        place = EnrolmentFactory.create(
            user=user,
            programme=programme,
            status=one["status"],
            enrolled_at=MIDNIGHT - one["enrolled"],
            activated_at=None if one["joined"] is None else MIDNIGHT - one["joined"],
            completed_at=None if one["completed"] is None else MIDNIGHT - one["completed"],
        )
        if programme == here:
            at, later = sorted(MIDNIGHT - age for age in one["certified"])
            certify(place, one["certificate"], course=lectures[0].lesson.course, at=at, later=later)
    for (number, phase), (age, length) in one["watched"].items():
        WatchRecordFactory.create(
            user=user,
            webinar=lectures[number],
            phase=phase,
            coverage=((0, length),) if length else (),
            first_beat_at=MIDNIGHT - age,
        )
    for number, age in one["visits"].items():
        at = MIDNIGHT - age
        Visit.objects.create(webinar=lectures[number], user=user, joined_at=at, seen_at=at, left_at=at)
    for number, age in one["receipts"].items():
        on = (MIDNIGHT - age).date()
        EvaluationReceipt.objects.create(evaluation=forms[number], user=user, answered_on=on)
    if one["named"] is not None:
        age, is_over = one["named"]
        SharingConsent.objects.create(
            user=user,
            programme=here,
            wording="Yes",
            given_at=MIDNIGHT - age,
            withdrawn_at=MIDNIGHT + DAY if is_over else None,
        )


def _until(programme: Programme, lectures: Sequence[Webinar]) -> datetime | None:
    """The end of the latest day on which five doctors with a place did anything."""
    deeds: dict[date, set[int]] = defaultdict(set)
    for place in Enrolment.objects.filter(programme=programme):
        moments = [place.enrolled_at, place.activated_at, place.completed_at]
        moments += [one.first_beat_at for one in WatchRecord.objects.filter(user=place.user, webinar__in=lectures)]
        moments += [one.joined_at for one in Visit.objects.filter(user=place.user, webinar__in=lectures)]
        moments += [one.issued_at for one in Certificate.objects.filter(user=place.user, programme=programme)]
        days = {moment.astimezone(UTC).date() for moment in moments if moment}
        for receipt in EvaluationReceipt.objects.filter(user=place.user):
            if receipt.evaluation.about in [one.lesson for one in lectures]:
                days.add(receipt.answered_on)
        for day in days:
            deeds[day].add(place.user_id)
    found = [day for day, who in deeds.items() if len(who) >= FIVE and day < MIDNIGHT.date()]
    return datetime.combine(max(found), time.min, tzinfo=UTC) + DAY if found else None


def _has_certificate(place: Enrolment, until: datetime) -> bool:
    """As it was then: what is given, replaced or revoked later has not happened."""
    mine = [
        one
        for one in Certificate.objects.filter(user=place.user, programme=place.programme)
        if one.kind == CertificateKind.PROGRAMME and one.issued_at < until
    ]
    if not mine:
        return False
    newest = max(mine, key=lambda one: one.edition)
    lines = LedgerEntry.objects.filter(certificate=newest, kind=EntryKind.CERTIFICATE_REVOKED)
    return not any(line.entered_at < until for line in lines)


def _was_at(place: Enrolment, lectures: Iterable[Webinar], until: datetime) -> set[tuple[int, bool]]:
    """(lecture, whether live)."""
    found = set()
    for lecture in lectures:
        for record in WatchRecord.objects.filter(user=place.user, webinar=lecture):
            if record.first_beat_at < until and record.coverage:
                found.add((lecture.pk, record.phase == Phase.LIVE))
        for visit in Visit.objects.filter(user=place.user, webinar=lecture):
            if visit.joined_at < until:
                found.add((lecture.pk, True))
    return found


def _shown(places: Sequence[Enrolment], known: set[int]) -> int | None:
    """To the nearest multiple of five; nothing where fewer than five are left without those who may be known."""
    hidden = [place for place in places if place.user_id not in known]
    if places and len(hidden) < FIVE:
        return None
    return min(range(0, 5 * len(places) + 6, FIVE), key=lambda number: abs(number - len(places)))


def _folded(
    groups: Mapping[str, Sequence[Enrolment]], known: set[int]
) -> tuple[tuple[tuple[str, int | None], ...], int | None]:
    """Groups of five and more, and the rest together: as few of the smallest with it as make it five."""
    unknown = {name: sum(place.user_id not in known for place in of) for name, of in groups.items()}
    small = [name for name in groups if not name or unknown[name] < FIVE]
    large = sorted(set(groups) - set(small), key=lambda name: (unknown[name], len(groups[name]), name))
    taken = 0
    while small and taken < len(large) and sum(unknown[name] for name in (*small, *large[:taken])) < FIVE:
        taken += 1
    rest = [place for name in (*small, *large[:taken]) for place in groups[name]]
    told = [(name, _shown(groups[name], known)) for name in large[taken:]]
    ordered = tuple(sorted(told, key=lambda one: (-(one[1] or 0), one[0])))
    return ordered, _shown(rest, known) if small else None


@pytest.mark.parametrize("what", ["revoked", "replaced"])
def test_what_becomes_of_a_certificate_today_is_not_seen_today(what: str) -> None:
    """Eight have one, and sponsors read ten. Were one of them missing at once, they would read five, and know it."""
    course = CourseFactory.create()
    for place in EnrolmentFactory.create_batch(7, programme=course.programme, enrolled_at=MIDNIGHT - DAY):
        certify(place, "given", course=course, at=MIDNIGHT - DAY)
    last = EnrolmentFactory.create(programme=course.programme, enrolled_at=MIDNIGHT - DAY)
    certify(last, what, course=course, at=MIDNIGHT - DAY, later=MIDNIGHT + DAY / 4)
    found = figures_of(course.programme, now=MIDNIGHT + DAY / 2)
    assert dict(found.funnel)["certified"] == 10


@given(drawn=st.lists(people, min_size=8, max_size=12), look=st.sampled_from(LOOKS), zone=st.sampled_from(ZONES))
@some
def test_people(drawn: list[dict[str, Any]], look: timedelta, zone: str) -> None:
    """Whatever the clock of whoever looks says: days are those of UTC."""
    lectures = _lectures()
    programme, published = lectures[0].lesson.course.programme, lectures[:2]
    forms = [make_evaluation(questions=(), lesson__course=one.lesson.course, about=one.lesson) for one in lectures]
    for one in drawn:
        _enter(lectures, forms, one)
    got = figures_of(programme, now=(MIDNIGHT + look).astimezone(ZoneInfo(zone)))
    until = _until(programme, published)
    assert got.until == until
    if until is None:
        assert (got.funnel, got.lectures, got.agreed) == ((), (), ())
        return
    agreed = SharingConsent.objects.filter(programme=programme)
    known = {one.user_id for one in agreed if one.given_at < until}
    assert set(got.agreed) == known
    places = [one for one in Enrolment.objects.filter(programme=programme) if one.enrolled_at < until]
    steps: dict[str, list[Enrolment]] = {
        "invited": places,
        "joined": [one for one in places if one.activated_at and one.activated_at < until],
        "attended": [one for one in places if _was_at(one, published, until)],
        "completed": [one for one in places if one.completed_at and one.completed_at < until],
        "certified": [one for one in places if _has_certificate(one, until)],
    }
    assert got.funnel == tuple((name, _shown(of, known)) for name, of in steps.items())
    for cells, name in ((got.countries, "country"), (got.specialties, "specialty")):
        groups: dict[str, list[Enrolment]] = defaultdict(list)
        for place in steps["attended"]:
            groups[str(getattr(place.user, name))].append(place)
        assert (cells.groups, cells.others) == _folded(groups, known)
    assert [(one.webinar, one.live, one.recorded) for one in got.lectures] == [
        (lecture, *(_shown(_at(places, lecture, is_live, until), known) for is_live in (True, False)))
        for lecture in published
    ]
    _check_names(programme, until, known)


def _at(places: Iterable[Enrolment], lecture: Webinar, is_live: bool, until: datetime) -> list[Enrolment]:
    return [one for one in places if (lecture.pk, is_live) in _was_at(one, [lecture], until)]


def _check_names(programme: Programme, until: datetime, known: set[int]) -> None:
    """Of who still agrees and has an open place: at how many lectures of the programme, and whether it is done."""
    expected = []
    lectures = list(Webinar.objects.filter(lesson__course__programme=programme))
    for place in Enrolment.objects.filter(programme=programme, status=EnrolmentStatus.ACTIVE):
        consent = SharingConsent.objects.filter(programme=programme, user=place.user, withdrawn_at=None)
        if place.user_id in known and consent.exists() and place.enrolled_at < until:
            seen = {lecture for lecture, _is_live in _was_at(place, lectures, until)}
            is_done = place.completed_at is not None and place.completed_at < until
            expected.append((place.user.get_full_name(), place.user.country.code or "", len(seen), is_done))
    got = named_in(programme, until=until, among=known)
    assert Counter((one.name, one.country, one.lectures, one.is_completed) for one in got) == Counter(expected)


ASKED: tuple[dict[str, Any], ...] = (
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.CONTENT, "text": "Sound?"},
    {"kind": QuestionKind.STARS, "dimension": Dimension.CONTENT, "text": "New?"},
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.PACE, "text": "The pace?"},
    {"kind": QuestionKind.NPS, "dimension": Dimension.PACE, "text": "Recommend?"},
    {"kind": QuestionKind.TEXT, "dimension": Dimension.CONTENT, "text": "Else?"},
)
mark = st.sampled_from((None, 1, 2, 3, 4, 4, 5, 5))
sheets = st.tuples(ages, st.tuples(mark, mark, mark), st.none() | st.integers(0, 10), st.booleans())
# About both published lectures, the first of them a second time, that of the draft, that elsewhere, and none.
ABOUT = (0, 1, 0, 2, 3, None)


def _say(form: Evaluation, sheet: Any, key: int) -> None:
    age, marks, score, has_text = sheet
    assert form.form is not None
    questions = questions_of(form)
    # Keys are drawn, and no two the same: of a day, the order of the sheets is theirs.
    own = UUID(int=(key << 32) + EvaluationResponse.objects.count())
    response = EvaluationResponse.objects.create(
        id=own, evaluation=form, form=form.form, answered_on=(MIDNIGHT - age).date()
    )
    EvaluationAnswer.objects.bulk_create(
        EvaluationAnswer(response=response, question=question, number=number)
        for question, number in zip(questions, (*marks, score), strict=False)
        if number is not None
    )
    if has_text:
        EvaluationAnswer.objects.create(response=response, question=questions[4], text="Well.")


def _numbers(form: Evaluation, dimension: str, until: datetime) -> list[list[int]]:
    """Sheet after sheet the steps that were marked, of as many whole fives of sheets as there are."""
    found = []
    responses = [one for one in EvaluationResponse.objects.filter(evaluation=form) if one.answered_on < until.date()]
    for response in sorted(responses, key=lambda one: (one.answered_on, one.pk.int)):
        marks = [
            answer.number
            for answer in EvaluationAnswer.objects.filter(response=response).select_related("question")
            if answer.number is not None
            and answer.question.dimension == dimension
            and answer.question.kind in {QuestionKind.LIKERT, QuestionKind.STARS}
        ]
        if marks:
            found.append(marks)
    while len(found) % FIVE:
        found.pop()
    return found


def _mean(sheets: Iterable[Sequence[int]]) -> float:
    """To one place, a half to the even one of two: as numbers of two places are rounded."""
    marks = [number for one in sheets for number in one]
    return round(float(Fraction(sum(marks), len(marks))), 1)


@given(
    drawn=st.tuples(*[st.lists(sheets, min_size=3, max_size=14)] * 3, *[st.lists(sheets, max_size=6)] * 3),
    keys=st.randoms(use_true_random=False),
    came=st.sampled_from((1.5, 2.5)),
)
@some
def test_means(drawn: tuple[list[Any], ...], keys: Any, came: float) -> None:
    lectures = _lectures()
    programme = lectures[0].lesson.course.programme
    EnrolmentFactory.create_batch(FIVE, programme=programme, enrolled_at=MIDNIGHT - came * DAY, activated_at=None)
    forms = []
    for about, filled in zip(ABOUT, drawn, strict=True):
        lecture = lectures[about or 0]
        form = make_evaluation(
            questions=ASKED, lesson__course=lecture.lesson.course, about=None if about is None else lecture.lesson
        )
        for sheet in filled:
            _say(form, sheet, keys.getrandbits(90))
        forms.append(form)
    got = figures_of(programme, now=MIDNIGHT + DAY / 2)
    until = MIDNIGHT - floor(came) * DAY
    assert got.until == until
    counted: dict[tuple[int, str], list[list[int]]] = {}
    for about, form in zip(ABOUT[:3], forms[:3], strict=True):
        for dimension in (Dimension.CONTENT, Dimension.PACE):
            found = _numbers(form, dimension, until)
            if found and about is not None:
                counted.setdefault((about, dimension), []).extend(found)
    expected = []
    for dimension in Dimension:
        everything = [sheet for (_, one), sheets in counted.items() if one == dimension for sheet in sheets]
        if everything:
            expected.append((dimension, _mean(everything), len(everything)))
    assert [(one.dimension, one.value, one.people) for one in got.means] == expected
    for number, line in enumerate(got.lectures):
        parts = [_mean(sheets) for (about, _), sheets in counted.items() if about == number]
        assert line.mean == (pytest.approx(sum(parts) / len(parts), abs=0.05001) if parts else None)
        assert line.mean is None or line.mean == round(line.mean, 1)
