"""The marking desk over HTTP for programs: the same rules, limits and words as its pages."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from assessments.models import Answer, Attempt, Quiz, ScoreChange
from tests.assessments.written import TWO_CRITERIA, essay_quiz, marker_of, open_of, write
from tests.factories.assessments import candidate_of
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def send(browser: Client, name: str, *parts: int, method: str = "post", **body: Any) -> Any:
    call = getattr(browser, method)
    return call(reverse(f"api:{name}", args=parts), json.dumps(body), content_type="application/json")


def pointers(response: Any) -> list[str]:
    return [error["pointer"] for error in response.json()["errors"]]


def one(**settings: Any) -> tuple[Quiz, Attempt, Answer, Client]:
    quiz = essay_quiz(**settings)
    attempt = write(quiz)
    return quiz, attempt, open_of(attempt), signed_in(marker_of(quiz))


def test_from_the_list_to_the_last_answer() -> None:
    quiz, attempt, answer, browser = one()
    (desk,) = browser.get(reverse("api:marking")).json()
    assert (desk["quiz"], desk["mine"], desk["disputed"]) == (quiz.pk, 1, 0)
    paper = send(browser, "marking-next", quiz.pk).json()
    assert (paper["answer"], paper["may_mark"], paper["mine"], paper["most"]) == (answer.pk, True, None, "4.00")
    assert attempt.user.email not in json.dumps(paper)
    marked = send(browser, "marking-mark", answer.pk, rubric={"a": "2,5"}, comment="Good").json()
    assert (marked["mine"]["points"], marked["mine"]["rubric"], marked["may_mark"]) == ("2.5000", ["2.5"], False)
    assert send(browser, "marking-next", quiz.pk).status_code == 204
    attempt.refresh_from_db()
    assert (attempt.state, attempt.score) == ("marked", 3.5)


def test_points_that_cannot_be_are_said_by_their_criterion() -> None:
    _, attempt, answer, browser = one(rubric=TWO_CRITERIA)
    for rubric, wrong in (
        ({"a": "3", "b": "1"}, ["a"]),
        ({"a": "2"}, ["b"]),
        ({}, ["a", "b"]),
        ({"a": "x", "b": "1"}, ["a"]),
    ):
        refused = send(browser, "marking-mark", answer.pk, rubric=rubric)
        assert (refused.status_code, pointers(refused)) == (400, [f"#/rubric/{name}" for name in wrong])
    assert not answer.hand_marks.exists()
    send(browser, "marking-mark", answer.pk, rubric={"a": "1", "b": "0.5"})
    attempt.refresh_from_db()
    assert attempt.score == 1 + 2


def test_a_result_that_stands_changes_only_with_a_reason() -> None:
    _, attempt, answer, browser = one()
    send(browser, "marking-mark", answer.pk, rubric={"a": "1"})
    refused = send(browser, "marking-mark", answer.pk, method="put", rubric={"a": "4"})
    assert (refused.status_code, pointers(refused)) == (400, ["#/reason"])
    send(browser, "marking-mark", answer.pk, method="put", rubric={"a": "4"}, reason="I misread it.")
    attempt.refresh_from_db()
    assert (attempt.score, ScoreChange.objects.get(attempt=attempt).reason) == (5, "I misread it.")


def test_who_was_slower_and_what_was_put_off() -> None:
    quiz, _, answer, browser = one()
    other = signed_in(marker_of(quiz))
    send(browser, "marking-next", quiz.pk)
    assert send(other, "marking-next", quiz.pk).status_code == 204
    assert send(browser, "marking-put-off", answer.pk).status_code == 204
    assert send(other, "marking-next", quiz.pk).json()["answer"] == answer.pk
    send(other, "marking-mark", answer.pk, rubric={"a": "1"})
    slower = send(browser, "marking-mark", answer.pk, rubric={"a": "2"})
    assert (slower.status_code, "faster" in slower.json()["detail"]) == (409, True)


def test_sec_19_doctors_read_nothing_of_the_desk() -> None:
    quiz, _, answer, _ = one()
    doctor = signed_in(candidate_of(quiz))
    assert doctor.get(reverse("api:marking")).status_code == 403
    assert send(doctor, "marking-next", quiz.pk).status_code == 403
    assert doctor.get(reverse("api:marking-answer", args=[answer.pk])).status_code == 404
    assert send(doctor, "marking-mark", answer.pk, rubric={"a": "1"}).status_code == 404
    assert send(doctor, "marking-put-off", answer.pk).status_code == 404
