"""The marking desk: who gets which answer, what they see of it, and what becomes of a mark."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from assessments.domain.marking import (
    DecidedError,
    EverybodyError,
    FasterError,
    MarkedAlreadyError,
    NoReasonError,
    change_mark,
    mark_by_hand,
)
from assessments.domain.marking_desk import TURN, desk_of, desks_of, paper_of, progress_of, put_off, take_next
from assessments.domain.remarking import correct_key, mark_again
from assessments.domain.saving import save_answer
from assessments.enums import ItemKind
from assessments.models import Answer, Attempt, HandMark, MarkingTurn, Quiz, ScoreChange
from core.clock import now
from tests.assessments.sitting import hand_in, start
from tests.assessments.written import (
    RUBRIC,
    TEXT,
    TWO_CRITERIA,
    essay_quiz,
    marker_of,
    open_of,
    short_quiz,
    with_open,
    write,
)
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
HALF, ONE, TWO, FOUR = Decimal("0.5"), Decimal(1), Decimal(2), Decimal(4)


def mark(attempt: Attempt, marker: User, points: Decimal, **more: Any) -> Answer:
    return mark_by_hand(answer_id=open_of(attempt).pk, marker=marker, points=points, **more)


def change(attempt: Attempt, marker: User, points: Decimal, **more: Any) -> Answer:
    return change_mark(answer_id=open_of(attempt).pk, marker=marker, points=points, **more)


def let_turns_run_out() -> None:
    for turn in MarkingTurn.objects.all():
        turn.until -= TURN + timedelta(seconds=1)
        turn.save()


class TestTurns:
    def test_two_markers_never_get_the_same_answer_and_one_keeps_theirs(self) -> None:
        quiz = essay_quiz()
        attempts = [write(quiz) for _ in range(3)]
        one, two = marker_of(quiz), marker_of(quiz)
        first = take_next(quiz=quiz, marker=one)
        assert first == open_of(attempts[0])
        assert take_next(quiz=quiz, marker=two) == open_of(attempts[1])
        assert take_next(quiz=quiz, marker=one) == first
        desk = desk_of(quiz=quiz, marker=one)
        assert (desk.mine, desk.busy, desk.all) == (2, 1, 3)
        assert desk.oldest == attempts[0].submitted_at

    def test_what_a_marker_left_comes_back_after_half_an_hour(self) -> None:
        quiz = essay_quiz()
        attempt = write(quiz)
        one, two = marker_of(quiz), marker_of(quiz)
        take_next(quiz=quiz, marker=one)
        assert take_next(quiz=quiz, marker=two) is None
        let_turns_run_out()
        assert take_next(quiz=quiz, marker=two) == open_of(attempt)
        mark(attempt, one, TWO)  # a late one counts where it is still needed
        with pytest.raises(FasterError):
            mark(attempt, two, ONE)
        assert HandMark.objects.count() == 1

    def test_what_was_put_off_comes_last_and_others_may_have_it(self) -> None:
        quiz = essay_quiz()
        attempts = [write(quiz) for _ in range(3)]
        one, two = marker_of(quiz), marker_of(quiz)
        for attempt in attempts[:2]:
            assert take_next(quiz=quiz, marker=one) == open_of(attempt)
            put_off(answer_id=open_of(attempt).pk, marker=one)
        assert take_next(quiz=quiz, marker=one) == open_of(attempts[2])
        assert take_next(quiz=quiz, marker=two) == open_of(attempts[0])
        mark(attempts[2], one, TWO)
        assert take_next(quiz=quiz, marker=one) == open_of(attempts[1])

    def test_an_answer_for_two_lies_before_two_and_no_third(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        one, two, third = (marker_of(quiz) for _ in range(3))
        assert [take_next(quiz=quiz, marker=who) for who in (one, two)] == [open_of(attempt)] * 2
        assert take_next(quiz=quiz, marker=third) is None
        mark(attempt, one, TWO)
        assert take_next(quiz=quiz, marker=third) is None
        let_turns_run_out()
        assert take_next(quiz=quiz, marker=third) == open_of(attempt)

    def test_begun_answers_come_first_and_a_lowered_number_of_markers_leaves_none_behind(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        _early, late = write(quiz), write(quiz)
        one, two = marker_of(quiz), marker_of(quiz)
        mark(late, one, TWO)
        assert take_next(quiz=quiz, marker=two) == open_of(late)
        MarkingTurn.objects.all().delete()
        Quiz.objects.filter(pk=quiz.pk).update(markers_needed=1)
        assert take_next(quiz=quiz, marker=two) == open_of(late)
        mark(late, two, FOUR)
        assert open_of(late).points == 3

    def test_the_third_of_a_dispute_is_one_person_who_has_not_marked_it(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        one, two, third, fourth = (marker_of(quiz) for _ in range(4))
        mark(attempt, one, Decimal(0))
        mark(attempt, two, FOUR)
        for marker in (one, two):
            assert take_next(quiz=quiz, marker=marker, disputed=True) is None
        assert take_next(quiz=quiz, marker=third, disputed=True) == open_of(attempt)
        assert take_next(quiz=quiz, marker=fourth, disputed=True) is None
        assert (desk_of(quiz=quiz, marker=fourth).busy, desk_of(quiz=quiz, marker=one).others) == (1, 1)
        with pytest.raises(FasterError):
            mark(attempt, fourth, TWO)
        mark(attempt, third, Decimal("1.25"), decides=True)
        attempt.refresh_from_db()
        assert attempt.score == Decimal("2.25")


class TestWhatIsSeen:
    def test_nobody_sees_anothers_mark_before_giving_theirs_but_the_third_sees_both(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        one, two, third = (marker_of(quiz) for _ in range(3))
        mark(attempt, one, Decimal(0), comment="SECRET-ONE")
        papers = {who: paper_of(answer=open_of(attempt), marker=who) for who in (one, two, third)}
        assert [paper.marks for paper in papers.values()] == [[], [], []]
        assert [paper.may_mark for paper in papers.values()] == [False, True, True]
        mark(attempt, two, FOUR, comment="SECRET-TWO")
        assert paper_of(answer=open_of(attempt), marker=two).marks == []
        decider = paper_of(answer=open_of(attempt), marker=third)
        assert (decider.decides, [mark.comment for mark in decider.marks]) == (True, ["SECRET-ONE", "SECRET-TWO"])

    def test_how_near_a_short_answer_is_and_what_the_key_suggests(self) -> None:
        quiz = short_quiz()
        attempt = write(quiz, text="theca cell")
        paper = paper_of(answer=open_of(attempt), marker=marker_of(quiz))
        assert [(one.text, one.share) for one in paper.guide] == [("granulosa cells", 1), ("theca cells", HALF)]
        assert [one.percent for one in paper.guide][1] == 77
        assert paper.note == "77 % like “theca cells”"
        assert paper.suggested_points == 2

    def test_how_far_the_test_is(self) -> None:
        quiz = essay_quiz()
        attempts = [write(quiz) for _ in range(3)]
        mark(attempts[0], marker_of(quiz), TWO)
        progress = progress_of(quiz=quiz)
        assert (progress.done, progress.total, progress.percent) == (1, 3, 33)

    @pytest.mark.parametrize("size", [1, 3])
    def test_the_list_costs_the_same_for_any_size(
        self, size: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        quizzes = [essay_quiz() for _ in range(size)]
        for quiz in quizzes:
            write(quiz)
        marker = RoleGrantFactory(role=Role.OPERATOR, programme=None).user
        with django_assert_num_queries(2):
            assert len(desks_of(marker=marker, quizzes=Quiz.objects.all())) == size


class TestChanging:
    def test_ones_own_mark_before_the_result_stands(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        one, two = marker_of(quiz), marker_of(quiz)
        mark(attempt, one, Decimal(0))
        mark(attempt, one, Decimal(0))  # a double click
        with pytest.raises(MarkedAlreadyError):
            mark(attempt, one, TWO)
        mark(attempt, two, FOUR)
        change(attempt, one, FOUR, comment="Misread")
        attempt.refresh_from_db()
        assert (attempt.score, ScoreChange.objects.count()) == (5, 0)
        with pytest.raises(DecidedError):
            change(attempt, one, ONE)
        actions = AuditEvent.objects.order_by("pk").values_list("action", "actor")
        assert list(actions) == [("answer.marked", one.pk), ("answer.marked", two.pk), ("answer.mark_changed", one.pk)]

    def test_a_result_that_stands_changes_with_a_reason_and_a_trail(self) -> None:
        quiz = essay_quiz(pass_percent=60)
        attempt = write(quiz)
        marker = marker_of(quiz)
        mark(attempt, marker, FOUR)
        with pytest.raises(NoReasonError):
            change(attempt, marker, ONE, reason=" ")
        change(attempt, marker, ONE, reason="A slip of the finger")
        attempt.refresh_from_db()
        assert (attempt.score, attempt.is_passed, attempt.counts) == (2, False, True)
        trail = ScoreChange.objects.get()
        assert (trail.by, trail.reason, trail.revision) == (marker, "A slip of the finger", None)
        assert (trail.score_before, trail.score_after, trail.was_passed, trail.is_passed) == (5, 2, True, False)
        details = AuditEvent.objects.get(action="answer.mark_changed").details
        assert (details["before"], details["points"], details["reason"]) == ("4.0000", "1.0000", "A slip of the finger")

    def test_of_a_paper_with_more_to_mark_nothing_stands_yet(self) -> None:
        quiz = with_open(essay_quiz(), ItemKind.ESSAY, {"rubric": RUBRIC})
        attempt = start(quiz, candidate_of(quiz))
        for position in (1, 2):
            save_answer(attempt=attempt, position=position, raw={"text": TEXT}, saved=1)
        hand_in(attempt)
        marker = marker_of(quiz)
        mark(attempt, marker, FOUR)
        change(attempt, marker, TWO)
        assert (open_of(attempt).points, ScoreChange.objects.count()) == (2, 0)

    def test_where_everybody_got_the_points_no_mark_changes_them(self) -> None:
        quiz = essay_quiz()
        attempt = write(quiz)
        marker = marker_of(quiz)
        mark(attempt, marker, ONE)
        version = open_of(attempt).version
        correct_key(version=version, key=version.key, gives_everybody=True, reason="Why", actor=marker, now=now())
        assert mark_again() == 1
        attempt.refresh_from_db()
        assert attempt.score == 5
        with pytest.raises(EverybodyError):
            change(attempt, marker, TWO, reason="Why")
        correct_key(version=version, key=version.key, reason="It was sound", actor=marker, now=now())
        mark_again()
        attempt.refresh_from_db()
        assert (attempt.score, open_of(attempt).points) == (2, 1)


def browser(user: User) -> Client:
    return signed_in(user)


def form_page(attempt: Attempt) -> str:
    return f"/marking/answers/{open_of(attempt).pk}/"


class TestPages:
    def test_from_the_list_to_the_last_answer(self) -> None:
        quiz = essay_quiz()
        doctor = candidate_of(quiz)
        doctor.first_name, doctor.last_name = "Meera", "NAMED-NAIR"
        doctor.save()
        first, second = write(quiz, doctor), write(quiz)
        client = browser(marker_of(quiz))
        assert "2 for you" in client.get("/marking/").content.decode()
        response = client.post(f"/marking/{quiz.pk}/next/", follow=True)
        assert response.redirect_chain == [(form_page(first), 302)]
        html = response.content.decode()
        assert TEXT in html
        assert "0 of 2 marked" in html
        assert doctor.email not in html
        assert "NAMED" not in html
        response = client.post(form_page(first), {"criterion-a": "2,5", "comment": "Good"}, follow=True)
        assert response.redirect_chain == [(form_page(second), 302)]
        assert "1 of 2 marked" in response.content.decode()
        assert (open_of(first).points, HandMark.objects.get().rubric) == (Decimal("2.5"), ["2.5"])
        response = client.post(form_page(second), {"criterion-a": "4"}, follow=True)
        assert response.redirect_chain == [(f"/marking/{quiz.pk}/", 302)]
        assert "Nothing waits here" in response.content.decode()
        assert "Nothing waits" in client.get("/marking/").content.decode()

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("", "Give points from 0 to 2."),
            ("2.5", "Give points from 0 to 2."),
            ("-1", "Give points from 0 to 2."),
            ("1.234", "At most two places after the point"),
            ("two", "This is no number."),
        ],
    )
    def test_points_that_cannot_be_are_said_in_words(self, given: str, said: str) -> None:
        quiz = essay_quiz(rubric=TWO_CRITERIA)
        attempt = write(quiz)
        response = browser(marker_of(quiz)).post(form_page(attempt), {"criterion-a": given, "criterion-b": "1"})
        assert (response.status_code, said in response.content.decode()) == (200, True)
        assert not HandMark.objects.exists()

    def test_a_rubric_is_converted_to_the_points_of_the_paper_exactly(self) -> None:
        quiz = essay_quiz(rubric=TWO_CRITERIA)
        attempt = write(quiz)
        client = browser(marker_of(quiz))
        assert "The rubric has 3 points, and the question is worth 4" in client.get(form_page(attempt)).content.decode()
        client.post(form_page(attempt), {"criterion-a": "1", "criterion-b": "٠٫٢٥"})
        assert open_of(attempt).points == Decimal("1.6667")

    def test_one_button_for_a_short_answer(self) -> None:
        quiz = short_quiz()
        attempt = write(quiz, text="theca cell")
        client = browser(marker_of(quiz))
        html = client.get(form_page(attempt)).content.decode()
        assert "As the key suggests: 2" in html
        client.post(form_page(attempt), {"quick": "2", "points": ""})
        assert open_of(attempt).points == 2

    def test_skipping_the_only_one_leads_to_the_overview(self) -> None:
        quiz = essay_quiz()
        first, second = write(quiz), write(quiz)
        client = browser(marker_of(quiz))
        address = f"{form_page(first)}put-off/"
        assert client.post(address)["Location"] == form_page(second)
        open_of(second).delete()
        assert client.post(address)["Location"] == f"/marking/{quiz.pk}/"

    def test_who_was_slower_is_told_and_led_on(self) -> None:
        quiz = essay_quiz()
        attempt, other = write(quiz), write(quiz)
        client = browser(marker_of(quiz))
        client.post(f"/marking/{quiz.pk}/next/")
        mark(attempt, marker_of(quiz), TWO)
        response = client.post(form_page(attempt), {"criterion-a": "4"}, follow=True)
        html = response.content.decode()
        assert "Somebody else was faster" in html
        assert "The next answer" in html
        assert open_of(attempt).points == 2
        assert client.post(f"/marking/{quiz.pk}/next/")["Location"] == form_page(other)

    def test_a_double_click_and_changing_ones_last_mark(self) -> None:
        quiz = essay_quiz()
        attempt = write(quiz)
        client = browser(marker_of(quiz))
        for _ in range(2):
            assert client.post(form_page(attempt), {"criterion-a": "4"}).status_code == 302
        html = client.get(form_page(attempt)).content.decode()
        assert 'value="4"' in html
        assert "Why it is changed" in html
        answer = client.post(form_page(attempt), {"criterion-a": "1", "change": "1"})
        assert "This field is required" in answer.content.decode()
        client.post(form_page(attempt), {"criterion-a": "1", "change": "1", "reason": "A slip"})
        assert open_of(attempt).points == 1

    def test_the_third_person_sees_both_marks_and_decides(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        for points in (Decimal(0), FOUR):
            mark(attempt, marker_of(quiz), points, comment=f"COMMENT-{points}")
        client = browser(marker_of(quiz))
        html = client.post(f"/marking/{quiz.pk}/next/", {"disputed": "1"}, follow=True).content.decode()
        assert "COMMENT-0" in html
        assert "COMMENT-4" in html
        client.post(form_page(attempt), {"criterion-a": "3", "disputed": "1"})
        assert open_of(attempt).points == 3
        assert AuditEvent.objects.filter(action="answer.decided").count() == 1

    def test_doors(self) -> None:
        quiz, foreign = essay_quiz(), essay_quiz()
        attempt, theirs = write(quiz), write(foreign)
        marker = browser(marker_of(quiz))
        doctor = browser(attempt.user)
        assert [marker.get(page).status_code for page in (f"/marking/{foreign.pk}/", form_page(theirs))] == [404, 404]
        assert [doctor.get(page).status_code for page in ("/marking/", f"/marking/{quiz.pk}/")] == [403, 403]
        assert [doctor.get(page).status_code for page in (f"/marking/{foreign.pk}/", form_page(attempt))] == [404, 404]
        assert doctor.post(form_page(attempt), {"criterion-a": "4"}).status_code == 404
        closed = attempt.answers.get(position=0)  # nobody has to mark it
        assert marker.get(f"/marking/answers/{closed.pk}/").status_code == 404
        assert not HandMark.objects.exists()

    def test_the_author_of_an_answer_cannot_mark_it(self) -> None:
        quiz = essay_quiz()
        doctor = candidate_of(quiz)
        attempt = write(quiz, doctor)
        RoleGrantFactory(user=doctor, role=Role.PRESENTER, programme=quiz.lesson.course.programme)
        client = browser(doctor)
        assert "1 for others" in client.get("/marking/").content.decode()
        assert "This answer does not wait for you" in client.get(form_page(attempt)).content.decode()
        client.post(form_page(attempt), {"criterion-a": "4"})
        assert not HandMark.objects.exists()

    def test_where_those_who_mark_come_from(self) -> None:
        quiz = essay_quiz()
        write(quiz)
        presenter, moderator = marker_of(quiz), marker_of(quiz, Role.MODERATOR)
        assert "/marking/" in browser(presenter).get("/").content.decode()
        assert "1 answer waits for a mark" in browser(presenter).get("/programmes/").content.decode()
        office = browser(moderator).get("/admin/").content.decode()
        assert "1 answer waits for a mark" in office
        assert "Answers to mark" in office
        stranger = browser(UserFactory())
        assert "/marking/" not in stranger.get("/").content.decode() + stranger.get("/programmes/").content.decode()
