"""What a result tells: topics as a picture, lectures to watch again, stories; and no more than the policy allows."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import User
from assessments.domain.questions import _kept
from assessments.models import Attempt, Board, Item, ItemVersion, Quiz
from assessments.models.bank import ItemTopic
from courses.enums import LessonKind, PublishStatus
from courses.models import Lesson
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.assessments import BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import CourseFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SHOWN: dict[str, Any] = {"marks_when": "submitted", "answers_when": "submitted"}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    _kept.clear()


def of_tags(*tags: list[str], **settings: Any) -> Quiz:
    """A test with a question for each list of tags."""
    quiz = make_quiz(items=0, **{**SHOWN, **settings})
    bank = BankFactory.create(programme=quiz.lesson.course.programme)
    section = quiz.sections.get()
    for number, one in enumerate(tags, 1):
        section.picks.create(position=number, item=make_item(bank=bank, tags=one))
    return quiz


def taken(quiz: Quiz, user: User, *choices: str) -> Attempt:
    attempt = start(quiz, user)
    for position, choice in enumerate(choices):
        choose(attempt, position, choice)
    return hand_in(attempt)


def lecture(quiz: Quiz, title: str = "Cycle", **lesson: Any) -> Lesson:
    found: Lesson = LessonFactory.create(course=quiz.lesson.course, kind=LessonKind.WEBINAR, title=title, **lesson)
    return found


def explain(quiz: Quiz, *places: tuple[Lesson, int | None]) -> None:
    """What the questions name, in their order. Versions never change: they are made so anew."""
    mine = Item.objects.filter(picks__section__quiz=quiz).order_by("pk")
    for item, (lesson, seconds) in zip(mine, places, strict=True):
        old = item.version
        assert old is not None
        item.version = ItemVersion.objects.create(
            item=item, number=2, stem=old.stem, shown=old.shown, key=old.key, made_at=now(),
            watch_lesson=lesson, watch_seconds=seconds,
        )  # fmt: skip
        item.save()


def result(user: User, attempt: Attempt) -> tuple[str, dict[str, Any]]:
    browser = signed_in(user)
    page = browser.get(reverse("assessments:result", args=[attempt.pk]))
    api = browser.get(reverse("api:attempt-result", args=[attempt.pk]))
    assert (page.status_code, api.status_code) == (200, 200)
    return page.content.decode(), api.json()


class TestTopics:
    def test_the_weakest_tag_first_with_a_bar_and_its_words(self) -> None:
        quiz = of_tags(["ivf", "hcg"], ["ivf"], ["hcg"], ["age"])
        user = candidate_of(quiz)
        page, api = result(user, taken(quiz, user, "b", "a", "b", "a"))

        assert [(one["name"], one["points"], one["of"], one["questions"], one["percent"]) for one in api["topics"]] == [
            ("age", "0.0000", "1.00", 1, 0),
            ("ivf", "1.0000", "2.00", 2, 50),
            ("hcg", "2.0000", "2.00", 2, 100),
        ]
        assert page.index(">age<") < page.index(">ivf<") < page.index(">hcg<")
        assert "<strong>50 %</strong>" in page
        assert "1 of 2 points" in page
        assert 'width="50.00" height="6"' in page

    def test_topics_of_curricula_come_before_tags_and_one_topic_tells_nothing(self) -> None:
        quiz = of_tags(["ivf"], ["hcg"])
        topics = Board.objects.create(title="EFOG").topics
        first, second = Item.objects.order_by("pk")
        ItemTopic.objects.create(item=first, topic=topics.create(code="1", title="Physiology"))
        user = candidate_of(quiz)
        assert result(user, taken(quiz, user, "b", "b"))[1]["topics"] == []

        ItemTopic.objects.create(item=second, topic=topics.create(code="2", title="Therapy"))
        assert [one["name"] for one in result(user, Attempt.objects.get())[1]["topics"]] == ["Physiology", "Therapy"]

    def test_what_a_wrong_answer_costs_makes_no_bar_below_nothing(self) -> None:
        quiz = of_tags(["ivf"], ["hcg"], wrong_share=Decimal("0.333"))
        user = candidate_of(quiz)
        _page, api = result(user, taken(quiz, user, "a", "b"))
        assert [(one["name"], one["percent"]) for one in api["topics"]] == [("ivf", 0), ("hcg", 100)]

    def test_sec_29_not_where_results_are_not_shown(self) -> None:
        quiz = of_tags(["SECRET-TAG"], ["SECRET-TOO"], marks_when="never", answers_when="submitted")
        user = candidate_of(quiz)
        page, api = result(user, taken(quiz, user, "a", "b"))
        assert (api["topics"], "SECRET-TAG" in page, "SECRET-WHY" in page) == ([], False, True)


class TestWatchAgain:
    def test_minutes_by_lecture_each_once_and_only_for_what_was_not_right(self) -> None:
        quiz = of_tags([], [], [], [], [])
        one, two = lecture(quiz, "Cycle"), lecture(quiz, "Surge")
        explain(quiz, (two, 750), (one, 90), (two, 750), (two, 30), (one, None))
        user = candidate_of(quiz)
        page, api = result(user, taken(quiz, user, "a", "b", "a", "c"))

        assert api["watch"] == [
            {"lesson_id": one.pk, "title": "Cycle", "moments": [{"seconds": None, "questions": [5]}]},
            {
                "lesson_id": two.pk,
                "title": "Surge",
                "moments": [{"seconds": 30, "questions": [4]}, {"seconds": 750, "questions": [1, 3]}],
            },
        ]
        assert page.count(f'href="/lessons/{two.pk}/?at=750"') == 1
        assert ("Watch from 12:30" in page, "Questions 1, 3" in page) == (True, True)
        assert f'href="/lessons/{one.pk}/"' in page

    @pytest.mark.parametrize("lesson", [{"opens_at": "later"}, {"course": "draft"}, {"course": "other"}])
    def test_only_lectures_that_one_may_open(self, lesson: dict[str, Any]) -> None:
        quiz = of_tags([], [])
        programme = quiz.lesson.course.programme
        if lesson.get("opens_at"):
            closed = lecture(quiz, "SECRET-LECTURE", opens_at=now() + timedelta(days=1))
        else:
            draft = {"programme": programme, "status": PublishStatus.DRAFT} if lesson["course"] == "draft" else {}
            closed = LessonFactory.create(
                course=CourseFactory.create(**draft), kind=LessonKind.WEBINAR, title="SECRET-LECTURE"
            )
        explain(quiz, (closed, 10), (lecture(quiz), 20))
        user = candidate_of(quiz)
        page, api = result(user, taken(quiz, user, "a", "a"))

        assert [one["title"] for one in api["watch"]] == ["Cycle"]
        assert "SECRET-LECTURE" not in page

    def test_sec_29_nothing_is_named_before_right_answers_are_shown(self) -> None:
        quiz = of_tags([], [], answers_when="done", attempts_allowed=2, pass_percent=100)
        explain(quiz, (lecture(quiz, "SECRET-LECTURE"), 77), (lecture(quiz, "SECRET-TOO"), 78))
        user = candidate_of(quiz)
        page, api = result(user, taken(quiz, user, "a", "a"))
        assert (api["watch"], "SECRET" in page, "?at=77" in page) == ([], False, False)


class TestStories:
    def test_the_story_stands_once_above_its_questions(self) -> None:
        quiz = make_quiz(items=1, **SHOWN)
        bank = Item.objects.get().bank
        story = make_item(bank=bank, kind="vignette", shown={}, key={}, stem="A-WOMAN-OF-30", tags=["pcos"])
        for position in (1, 2):
            make_item(bank=bank, vignette=story, position=position)
        quiz.sections.get().picks.create(position=2, item=story)
        user = candidate_of(quiz)
        page, api = result(user, taken(quiz, user, "b", "b", "b"))

        assert page.count("A-WOMAN-OF-30") == 1
        assert page.index("Question 1") < page.index("A-WOMAN-OF-30") < page.index("Question 3")
        assert [one["story"] for one in api["questions"]] == ["", "A-WOMAN-OF-30", "A-WOMAN-OF-30"]


class TestCost:
    @pytest.fixture
    def measured(self) -> Callable[[int], tuple[int, int]]:
        def measure(questions: int) -> tuple[int, int]:
            quiz = of_tags(*[[f"tag {number}"] for number in range(questions)])
            explain(quiz, *((lecture(quiz, f"Lecture {number}"), number) for number in range(questions)))
            user = candidate_of(quiz)
            attempt = taken(quiz, user, *(["a"] * questions))
            browser = signed_in(user)
            addresses = [reverse(name, args=[attempt.pk]) for name in ("assessments:result", "api:attempt-result")]
            found = []
            for address in addresses:
                with CaptureQueriesContext(connection) as asked:
                    assert browser.get(address).status_code == 200
                found.append(len(asked))
            return found[0], found[1]

        return measure

    def test_as_many_queries_for_three_questions_as_for_one(self, measured: Callable[[int], tuple[int, int]]) -> None:
        one, three = measured(1), measured(3)
        assert one == three
        assert max(three) <= 20


class TestTheWay:
    def test_the_minute_goes_along_to_the_page_of_the_lecture(self) -> None:
        quiz = of_tags([])
        lesson = lecture(quiz)
        webinar = WebinarFactory.create(lesson=lesson)
        browser: Client = signed_in(candidate_of(quiz))

        assert browser.get(f"/lessons/{lesson.pk}/?at=750")["Location"] == f"/webinars/{webinar.pk}/?at=750"
        for odd in ("x", "-1", "750&next=//evil", "%0d%0aX: y"):
            answer = browser.get(f"/lessons/{lesson.pk}/?at={odd}")
            assert answer["Location"] in (f"/webinars/{webinar.pk}/", f"/webinars/{webinar.pk}/?at=750")
