"""What a doctor sees of the ranking, by page and by API: their own place, and only the names of those who chose it."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from assessments.domain.ranking import refresh_ranking, show_name
from assessments.models import Candidate, Quiz
from core.clock import now
from tests.assessments.ranked import marked
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of, make_quiz
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def exam() -> Quiz:
    """Six doctors from Germany with 10, 9, … points, the second and the fourth with their names on the board."""
    quiz = make_quiz(has_ranking=True)
    attempts = [marked(quiz, 10 - number, country="DE") for number in range(6)]
    for number in (1, 3):
        show_name(quiz=quiz, user=attempts[number].user, shows=True)
    refresh_ranking(quiz_id=quiz.pk, now=now())
    return quiz


def doctors(quiz: Quiz) -> list[Any]:
    return [attempt.user for attempt in quiz.attempts.order_by("-score").select_related("user")]


def page_of(quiz: Quiz, user: Any, query: str = "") -> str:
    response = signed_in(user).get(f"/tests/{quiz.pk}/ranking/{query}")
    assert response.status_code == 200
    return response.content.decode()


class TestPage:
    def test_ones_own_place_among_all_and_in_ones_groups(self, exam: Quiz) -> None:
        page = page_of(exam, doctors(exam)[2])
        assert page.count("Place 3 of 6") == 2  # all, and Germany
        assert "Percentile 58.3" in page
        assert page.count('class="mine"') == 1  # the bar of one's own result
        assert "All results; yours is 80 %" in page

    def test_names_are_of_those_who_chose_it_and_of_nobody_else(self, exam: Quiz) -> None:
        everybody = doctors(exam)
        page = page_of(exam, everybody[5])
        named = {user.pk for user in everybody if escape(user.get_full_name()) in page.split("rank-board")[1]}
        assert named == {everybody[1].pk, everybody[3].pk}
        assert not [user.email for user in everybody[:5] if user.email in page]  # the last one is signed in

    def test_the_switch_puts_a_name_on_the_board_and_takes_it_off(self, exam: Quiz) -> None:
        me = doctors(exam)[0]
        browser = signed_in(me)
        for shows, expected in (("on", True), ("", False)):
            response = browser.post(f"/tests/{exam.pk}/ranking/name/", {"shows": shows})
            assert (response.status_code, response["Location"]) == (302, f"/tests/{exam.pk}/ranking/")
            assert Candidate.objects.get(user=me).shows_name is expected
            board = page_of(exam, me).split("rank-board")[1]
            assert (escape(me.get_full_name()) in board) is expected

    def test_before_ones_result_there_is_nothing_to_see(self, exam: Quiz) -> None:
        page = page_of(exam, candidate_of(exam))
        assert "Your place is shown here together with your result." in page
        assert "rank-board" not in page
        assert "<svg viewBox" not in page
        Quiz.objects.filter(pk=exam.pk).update(marks_when="never")
        page = page_of(exam, doctors(exam)[0])
        assert "Place 1" not in page
        assert "rank-board" not in page

    def test_nonsense_in_the_address_is_the_first_page_of_all(self, exam: Quiz) -> None:
        for query in ("?group=mars", "?group=cohort&page=9", "?page=x", "?group="):
            assert "Place 1 of 6" in page_of(exam, doctors(exam)[0], query)

    def test_a_test_without_one_and_a_foreign_one_are_absent(self, exam: Quiz) -> None:
        plain = make_quiz()
        browser = signed_in(candidate_of(plain))
        for path in (f"/tests/{plain.pk}/ranking/", f"/tests/{exam.pk}/ranking/"):
            assert browser.get(path).status_code == 404
            assert browser.post(f"{path}name/", {"shows": "on"}).status_code == 404

    def test_the_front_page_of_the_test_leads_there(self, exam: Quiz) -> None:
        address = f'href="/tests/{exam.pk}/ranking/"'
        assert address in signed_in(doctors(exam)[0]).get(f"/tests/{exam.pk}/").content.decode()
        plain = make_quiz()
        assert "/ranking/" not in signed_in(candidate_of(plain)).get(f"/tests/{plain.pk}/").content.decode()


class TestApi:
    def get(self, quiz: Quiz, user: Any, query: str = "") -> Any:
        response = signed_in(user).get(f"/api/v1/quizzes/{quiz.pk}/ranking/{query}")
        assert response.status_code == 200
        return response.json()

    def test_it_says_what_the_page_says(self, exam: Quiz) -> None:
        everybody = doctors(exam)
        said = self.get(exam, everybody[2])
        assert [(one["group"], one["place"], one["of"], one["percentile"]) for one in said["standings"]] == [
            ("all", 3, 6, "58.33"),
            ("country", 3, 6, "58.33"),
        ]
        assert (said["people"], said["is_final"], sum(said["bins"]), Decimal(said["percent"])) == (6, False, 6, 80)
        assert [(row["place"], row["name"], row["is_mine"]) for row in said["board"]] == [
            (2, everybody[1].get_full_name(), False),
            (4, everybody[3].get_full_name(), False),
        ]

    def test_nothing_before_ones_result(self, exam: Quiz) -> None:
        said = self.get(exam, candidate_of(exam))
        assert (said["is_shown"], said["board"], said["standings"], said["bins"], said["people"]) == (
            False,
            [],
            [],
            [],
            None,
        )

    def test_a_name_is_put_on_and_taken_off(self, exam: Quiz) -> None:
        me = doctors(exam)[0]
        browser: Client = signed_in(me)
        for shows in (True, False):
            response = browser.put(
                f"/api/v1/quizzes/{exam.pk}/ranking/name/", {"shows_name": shows}, content_type="application/json"
            )
            assert response.status_code == 200
            assert response.json()["shows_name"] is shows
            assert [row["is_mine"] for row in response.json()["board"]].count(True) == int(shows)

    def test_who_has_not_begun_has_no_name_to_show(self, exam: Quiz) -> None:
        browser = signed_in(candidate_of(exam))
        path = f"/api/v1/quizzes/{exam.pk}/ranking/name/"
        assert browser.put(path, {"shows_name": True}, content_type="application/json").status_code == 409
        assert browser.put(path, {}, content_type="application/json").status_code == 400
        assert signed_in(UserFactory.create()).put(path, {}, content_type="application/json").status_code == 404

    def test_a_test_without_a_ranking_has_none(self) -> None:
        plain = make_quiz()
        assert signed_in(candidate_of(plain)).get(f"/api/v1/quizzes/{plain.pk}/ranking/").status_code == 404
