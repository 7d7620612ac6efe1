"""What an author is told before a test opens. Each case is a test that is right but for one thing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from assessments.domain.checklist import Checklist, Weight, checklist_of
from assessments.domain.interventions import give_extra
from assessments.domain.papers import PaperError
from assessments.domain.preview import preview_of
from assessments.domain.remarking import correct_key
from assessments.enums import CompletesBy, ItemKind, ItemState, QuizKind, Review
from assessments.models import Answer, Attempt, Bank, Item, ItemVersion, Pick, Quiz, Section
from core.clock import now
from courses.enums import LessonKind
from tests.factories.accounts import UserFactory
from tests.factories.assessments import SINGLE, BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import LessonFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def look(quiz: Quiz) -> Checklist:
    return checklist_of(quiz=Quiz.objects.get(pk=quiz.pk), now=now())


def texts(quiz: Quiz, weight: Weight | None = None) -> list[str]:
    return [one.text for one in look(quiz).findings if weight in {None, one.weight}]


def good(**settings: Any) -> Quiz:
    """Three questions, open from yesterday to tomorrow, an hour, one attempt: nothing to say about it."""
    given = {"time_limit_seconds": 3600, "attempts_allowed": 1, "pass_percent": 60, "answers_when": Review.CLOSED}
    quiz = make_quiz(**{**given, **settings})
    quiz.lesson.opens_at, quiz.lesson.closes_at = now() - DAY, now() + DAY
    quiz.lesson.save()
    return quiz


def drawing(counts: list[int], ready: int = 6, **item: Any) -> tuple[Quiz, Bank, list[Pick]]:
    """Draws of so many from one bank, one after the other, in one section."""
    quiz = good()
    quiz.sections.get().picks.all().delete()
    bank = BankFactory(programme=quiz.lesson.course.programme)
    for _ in range(ready):
        make_item(bank=bank, **item)
    section = quiz.sections.get()
    picks = [Pick.objects.create(section=section, position=n, bank=bank, count=c) for n, c in enumerate(counts, 1)]
    return quiz, bank, picks


def test_a_good_one_has_nothing_to_look_at() -> None:
    found = look(good())
    assert found.findings == []
    assert found.is_ready
    assert (found.plan.questions.least, found.plan.points.most) == (3, 3)


def test_an_empty_one_and_an_empty_section() -> None:
    quiz = good()
    second = Section.objects.create(quiz=quiz, position=2)
    (finding,) = look(quiz).findings
    assert (finding.text, finding.section_id) == ("Section 2 has no questions. Doctors do not see it.", second.pk)
    Pick.objects.all().delete()
    assert texts(quiz) == ["There is no question in this test yet."]
    assert not look(quiz).is_ready


class TestChosenQuestions:
    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"state": ItemState.RETIRED}, "it is retired."),
            ({"state": ItemState.DRAFT}, "it is a draft. Make it ready."),
            ({"state": ItemState.DRAFT, "version": None}, "it has no text yet."),
        ],
    )
    def test_what_no_paper_will_have(self, fields: dict[str, Any], why: str) -> None:
        quiz = good()
        item = Item.objects.earliest("pk")
        Item.objects.filter(pk=item.pk).update(**fields)
        (finding,) = look(quiz).findings
        assert finding.text == f"Section 1, row 1: “{item.name}” is left out: {why}"
        assert (finding.weight, finding.item_id) == (Weight.STOPS, item.pk)

    def test_a_vignette_without_a_ready_question(self) -> None:
        quiz = good()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        story = make_item(bank=bank, kind=ItemKind.VIGNETTE, shown={}, key={}, name="story")
        part = make_item(bank=bank, vignette=story, position=1, state=ItemState.DRAFT)
        quiz.sections.get().picks.create(position=9, item=story)
        assert texts(quiz) == ["Section 1, row 4: “story” is left out: the vignette has no question that is ready."]
        Item.objects.filter(pk=part.pk).update(state=ItemState.READY)
        assert texts(quiz) == []

    def test_one_chosen_twice_or_drawn_before(self) -> None:
        quiz = good()
        first = Item.objects.earliest("pk")
        section = quiz.sections.get()
        again = section.picks.create(position=9, item=first)
        assert f"“{first.name}” is chosen more than once. A paper has it once." in texts(quiz)
        again.delete()
        section.picks.filter(position=1).update(item=None, bank=first.bank)
        assert len(texts(quiz, Weight.WARNS)) == 2
        assert all("may draw" in text for text in texts(quiz))


class TestSupply:
    def test_a_draw_of_more_than_there_are(self) -> None:
        quiz, bank, _ = drawing([7])
        assert texts(quiz, Weight.STOPS) == ["Section 1, row 1: wanted 7, ready and fitting only 6."]
        make_item(bank=bank)
        assert texts(quiz) == []

    @pytest.mark.parametrize(
        ("tags", "difficulty"), [({"tags": ["rare"]}, {}), ({}, {"difficulty_from": 4, "difficulty_to": 5})]
    )
    def test_only_what_fits_the_conditions_is_counted(self, tags: dict[str, Any], difficulty: dict[str, Any]) -> None:
        quiz, bank, (pick,) = drawing([1])
        Pick.objects.filter(pk=pick.pk).update(**tags, **difficulty)
        assert texts(quiz, Weight.STOPS)[-1] == "Section 1, row 1: wanted 1, ready and fitting only 0."
        make_item(bank=bank, tags=["rare"], difficulty=5)
        assert texts(quiz) == []

    def test_draws_that_take_from_each_other(self) -> None:
        quiz, _, picks = drawing([3, 3])
        assert texts(quiz) == []
        picks.append(Pick.objects.create(section=quiz.sections.get(), position=3, bank=picks[0].bank, count=2))
        (text,) = texts(quiz, Weight.WARNS)
        assert "a paper may be 2 questions shorter" in text
        assert len(preview_of(quiz=quiz, seed=1).questions) == 6

    def test_overlaps_reach_over_sections_and_only_as_far_as_they_go(self) -> None:
        quiz, bank, _ = drawing([4])
        tagged = [make_item(bank=bank, tags=["icsi"]) for _ in range(3)]
        section = Section.objects.create(quiz=quiz, position=2)
        Pick.objects.create(section=section, position=1, bank=bank, count=2, tags=["icsi"])
        (finding,) = look(quiz).findings
        assert "a paper may be 2 questions shorter" in finding.text
        assert finding.section_id == section.pk
        Item.objects.exclude(pk__in=[one.pk for one in tagged]).update(tags=["other"])
        Pick.objects.filter(section__in=Section.objects.filter(position=1)).update(tags=["other"])
        assert texts(quiz) == []

    def test_exposure_limits_that_cannot_hold(self) -> None:
        quiz, bank, _ = drawing([2], exposure_percent=20)
        (text,) = texts(quiz, Weight.WARNS)
        assert "let 1.2 questions take part on average where 2 are wanted" in text
        make_item(bank=bank)
        assert texts(quiz) == []


class TestTexts:
    def test_no_text_and_no_key(self) -> None:
        quiz = good()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        section = quiz.sections.get()
        silent = make_item(bank=bank, name="silent")
        keyless = make_item(bank=bank, name="keyless", key={"rationale": "Because."})
        bare = Item.objects.create(bank=bank, kind=ItemKind.SINGLE, name="bare")
        bare.version = ItemVersion.objects.create(
            item=bare, number=1, stem="", shown=SINGLE["shown"], key=SINGLE["key"], made_at=now()
        )
        bare.state = ItemState.READY
        bare.save()
        for position, item in enumerate((silent, keyless, bare), 10):
            section.picks.create(position=position, item=item)
        assert {(one.text, one.item_id) for one in look(quiz).findings} == {
            ("“bare” asks nothing: its text is empty.", bare.pk),
            ("“keyless” does not say which answer is right.", keyless.pk),
        }

    def test_a_key_that_was_given_later_is_one(self) -> None:
        quiz = good()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        item = make_item(bank=bank, key={})
        quiz.sections.get().picks.create(position=9, item=item)
        assert texts(quiz) == [f"“{item.name}” does not say which answer is right."]
        assert item.version is not None
        correct_key(version=item.version, key=SINGLE["key"], reason="It had none", actor=UserFactory(), now=now())
        assert texts(quiz) == []

    def test_essays_need_people(self) -> None:
        quiz = good()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        quiz.sections.get().picks.create(
            position=9, item=make_item(bank=bank, kind=ItemKind.ESSAY, shown={}, key={"rubric": []})
        )
        assert texts(quiz) == ["1 question is marked by people. Results come when that is done."]


def _without_points(quiz: Quiz) -> None:
    Pick.objects.filter(section__in=quiz.sections.all()).update(points=0)


def _never_closes(quiz: Quiz) -> None:
    quiz.lesson.closes_at = None
    quiz.lesson.save()


def _closed(quiz: Quiz) -> None:
    quiz.lesson.closes_at = now() - timedelta(hours=1)
    quiz.lesson.save()


def _short_window(quiz: Quiz) -> None:
    quiz.lesson.opens_at, quiz.lesson.closes_at = now() + DAY, now() + DAY + timedelta(minutes=59)
    quiz.lesson.save()


def _course_closes_before_it_opens(quiz: Quiz) -> None:
    quiz.lesson.course.closes_at = quiz.lesson.opens_at
    quiz.lesson.course.save()


def _extra_time(quiz: Quiz) -> None:
    quiz.lesson.opens_at, quiz.lesson.closes_at = now() + DAY, now() + DAY + timedelta(minutes=80)
    quiz.lesson.save()
    user = candidate_of(quiz)
    give_extra(quiz=quiz, user=user, percent=50, attempts=0, reason="Granted", actor=UserFactory())


def _with_a_test_before(quiz: Quiz) -> None:
    lesson = LessonFactory(course=quiz.lesson.course, kind=LessonKind.QUIZ)
    make_quiz(lesson=lesson, kind=QuizKind.PRE_TEST)


RANKED = {"has_ranking": True, "kind": QuizKind.MOCK_EXAM}


@pytest.mark.parametrize(
    ("settings", "change", "words"),
    [
        ({}, _without_points, "so everybody passes"),
        ({**RANKED, "pass_percent": None}, _without_points, "share the first place"),
        ({"completes_by": CompletesBy.PASSING}, None, "who fails cannot complete the course"),
        ({}, _never_closes, "but it never closes"),
        (
            {"answers_when": Review.DONE, "attempts_allowed": None, "pass_percent": None},
            None,
            "there is no pass mark and no last attempt",
        ),
        ({"answers_when": Review.SUBMITTED, "attempts_allowed": 2}, None, "doctors can copy them"),
        ({**RANKED, "attempts_allowed": None}, None, "patience is ranked"),
        ({**RANKED, "time_limit_seconds": None}, None, "who looks things up is ranked first"),
        ({**RANKED, "answers_when": Review.NEVER}, _never_closes, "never becomes final"),
        ({**RANKED, "marks_when": Review.NEVER}, None, "nobody sees a place"),
        ({**RANKED, "answers_when": Review.SUBMITTED}, None, "while others still sit the test"),
        ({}, _with_a_test_before, "The course has a test before"),
        ({"kind": QuizKind.PRE_TEST}, None, "No test after is compared with this one"),
        ({"kind": QuizKind.CHECK}, None, "Choose the webinar"),
        ({}, _closed, "nobody can start it any more"),
        ({}, _short_window, "nobody would have all of it"),
        ({}, _course_closes_before_it_opens, "the test never opens"),
        ({}, _extra_time, "Somebody has 50 % extra time"),
        ({"time_limit_seconds": 30}, None, "That is 10 seconds for a question"),
    ],
)
def test_settings(settings: dict[str, Any], change: Callable[[Quiz], None] | None, words: str) -> None:
    quiz = good(**settings)
    if change is not None:
        assert texts(quiz) == []
        change(quiz)
    (text,) = texts(quiz)
    assert words in text


def test_what_has_to_be_mended_comes_first() -> None:
    quiz, _, _ = drawing([7])
    Quiz.objects.filter(pk=quiz.pk).update(kind=QuizKind.PRE_TEST, has_ranking=True, attempts_allowed=None)
    weights = [one.weight for one in look(quiz).findings]
    assert weights == sorted(weights, key=list(Weight).index)
    assert weights[0] == Weight.STOPS
    assert weights[-1] == Weight.TELLS


@pytest.mark.parametrize("number", [1, 3])
def test_it_costs_the_same_for_few_and_many_questions(
    number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    quiz, _, _ = drawing([1] * number, ready=5 * number)
    fresh = Quiz.objects.select_related("lesson__course__programme").get(pk=quiz.pk)
    with django_assert_num_queries(11):
        checklist_of(quiz=fresh, now=now())


class TestPreview:
    def test_a_paper_follows_from_its_seed_and_nothing_is_written(self) -> None:
        quiz, _, _ = drawing([3])
        one, same, other = (preview_of(quiz=quiz, seed=seed) for seed in (1, 1, 2))
        assert [item.item_id for item in one.questions] == [item.item_id for item in same.questions]
        assert {tuple(item.item_id for item in preview_of(quiz=quiz, seed=n).questions) for n in range(9)} != {
            tuple(item.item_id for item in other.questions)
        }
        assert (one.points, len(one.questions)) == (3, 3)
        assert not Attempt.objects.exists()
        assert not Answer.objects.exists()

    def test_it_has_no_key_and_is_what_a_doctor_sees(self) -> None:
        preview = preview_of(quiz=good(), seed=1)
        assert "SECRET" not in repr(preview)
        assert [one.line.view["order"] for one in preview.questions] == [["a", "b", "c", "d"]] * 3

    def test_without_questions_it_says_so(self) -> None:
        quiz = good()
        Pick.objects.all().delete()
        with pytest.raises(PaperError, match="no question"):
            preview_of(quiz=quiz, seed=1)
