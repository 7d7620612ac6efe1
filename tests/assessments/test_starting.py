from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from assessments.domain.papers import PaperError, make_paper
from assessments.domain.pausing import hold_test, resume_test
from assessments.domain.starting import NoAttemptLeftError, NotEnrolledError, NotOpenError, PausedError, start_attempt
from assessments.enums import AttemptState, EndedBy, ItemKind, ItemState
from assessments.models import Attempt, Candidate, Pick, Section
from core.clock import now
from tests.assessments.sitting import choose, hand_in, make_older, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, QuizFactory, candidate_of, make_item, make_quiz

pytestmark = pytest.mark.django_db


class TestStarting:
    def test_a_paper_is_fixed_with_its_deadline_by_the_databases_clock(self) -> None:
        quiz = make_quiz(items=2, time_limit_seconds=600, pass_percent=60)
        attempt, is_new = start_attempt(quiz=quiz, user=candidate_of(quiz), now=now())
        assert is_new
        assert [entry["p"] for entry in attempt.paper["items"]] == ["1.00", "1.00"]
        assert attempt.paper["sections"] == [{"title": "Part one", "instructions": ""}]
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=600)
        assert (attempt.number, attempt.state, attempt.most_points, attempt.pass_percent) == (1, "open", 2, 60)

    def test_the_open_attempt_comes_back(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        first = start(quiz, user)
        again, is_new = start_attempt(quiz=quiz, user=user, now=now())
        assert (again.pk, is_new) == (first.pk, False)
        assert Attempt.objects.count() == 1

    def test_one_that_ran_out_is_handed_in_first(self) -> None:
        quiz = make_quiz(time_limit_seconds=60, attempts_allowed=2)
        user = candidate_of(quiz)
        old = start(quiz, user)
        choose(old, 0, "b")
        make_older(old, 100)
        new = start(quiz, user)
        old.refresh_from_db()
        assert (new.number, old.state, old.ended_by, old.score) == (2, AttemptState.MARKED, EndedBy.DEADLINE, 1)
        assert old.submitted_at == old.deadline_at

    def test_no_more_than_allowed_and_extra_ones_and_struck_out_ones_come_on_top(self) -> None:
        quiz = make_quiz(attempts_allowed=1)
        user = candidate_of(quiz)
        first = hand_in(start(quiz, user))
        with pytest.raises(NoAttemptLeftError):
            start(quiz, user)
        Candidate.objects.filter(user=user).update(extra_attempts=1, extra_reason="The line broke")
        second = hand_in(start(quiz, user))
        assert (second.number, second.allowed) == (2, 2)
        with pytest.raises(NoAttemptLeftError):
            start(quiz, user)
        Attempt.objects.filter(pk=first.pk).update(state=AttemptState.VOID, counts=False)
        third = start(quiz, user)
        assert (third.number, third.allowed) == (3, 3)

    def test_the_database_refuses_what_code_might_forget(self) -> None:
        quiz = make_quiz(attempts_allowed=1)
        attempt = start(quiz, candidate_of(quiz))
        for change in ({"number": 2}, {"number": 2, "allowed": None}):
            copy = Attempt.objects.get(pk=attempt.pk)
            copy.pk = None
            for name, value in change.items():
                setattr(copy, name, value)
            with pytest.raises(IntegrityError), transaction.atomic():
                copy.save()

    def test_extra_time_is_of_the_person(self) -> None:
        quiz = make_quiz(time_limit_seconds=600)
        user = candidate_of(quiz)
        Candidate.objects.create(quiz=quiz, user=user, extra_percent=25, extra_reason="Dyslexia")
        attempt = start(quiz, user)
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=750)

    def test_the_window_ends_it_where_that_comes_first(self) -> None:
        closes = now() + timedelta(seconds=100)
        quiz = make_quiz(time_limit_seconds=600, lesson__closes_at=closes)
        assert start(quiz, candidate_of(quiz)).deadline_at == closes

    def test_not_before_it_opens_nor_after_it_closed_nor_by_strangers_nor_while_it_is_held(self) -> None:
        windows: list[dict[str, Any]] = [{"lesson__opens_at": now() + timedelta(hours=1)}, {"lesson__closes_at": now()}]
        for window in windows:
            shut = make_quiz(**window)
            with pytest.raises(NotOpenError):
                start(shut, candidate_of(shut))
        quiz = make_quiz()
        with pytest.raises(NotEnrolledError):
            start(quiz, UserFactory())
        hold_test(quiz=quiz, reason="The picture of question 3 was wrong", actor=UserFactory())
        with pytest.raises(PausedError):
            start(quiz, candidate_of(quiz))
        assert not Attempt.objects.exists()

    def test_the_same_number_of_queries_whatever_the_size(self) -> None:
        counts = []
        for items in (1, 40):
            quiz = make_quiz(items=items, time_limit_seconds=600)
            start(quiz, candidate_of(quiz))  # the blueprint is made once for all
            user = candidate_of(quiz)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                start(quiz, user)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 9


