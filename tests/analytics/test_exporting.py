"""Every dataset against plain Python over the raw rows, and page by page the same as at once."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.enums import Role
from accounts.models import User
from analytics.domain.axis import axis_of
from analytics.domain.exporting.catalogue import DATASETS, datasets_of, find_dataset
from analytics.domain.exporting.datasets import Dataset, Row, Scope, Source, jsonable
from analytics.domain.exporting.files import page_of
from analytics.domain.rollups.refreshing import refresh
from assessments.models import EvaluationAnswer
from core.ranges import normalise
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from tests.analytics import reference
from tests.analytics.lecture_world import well_visited
from tests.analytics.reports import reported
from tests.factories.accounts import UserFactory
from tests.factories.courses import (
    CohortFactory,
    CourseFactory,
    EnrolmentFactory,
    LessonFactory,
    RoleGrantFactory,
)
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.stage.doors import open_door
from tests.webinars.watching import NOON
from webinars.enums import Phase, QuestionState, SpotState
from webinars.models import Question, SpotRequest, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pairs = st.tuples(st.integers(0, 400), st.integers(1, 300)).map(lambda one: (one[0], one[0] + one[1]))
coverage = st.lists(pairs, max_size=3).map(normalise)


@pytest.fixture
def webinar() -> Webinar:
    course = CourseFactory.create()
    found = well_visited(course, RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user)
    reported(found, 5)
    reported(found, 2, at=NOON + timedelta(days=40))
    for number in range(4):
        _asked(WebinarFactory.create(lesson__course=course), [SpotState.PENDING] * (number + 1))
    return found


def _asked(webinar: Webinar, states: Sequence[SpotState]) -> None:
    """At the door of a webinar, which was opened for this."""
    window = open_door(webinar)
    for number, state in enumerate(states):
        SpotRequest.objects.create(
            window=window,
            email=f"{number}@example.org",
            ticket=f"{window.pk}-{number}",
            state=state,
            decided_at=None if state == SpotState.PENDING else NOON,
            created_at=NOON,
        )


def rows_of(key: str, source: Source) -> list[dict[str, Any]]:
    dataset = DATASETS[key]
    return [dict(zip(dataset.names, row, strict=True)) for row in dataset.rows(source)]


def about(webinar: Webinar, *, sees_all: bool = True) -> Source:
    return Source(webinar.lesson.course.programme, webinar, sees_all=sees_all)


def doctors_of(webinar: Webinar) -> set[int]:
    places = Enrolment.objects.filter(programme=webinar.lesson.course.programme)
    return set(places.values_list("user_id", flat=True))


def test_the_audience_is_counted_person_by_person(webinar: Webinar) -> None:
    UserFactory.create()  # no doctor of the programme
    WatchRecordFactory.create(webinar=webinar)
    expected: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for user in User.objects.filter(pk__in=doctors_of(webinar)):
        records = {one.phase: one for one in WatchRecord.objects.filter(user=user, webinar=webinar)}
        live, recorded = records.get(Phase.LIVE), records.get(Phase.ON_DEMAND)
        seen = {
            "doctors": bool(records),
            "live": live is not None,
            "recorded": recorded is not None,
            "both": live is not None and recorded is not None,
            "stayed": live is not None and any(end > 3420 for _, end in live.coverage),
            "live_seconds": sum(end - start for start, end in live.coverage) if live else 0,
            "recorded_seconds": sum(end - start for start, end in recorded.coverage) if recorded else 0,
        }
        for group in (("total", ""), ("country", str(user.country)), ("specialty", user.specialty)):
            expected[group].update({name: int(value) for name, value in seen.items()})
    found = rows_of("audience", about(webinar))
    assert {(row.pop("group"), row.pop("name")): row for row in found} == {
        group: dict(counts) for group, counts in expected.items()
    }


def test_who_stayed_is_empty_while_nobody_knows_the_end(webinar: Webinar) -> None:
    Webinar.objects.update(ended_at=None)
    assert {row["stayed"] for row in rows_of("audience", about(webinar))} == {None}


def test_each_second_has_as_many_as_watched_it(webinar: Webinar) -> None:
    axis = axis_of(webinar)
    seconds: dict[str, list[set[int]]] = {name: [set() for _ in range(axis.length)] for name in ("live", "on_demand")}
    for record in WatchRecord.objects.filter(webinar=webinar, user__in=doctors_of(webinar)):
        to_axis = axis.live_to_axis if record.phase == Phase.LIVE else axis.uncut_to_axis
        for start, end in to_axis(record.coverage):
            for second in range(int(start), int(end)):
                seconds[record.phase][second].add(record.user_id)
    expected = [
        {"second": at, "live": len(live), "recorded": len(recorded), "all": len(live | recorded)}
        for at, (live, recorded) in enumerate(zip(seconds["live"], seconds["on_demand"], strict=True))
    ]
    assert len(expected) == 3600
    assert rows_of("retention", about(webinar)) == expected


def test_minutes_are_those_of_the_reference(webinar: Webinar) -> None:
    refresh(webinar_id=webinar.pk, now=NOON + timedelta(days=2), whole=True)
    webinar.refresh_from_db()
    found = rows_of("minutes", about(webinar))
    for phase in Phase:
        mine = {
            row["at"].astimezone(UTC): (row["people"], row["arrivals"], row["leavings"])
            for row in found
            if row["phase"] == phase
        }
        assert mine == reference.minutes(webinar, phase)


def test_feedback_is_counted_answer_by_answer(webinar: Webinar) -> None:
    found = rows_of("feedback", about(webinar))
    given: Counter[tuple[int, int]] = Counter()
    for answer in EvaluationAnswer.objects.filter(number__isnull=False):
        given[answer.question_id, answer.number or 0] += 1
    assert {(row["question"], row["step"]): row["given"] for row in found if row["given"]} == dict(given)
    assert len({row["question"] for row in found}) == 4  # free text is not in it
    for row in found:
        answers = [number for (question, step), times in given.items() if question == row["question"]
                   for number in [step] * times]  # fmt: skip
        assert (row["answered"], row["mean"]) == (len(answers), round(sum(answers) / len(answers), 2))


def test_sec_39_of_fewer_than_five_anonymous_answers_there_is_no_number(webinar: Webinar) -> None:
    EvaluationAnswer.objects.filter(question__kind="stars").exclude(
        pk__in=EvaluationAnswer.objects.filter(question__kind="stars").values("pk")[:4]
    ).delete()
    found = [row for row in rows_of("feedback", about(webinar)) if row["kind"] == "stars"]
    assert [(row["step"], row["given"], row["answered"], row["mean"]) for row in found] == [(0, None, None, None)]


def test_a_presenter_reads_only_questions_that_were_passed_on(webinar: Webinar) -> None:
    Question.objects.all().delete()
    author = UserFactory.create(last_name="Secretname")

    def ask(text: str, **fields: Any) -> int:
        values = {"webinar": webinar, "author": author, "text": text, "asked_at": NOON, **fields}
        return int(Question.objects.create(**values).pk)

    private = ask("Private?", answer_text="To you alone.", answered_at=NOON + timedelta(seconds=90), state="answered")
    passed = ask("Rude?", edited_text="Polite?", forwarded_at=NOON, state=QuestionState.FORWARDED, asked_seconds=61.5)
    public = ask("Public?", published_at=NOON, state=QuestionState.PUBLISHED, votes=3, is_answered_live=True)
    ask("Foreign?", webinar=WebinarFactory.create())
    staff = rows_of("questions", about(webinar))
    assert [(row["question"], row["text"], row["answer"]) for row in staff] == [
        (private, "Private?", "To you alone."),
        (passed, "Polite?", ""),
        (public, "Public?", ""),
    ]
    assert [row["answer_seconds"] for row in staff] == [90.0, None, None]
    assert [(row["state"], row["asked_second"], row["votes"], row["answered_live"]) for row in staff] == [
        ("answered", None, 0, 0), ("forwarded", 61.5, 0, 0), ("published", None, 3, 1),
    ]  # fmt: skip
    presenter = rows_of("questions", about(webinar, sees_all=False))
    assert [(row["text"], row["answer"]) for row in presenter] == [("", ""), ("Polite?", ""), ("Public?", "")]
    assert "Secretname" not in str([*staff, *presenter])


@st.composite
def learners(draw: Any) -> dict[str, Any]:
    return {
        "watched": draw(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(Phase), coverage), max_size=3)),
        "lessons": draw(st.sets(st.integers(0, 1))),
        "has_course": draw(st.booleans()),
        "is_doctor": draw(st.integers(0, 4)) > 0,
    }


def _learn(webinars: list[Webinar], one: dict[str, Any]) -> User:
    user: User = UserFactory.create()
    course = webinars[0].lesson.course
    if one["is_doctor"]:
        EnrolmentFactory.create(user=user, programme=course.programme)
    for number, phase, seen in one["watched"]:
        if not WatchRecord.objects.filter(user=user, webinar=webinars[number], phase=phase).exists():
            WatchRecordFactory.create(user=user, webinar=webinars[number], phase=phase, coverage=seen)
    for number in one["lessons"]:
        LessonCompletion.objects.create(user=user, lesson=webinars[number].lesson, completed_at=NOON)
    if one["has_course"]:
        CourseCompletion.objects.create(user=user, course=course, completed_at=NOON)
    return user


def _length(records: list[WatchRecord], phase: Phase) -> int:
    return sum(end - start for one in records if one.phase == phase for start, end in one.coverage)


@given(people=st.lists(learners(), max_size=6))
@some
def test_learners_and_what_they_watched_are_those_of_the_raw_rows(people: list[dict[str, Any]]) -> None:
    course = CourseFactory.create()
    webinars = [WebinarFactory.create(lesson=LessonFactory.create(course=course)) for _ in range(2)]
    other = WebinarFactory.create()
    for one in people:
        user = _learn(webinars, one)
        WatchRecordFactory.create(user=user, webinar=other)
        LessonCompletion.objects.create(user=user, lesson=other.lesson, completed_at=NOON)
    source = Source(course.programme, sees_all=True)
    places = Enrolment.objects.filter(programme=course.programme).select_related("user").order_by("user_id")
    watching = []
    for row, place in zip(rows_of("learners", source), places, strict=True):
        user = place.user
        records = [one for one in WatchRecord.objects.filter(user=user, webinar__in=webinars) if one.coverage]
        done = [one for one in LessonCompletion.objects.filter(user=user) if one.lesson.course_id == course.pk]
        assert row == {
            "doctor": user.pk,
            "name": user.get_full_name(),
            "email": user.email,
            "country": "IN",
            "specialty": "",
            "cohort": "",
            "status": "active",
            "enrolled_at": place.enrolled_at,
            "first_signed_in_at": place.activated_at,
            "lessons_completed": len(done),
            "courses_completed": CourseCompletion.objects.filter(user=user).count(),
            "programme_completed_at": None,
            "live_seconds": _length(records, Phase.LIVE),
            "recorded_seconds": _length(records, Phase.ON_DEMAND),
            "last_watched_at": max((one.last_beat_at for one in records), default=None),
        }
        for webinar in webinars:
            mine = [one for one in records if one.webinar_id == webinar.pk]
            if mine:
                finished = next((one.completed_at for one in done if one.lesson_id == webinar.lesson_id), None)
                watching.append(
                    (
                        webinar.pk, user.pk, webinar.lesson.title, user.get_full_name(), user.email, "IN",
                        _length(mine, Phase.LIVE), _length(mine, Phase.ON_DEMAND),
                        min(one.first_beat_at for one in mine), max(one.last_beat_at for one in mine), finished,
                    )
                )  # fmt: skip
    assert list(DATASETS["watching"].rows(source)) == sorted(watching, key=lambda row: row[:2])


@given(doors=st.lists(st.tuples(st.integers(0, 2), st.lists(st.sampled_from(SpotState), max_size=4)), max_size=5))
@some
def test_the_door_is_counted_request_by_request(doors: list[tuple[int, list[SpotState]]]) -> None:
    """Of two webinars of the programme, whose doors may have been opened several times, and one of another."""
    course = CourseFactory.create()
    webinars = [WebinarFactory.create(lesson__course=course) for _ in range(2)] + [WebinarFactory.create()]
    for where, states in doors:
        _asked(webinars[where], states)
    expected = []
    for place, webinar in enumerate(webinars[:2]):
        states = [state for where, given_states in doors if where == place for state in given_states]
        if states:
            row = {"webinar": webinar.pk, "title": webinar.lesson.title, "asked": len(states)}
            row |= {"waiting": states.count(SpotState.PENDING), "let_in": states.count(SpotState.APPROVED)}
            expected.append(row | {"not_let_in": states.count(SpotState.DENIED)})
    assert rows_of("door", Source(course.programme)) == expected


def test_a_cohort_is_named_and_an_erased_person_has_no_address() -> None:
    place = EnrolmentFactory.create(user__email="abc@erased.invalid")
    Enrolment.objects.filter(pk=place.pk).update(cohort=CohortFactory.create(programme=place.programme, name="Brazil"))
    (row,) = rows_of("learners", Source(place.programme))
    assert (row["email"], row["cohort"]) == ("", "Brazil")


@pytest.mark.parametrize("key", DATASETS)
def test_page_by_page_one_gets_what_one_gets_at_once(key: str, webinar: Webinar) -> None:
    refresh(webinar_id=webinar.pk, now=NOON + timedelta(days=2), whole=True)
    dataset = DATASETS[key]
    source = about(webinar) if dataset.scope == Scope.WEBINAR else Source(webinar.lesson.course.programme)
    whole = list(dataset.rows(source))
    keys = [dataset.key_of(row) for row in whole]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    size = max(1, len(whole) // 3)
    assert _paged(dataset, source, size) == [
        {name: jsonable(value) for name, value in zip(dataset.names, row, strict=True)} for row in whole
    ]
    assert len(whole) > 3


def _paged(dataset: Dataset, source: Source, size: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: Row | None = ()
    while after is not None:
        rows, going_on = page_of(dataset, source, after=after, size=size)
        assert len(rows) <= size
        found += rows
        after = tuple(going_on) if going_on else None
    return found


def test_every_dataset_stands_in_one_list_and_behind_one_door() -> None:
    webinar, programme = datasets_of(Scope.WEBINAR), datasets_of(Scope.PROGRAMME)
    assert [*webinar, *programme] == list(DATASETS.values())
    assert {one.key for one in DATASETS.values() if one.has_people} == {"learners", "watching"}
    assert find_dataset("learners", Scope.WEBINAR) is None
    assert find_dataset("nothing", Scope.PROGRAMME) is None


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
def test_every_column_has_a_definition_and_a_name_of_its_own(dataset: Dataset) -> None:
    assert len(set(dataset.names)) == len(dataset.names)
    assert [one.name for one in dataset.columns if len(str(one.definition)) < 8 or not str(one.unit)] == []
