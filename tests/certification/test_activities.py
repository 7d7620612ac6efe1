"""Accrediting a webinar: in one step, opened as a whole, never changed under what was granted."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from accounts.models import AuditEvent
from assessments.models import Quiz
from certification.domain import activities
from certification.domain.activities import (
    ClaimedError,
    ForeignError,
    IsNotOpenError,
    IsOpenError,
    LeavesGapError,
    NotReadyError,
    NoWebinarError,
    OriginError,
    ParametersError,
    accredit,
    changing,
    close_activity,
    open_activity,
    save_accreditation,
    save_activity,
    save_contributor,
)
from certification.domain.activity_checklist import checklist_of
from certification.enums import ActivityState, AuthorityKey, Format
from certification.models import Accreditation, Activity, Contributor, DisclosureSheet
from courses.models import Lesson
from tests.factories.accounts import UserFactory
from tests.factories.assessments import make_evaluation, make_quiz
from tests.factories.certification import ClaimFactory, ContributorFactory, DiscloserFactory, disclose
from tests.factories.courses import CourseFactory, LessonFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
BOTH = list(Format.values)
NOBODY: dict[str, Any] = {"actor": None}


@pytest.fixture
def lesson() -> Lesson:
    """A live webinar with a presenter."""
    made: Lesson = LessonFactory.create()
    LiveWebinarFactory.create(lesson=made, presenters=[UserFactory.create(email="ana@hospital.example")])
    return made


@pytest.fixture
def live(lesson: Lesson) -> Activity:
    """All that it needs to open: AMA PRA, one credit for an hour."""
    return whole(lesson)


def whole(lesson: Lesson, authority: str = AuthorityKey.ACCME, form: str = Format.LIVE) -> Activity:
    (activity,) = accredit(lesson=lesson, formats=[form], authorities=[authority], now=now(), **NOBODY)
    activity.evaluation = make_evaluation(lesson__course=lesson.course, about=lesson).lesson
    save_activity(activity=activity, now=now(), **NOBODY)
    row = activity.accreditations.get()
    row.credits = Decimal(1)
    save_accreditation(accreditation=row, now=now())
    disclose(activity.contributors.get().person, decision="none")
    return fresh(activity)


def fresh(activity: Activity) -> Activity:
    found: Activity = Activity.objects.select_related("lesson__course__programme").get(pk=activity.pk)
    return found


def missing(activity: Activity) -> dict[str, tuple[str, ...]]:
    found = checklist_of(activity=fresh(activity), now=now())
    return {part.key: part.problems for part in found.parts if part.problems}


class TestAccrediting:
    def test_both_formats_by_two_authorities_in_one_step(self, lesson: Lesson) -> None:
        made = accredit(
            lesson=lesson,
            formats=BOTH,
            authorities=["accme", "eaccme"],
            actor=(editor := UserFactory.create()),
            now=now(),
        )
        assert [(one.format, one.state, one.title) for one in made] == [
            ("live", "draft", lesson.title),
            ("enduring", "draft", lesson.title),
        ]
        webinar = lesson.webinar
        assert (made[0].starts_at, made[0].minutes) == (webinar.starts_at, 60)
        assert webinar.starts_at
        assert made[0].ends_at == webinar.starts_at + timedelta(hours=1)
        assert (made[1].starts_at, made[1].ends_at) == (None, None)
        rows = Accreditation.objects.order_by("pk").values_list("activity__format", "authority", "version", "provider")
        society = lesson.course.programme.society
        assert list(rows) == [
            (form, key, version, society) for form in BOTH for key, version in (("accme", "2022"), ("eaccme", "2023"))
        ]
        assert Accreditation.objects.earliest("pk").parameters == {
            "rounding": "nearest", "pass_percent": "70", "needs_test": False, "needs_evaluation": True,
            "needs_acknowledgement": True, "least_percent": "0",
        }  # fmt: skip
        assert list(Contributor.objects.values_list("person__email", flat=True)) == ["ana@hospital.example"] * 2
        made_and_staffed = [("activity.made", editor.pk), ("activity.changed", editor.pk)]
        assert list(AuditEvent.objects.order_by("pk").values_list("action", "actor")) == made_and_staffed * 2

    def test_again_adds_what_is_new_and_touches_nothing_that_is_open(self, live: Activity) -> None:
        open_activity(activity=live, now=now(), **NOBODY)
        again = accredit(lesson=live.lesson, formats=BOTH, authorities=["accme", "attendance"], now=now(), **NOBODY)
        assert [one.pk == live.pk for one in again] == [True, False]
        assert list(live.accreditations.values_list("authority", flat=True)) == ["accme"]
        assert set(again[1].accreditations.values_list("authority", flat=True)) == {"accme", "attendance"}

    def test_only_webinars(self) -> None:
        with pytest.raises(NoWebinarError):
            accredit(lesson=LessonFactory.create(kind="quiz"), formats=BOTH, authorities=[], now=now(), **NOBODY)
        assert not Activity.objects.exists()


class TestTheChecklist:
    def test_a_new_one_says_all_that_it_needs(self, lesson: Lesson) -> None:
        activity = accredit(lesson=lesson, formats=["enduring"], authorities=["eaccme"], now=now(), **NOBODY)[0]
        Activity.objects.update(minutes=None)
        name = lesson.webinar.presenters.get().get_full_name()
        assert missing(activity) == {
            "dates": (
                "Say when it begins, or for a recording when it is released.",
                "Say when it ends, or for a recording until when credit is given.",
                "Say how many minutes of education it has.",
            ),
            "learning": (
                "EACCME (UEMS): A recording needs a test with a least result.",
                "EACCME (UEMS): A filled-in evaluation is asked for, but there is no feedback form.",
            ),
            "authorities": (
                "EACCME (UEMS): Say how many credits are designated.",
                "EACCME (UEMS): The approval code is missing.",
            ),
            "people": (f"{name} has not stated anything yet. Ask for it by e-mail.",),
        }

    def test_a_whole_one_lacks_nothing(self, live: Activity) -> None:
        assert missing(live) == {}

    def test_a_recording_names_its_sources_and_one_number_for_its_test(self, lesson: Lesson) -> None:
        recording = whole(lesson, form=Format.ENDURING)
        start = now() - timedelta(hours=1)
        quiz = make_quiz(lesson__course=lesson.course, lesson__kind="quiz", pass_percent=Decimal(60))
        Activity.objects.update(
            starts_at=start, ends_at=start + timedelta(days=300), minutes=60, assessment=quiz.lesson, sources=" "
        )
        ama = "AMA PRA Category 1 (ACCME)"
        different = (
            f"{ama}: At least 70 % are asked for, and the test says 60 %."
            " Make them the same: doctors are told one number."
        )
        sources = f"{ama}: Name the sources of what is taught: doctors are told them before a recording."
        assert missing(recording) == {"learning": (different,), "authorities": (sources,)}
        Quiz.objects.update(pass_percent=None)
        Activity.objects.update(sources="ESHRE 2019")
        none = f"{ama}: At least 70 % are asked for, and the test has no pass mark. Give it this one."
        assert missing(recording) == {"learning": (none,)}
        with pytest.raises(NotReadyError):
            open_activity(activity=recording, now=now(), **NOBODY)
        Quiz.objects.update(pass_percent=70)
        assert missing(recording) == {}
        row = recording.accreditations.get()
        row.parameters = {**row.parameters, "pass_percent": "60"}
        save_accreditation(accreditation=row, now=now())
        assert "the test says 70 %" in missing(recording)["learning"][0]

    def test_a_live_test_that_gives_no_credit_may_have_any_mark(self, live: Activity) -> None:
        quiz = make_quiz(lesson__course=live.lesson.course, lesson__kind="quiz", pass_percent=Decimal(60))
        Activity.objects.update(assessment=quiz.lesson)
        assert missing(live) == {}
        row = live.accreditations.get()
        row.parameters = {**row.parameters, "needs_test": True}
        save_accreditation(accreditation=row, now=now())
        assert "the test says 60 %" in missing(live)["learning"][0]

    @pytest.mark.parametrize(
        ("stated", "said"),
        [
            ([], "has not stated anything yet"),
            ([{"decision": ""}], "waits for your review"),
            ([{"decision": "none", "days": 400}], "is older than 12 months. Ask for a new one."),
            ([{"decision": "excluded"}], "may not take part"),
            ([{"decision": "none", "days": 9}, {"decision": ""}], "waits for your review"),
        ],
    )
    def test_each_contributor_s_statement_is_looked_at(
        self, live: Activity, stated: list[dict[str, Any]], said: str
    ) -> None:
        person = DiscloserFactory.create(programme=live.lesson.course.programme, name="Dr Ben")
        for one in stated:
            disclose(person, **one)
        ContributorFactory.create(activity=live, person=person)
        ((text,),) = missing(live).values()
        assert "Dr Ben" in text
        assert said in text

    def test_somebody_has_to_be_named_where_the_authority_asks_for_disclosures(self, live: Activity) -> None:
        live.contributors.all().delete()
        assert "Add everybody who is in control" in missing(live)["people"][0]
        live.accreditations.update(authority="attendance", credits=0, parameters={})
        assert missing(live) == {}

    def test_without_an_authority_or_its_provider(self, live: Activity) -> None:
        live.accreditations.update(provider=" ")
        assert missing(live) == {
            "authorities": ("AMA PRA Category 1 (ACCME): Name the accredited provider, as certificates are to say it.",)
        }
        live.accreditations.all().delete()
        assert missing(live) == {"authorities": ("Add the authority that accredits it.",)}

    def test_more_credits_than_minutes_and_rules_of_no_day(self, live: Activity) -> None:
        live.accreditations.update(credits=Decimal(2))
        assert "60 minutes carry at most 1 credits, not 2" in missing(live)["authorities"][0]
        Activity.objects.update(starts_at=now().replace(year=1999), ends_at=now().replace(year=1999) + timedelta(1))
        assert missing(live)["authorities"]


class TestOpening:
    def test_with_everything_it_opens_and_doctors_have_a_sheet(self, live: Activity) -> None:
        editor = UserFactory.create()
        opened = open_activity(activity=live, actor=editor, now=(at := now()))
        assert (opened.state, opened.opened_at, opened.closed_at) == (ActivityState.OPEN, at, None)
        (person,) = DisclosureSheet.objects.get(activity=live).content["people"]
        assert person["roles"] == ["presenter"]
        assert AuditEvent.objects.filter(action="activity.opened", actor=editor).count() == 1
        with pytest.raises(IsOpenError):
            open_activity(activity=live, now=now(), **NOBODY)

    def test_while_anything_is_missing_it_refuses_with_all_reasons(self, live: Activity) -> None:
        live.accreditations.update(credits=0)
        ContributorFactory.create(activity=live)
        with pytest.raises(NotReadyError) as refused:
            open_activity(activity=live, now=now(), **NOBODY)
        assert len(refused.value.problems) == 2
        assert fresh(live).state == ActivityState.DRAFT
        assert not AuditEvent.objects.filter(action="activity.opened").exists()
        assert not DisclosureSheet.objects.exists()

    @pytest.mark.parametrize("field", ["starts_at", "ends_at", "minutes", "opened_at"])
    def test_the_database_opens_no_half_one_either(self, live: Activity, field: str) -> None:
        whole_one = {"state": "open", "opened_at": now()}
        with pytest.raises(IntegrityError, match="open_is_whole"), transaction.atomic():
            Activity.objects.filter(pk=live.pk).update(**whole_one | {field: None})

    def test_closed_and_opened_again(self, live: Activity) -> None:
        with pytest.raises(IsNotOpenError):
            close_activity(activity=live, now=now(), **NOBODY)
        first = open_activity(activity=live, now=now(), **NOBODY)
        closed = close_activity(activity=live, now=now(), **NOBODY)
        assert (closed.state, closed.closed_at is None) == (ActivityState.CLOSED, False)
        again = open_activity(activity=live, now=now(), **NOBODY)
        assert (again.state, again.opened_at, again.closed_at) == (ActivityState.OPEN, first.opened_at, None)

    def test_what_is_long_over_opens_only_with_another_end(self, live: Activity) -> None:
        long_ago = now() - timedelta(weeks=8, hours=2)
        Activity.objects.filter(pk=live.pk).update(starts_at=long_ago, ends_at=long_ago + timedelta(hours=1))
        disclose(live.contributors.get().person, decision="none", days=0)
        with pytest.raises(NotReadyError) as refused:
            open_activity(activity=live, now=now(), **NOBODY)
        assert refused.value.problems == ("It ended more than eight weeks ago. Put off its end to give credit again.",)
        Activity.objects.filter(pk=live.pk).update(ends_at=now())
        assert open_activity(activity=live, now=now(), **NOBODY).state == ActivityState.OPEN


@pytest.fixture
def opened(live: Activity) -> Activity:
    open_activity(activity=live, now=now(), **NOBODY)
    return fresh(live)


class TestChangingAnOpenOne:
    def test_it_never_lacks_afterwards_what_it_had(self, opened: Activity) -> None:
        stranger = DiscloserFactory.create(programme=opened.lesson.course.programme)
        with pytest.raises(LeavesGapError) as refused, changing(activity_id=opened.pk, now=now()):
            save_contributor(contributor=Contributor(activity=opened, person=stranger, role="planner"), now=now())
        assert len(refused.value.problems) == 1
        assert opened.contributors.count() == 1

    def test_what_is_missing_already_hinders_no_other_change(self, opened: Activity) -> None:
        disclose(opened.contributors.get().person, days=0)  # stated anew, and nobody has read it yet
        with changing(activity_id=opened.pk, now=now()):
            opened.title = "Corrected"
            save_activity(activity=opened, now=now(), **NOBODY)
        assert fresh(opened).title == "Corrected"

    def test_new_people_are_on_the_sheet_at_once(self, opened: Activity) -> None:
        ben = DiscloserFactory.create(programme=opened.lesson.course.programme, name="Dr Ben")
        disclose(ben, decision="none")
        with changing(activity_id=opened.pk, now=now()):
            save_contributor(contributor=Contributor(activity=opened, person=ben, role="reviewer"), now=now())
        newest = DisclosureSheet.objects.latest("pk")
        names = {one["name"] for one in newest.content["people"]}
        assert (newest.content["edition"], "Dr Ben" in names, len(names)) == (2, True, 2)

    def test_a_page_that_was_read_before_it_opened_does_not_close_it(self, live: Activity) -> None:
        open_activity(activity=live, now=now(), **NOBODY)
        assert live.state == ActivityState.DRAFT  # as the page had it
        live.title = "Corrected"
        save_activity(activity=live, now=now(), **NOBODY)
        assert (fresh(live).state, fresh(live).title) == (ActivityState.OPEN, "Corrected")


def fixed_terms(activity: Activity) -> Iterator[tuple[str, Any]]:
    row = activity.accreditations.get()
    yield "credits", Decimal("0.75")
    yield "parameters", {**row.parameters, "rounding": "down"}
    yield "council", "delhi"
    yield "valid_from", date(2026, 1, 1)
    yield "event", "Another congress"


class TestAfterTheFirstClaim:
    def test_the_terms_stay_and_it_says_what_to_do(self, opened: Activity) -> None:
        ClaimFactory.create(accreditation=opened.accreditations.get())
        for name, value in fixed_terms(opened):
            row = opened.accreditations.get()
            setattr(row, name, value)
            with pytest.raises(ClaimedError):
                save_accreditation(accreditation=row, now=now())
        assert "add a correction to the ledger" in str(ClaimedError.message)
        assert opened.accreditations.get().credits == 1

    @pytest.mark.parametrize("name", ["minutes", "starts_at", "assessment", "evaluation"])
    def test_the_activity_s_own_terms_too(self, opened: Activity, name: str) -> None:
        ClaimFactory.create(accreditation=opened.accreditations.get())
        before = getattr(opened, name)
        quiz = make_quiz(lesson=LessonFactory.create(course=opened.lesson.course, kind="quiz"))
        values = {"minutes": 45, "starts_at": now(), "assessment": quiz.lesson, "evaluation": None}
        setattr(opened, name, values[name])
        with pytest.raises(ClaimedError):
            save_activity(activity=opened, now=now(), **NOBODY)
        assert getattr(fresh(opened), name) == before

    def test_what_credit_does_not_rest_on_can_be_changed(self, opened: Activity) -> None:
        ClaimFactory.create(accreditation=opened.accreditations.get())
        assert opened.ends_at
        opened.title, opened.ends_at = "Corrected", opened.ends_at + timedelta(days=1)
        save_activity(activity=opened, now=now(), **NOBODY)
        row = opened.accreditations.get()
        row.approval_code = "CODE-2"
        save_accreditation(accreditation=row, actor=UserFactory.create(), now=now())
        event = AuditEvent.objects.filter(action="activity.changed").latest("pk")
        assert event.details["changes"] == {"approval_code": ["", "CODE-2"]}

    def test_an_accreditation_with_claims_is_not_taken_away(self, opened: Activity) -> None:
        row = opened.accreditations.get()
        ClaimFactory.create(accreditation=row)
        with pytest.raises(ClaimedError):
            activities.delete_accreditation(accreditation=row, now=now(), **NOBODY)
        assert opened.accreditations.count() == 1


class TestCopies:
    def accredited(self, *lessons: Lesson) -> list[Activity]:
        return [accredit(lesson=one, formats=["enduring"], authorities=[], now=now(), **NOBODY)[0] for one in lessons]

    def lectures(self, number: int, *, video: Any = None) -> list[Lesson]:
        """Of one programme; they show the same video where one is given."""
        course = CourseFactory.create()
        webinars = [
            WebinarFactory.create(lesson__course=course, **({"video": video} if video else {})) for _ in range(number)
        ]
        return [one.lesson for one in webinars]

    def test_what_shows_the_same_video_is_found_by_itself(self) -> None:
        lessons = self.lectures(3, video=VideoFactory.create())
        found = self.accredited(*lessons)
        assert [one.same_as for one in found] == [None, lessons[0], lessons[0]]
        (live,) = accredit(lesson=lessons[1], formats=["live"], authorities=[], now=now(), **NOBODY)
        assert live.same_as == lessons[0]
        assert [one.same_as for one in self.accredited(*self.lectures(2))] == [None, None]

    def test_it_is_stated_of_both_formats_and_of_the_first(self) -> None:
        one, two, three = self.lectures(3)
        self.accredited(one, two)
        live, recording = accredit(lesson=three, formats=BOTH, authorities=[], now=now(), **NOBODY)
        second = Activity.objects.get(lesson=two)
        second.same_as = one
        save_activity(activity=second, now=now(), **NOBODY)
        live.same_as = two  # itself a copy
        save_activity(activity=live, now=now(), **NOBODY)
        assert [fresh(each).same_as for each in (live, recording)] == [one, one]
        recording = fresh(recording)
        recording.same_as = None
        save_activity(activity=recording, now=now(), **NOBODY)
        assert fresh(live).same_as is None

    def test_no_circle_and_nobody_s_origin_is_a_copy(self) -> None:
        one, two, three = self.lectures(3)
        first, second, _third = self.accredited(one, two, three)
        second.same_as = one
        save_activity(activity=second, now=now(), **NOBODY)
        for origin in (one, two, three):
            first.same_as = origin
            with pytest.raises(OriginError):
                save_activity(activity=first, now=now(), **NOBODY)
            assert fresh(first).same_as is None

    def test_it_does_not_open_beside_another_one_with_the_same_video(self) -> None:
        one, two = self.lectures(2)
        first, second = self.accredited(one, two)
        video = VideoFactory.create()
        Webinar.objects.update(video=video)
        for activity, other in ((first, two), (second, one)):
            said = f"“{other.title}” in “{other.course.title}” shows the same video and is accredited, too"
            assert any(text.startswith(said) for text in missing(activity)["dates"])
        second.same_as = one
        save_activity(activity=second, now=now(), **NOBODY)
        assert not any("same video" in text for each in (first, second) for text in missing(each).get("dates", ()))

    def test_what_was_granted_on_stays(self) -> None:
        one, two = self.lectures(2)
        _first, second = self.accredited(one, two)
        (live,) = accredit(lesson=two, formats=["live"], authorities=["accme"], now=now(), **NOBODY)
        ClaimFactory.create(accreditation=live.accreditations.get())
        second.same_as = one
        with pytest.raises(ClaimedError):
            save_activity(activity=second, now=now(), **NOBODY)
        assert fresh(second).same_as is None


def test_nothing_of_another_programme(live: Activity) -> None:
    live.assessment = LessonFactory.create(kind="quiz")
    with pytest.raises(ForeignError):
        save_activity(activity=live, now=now(), **NOBODY)
    with pytest.raises(ForeignError):
        save_contributor(contributor=Contributor(activity=live, person=DiscloserFactory.create()), now=now())


def test_settings_are_checked_and_completed(live: Activity) -> None:
    row = live.accreditations.get()
    row.parameters = {"rounding": "down", "of_another_authority": 1}
    save_accreditation(accreditation=row, now=now())
    assert row.parameters["rounding"] == "down"
    assert "of_another_authority" not in row.parameters
    row.parameters = {"rounding": "up"}
    with pytest.raises(ParametersError):
        save_accreditation(accreditation=row, now=now())


def test_the_day_it_begins_chooses_the_version(live: Activity) -> None:
    live.starts_at, live.ends_at = now().replace(year=2021), now().replace(year=2021) + timedelta(hours=1)
    save_activity(activity=live, now=now(), **NOBODY)
    assert live.accreditations.get().version == "2011"