class TestPaper:
    def test_a_paper_follows_from_its_seed_and_draws_differ(self) -> None:
        quiz = QuizFactory(shuffles_items=True, shuffles_options=True)
        bank = BankFactory(programme=quiz.lesson.course.programme)
        for _ in range(20):
            make_item(bank=bank)
        Pick.objects.create(section=Section.objects.create(quiz=quiz, position=1), position=1, bank=bank, count=5)
        papers = [make_paper(quiz=quiz, seed=seed).items for seed in (1, 1, 2, 3)]
        assert papers[0] == papers[1]
        assert len({str(paper) for paper in papers}) == 3
        assert all(len({entry["v"] for entry in paper}) == 5 for paper in papers)
        assert all(sorted(entry["o"]) == ["a", "b", "c", "d"] for paper in papers for entry in paper)

    def test_a_draw_takes_tags_and_difficulty_and_nothing_that_is_not_ready(self) -> None:
        quiz = QuizFactory()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        wanted = {make_item(bank=bank, tags=["ivf", "dose"], difficulty=number).version_id for number in (2, 3)}
        make_item(bank=bank, tags=["ivf"], difficulty=2)
        make_item(bank=bank, tags=["ivf", "dose"], difficulty=4)
        make_item(bank=bank, tags=["ivf", "dose"])
        make_item(bank=bank, tags=["ivf", "dose"], difficulty=2, state=ItemState.RETIRED)
        make_item(bank=BankFactory(), tags=["ivf", "dose"], difficulty=2)
        section = Section.objects.create(quiz=quiz, position=1)
        Pick.objects.create(
            section=section, position=1, bank=bank, count=9, tags=["dose", "ivf"], difficulty_from=2, difficulty_to=3
        )
        assert {entry["v"] for entry in make_paper(quiz=quiz, seed=5).items} == wanted

    def test_what_is_seldom_shown_is_on_no_more_than_its_share_of_papers(self) -> None:
        quiz = QuizFactory()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        rare = make_item(bank=bank, exposure_percent=10)
        for _ in range(3):
            make_item(bank=bank)
        section = Section.objects.create(quiz=quiz, position=1)
        Pick.objects.create(section=section, position=1, bank=bank, count=2)
        on = sum(
            rare.version_id in {entry["v"] for entry in make_paper(quiz=quiz, seed=seed).items} for seed in range(1000)
        )
        assert 0 < on <= 130  # 10 % of 1,000, and three standard deviations; without a limit it would be 500

    def test_a_second_attempt_draws_what_was_not_seen(self) -> None:
        quiz = QuizFactory()
        bank = BankFactory(programme=quiz.lesson.course.programme)
        for _ in range(6):
            make_item(bank=bank)
        Pick.objects.create(section=Section.objects.create(quiz=quiz, position=1), position=1, bank=bank, count=3)
        user = candidate_of(quiz)
        first = hand_in(start(quiz, user))
        second = start(quiz, user)
        assert not {one["v"] for one in first.paper["items"]} & {one["v"] for one in second.paper["items"]}

    def test_the_questions_of_a_vignette_stay_together_and_in_order(self) -> None:
        quiz = QuizFactory(shuffles_items=True)
        bank = BankFactory(programme=quiz.lesson.course.programme)
        story = make_item(bank=bank, kind=ItemKind.VIGNETTE, shown={}, key={})
        parts = [make_item(bank=bank, vignette=story, position=number).version_id for number in (1, 2, 3)]
        for _ in range(4):
            make_item(bank=bank)
        Pick.objects.create(section=Section.objects.create(quiz=quiz, position=1), position=1, bank=bank, count=5)
        for seed in range(5):
            items = make_paper(quiz=quiz, seed=seed).items
            of_story = [index for index, entry in enumerate(items) if entry.get("g") == story.version_id]
            assert [items[index]["v"] for index in of_story] == parts
            assert of_story == list(range(of_story[0], of_story[0] + 3))

    def test_an_empty_test_cannot_be_started(self) -> None:
        quiz = QuizFactory()
        with pytest.raises(PaperError):
            start(quiz, candidate_of(quiz))


class TestHolding:
    def test_going_on_gives_everybody_their_time_back(self) -> None:
        quiz = make_quiz(time_limit_seconds=600)
        operator = UserFactory()
        running, over = start(quiz, candidate_of(quiz)), start(quiz, candidate_of(quiz))
        make_older(over, 700)
        make_older(running, 100)
        pause = hold_test(quiz=quiz, reason="Fire alarm", actor=operator)
        assert hold_test(quiz=quiz, reason="again", actor=operator).pk == pause.pk
        pause.began_at -= timedelta(seconds=60)
        pause.save()
        assert resume_test(quiz=quiz, actor=operator) == 1
        before = running.deadline_at
        running.refresh_from_db()
        assert running.deadline_at is not None
        assert before is not None
        assert 60 <= (running.deadline_at - before).total_seconds() < 120
        deadline = over.deadline_at
        over.refresh_from_db()
        assert over.deadline_at == deadline
