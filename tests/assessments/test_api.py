"""Tests over HTTP: the API and the pages without a script. Nothing of the key leaves before the policy allows it."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from assessments.domain.pausing import hold_test
from assessments.domain.questions import _kept
from assessments.enums import ItemKind
from assessments.items import type_of
from assessments.models import Answer, Attempt, Item, Quiz
from tests.assessments.items.samples import DRAFTS
from tests.assessments.sitting import choose, hand_in, make_older, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import EnrolmentFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SECRETS = ("SECRET", '"right"', "rationale")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    _kept.clear()


def put(browser: Client, attempt_id: int, position: int, **body: Any) -> Any:
    address = reverse("api:attempt-answer", args=[attempt_id, position])
    return browser.put(address, json.dumps(body), content_type="application/json")


def begin(quiz: Quiz, user: User) -> tuple[Client, dict[str, Any]]:
    browser = signed_in(user)
    response = browser.post(reverse("api:quiz-attempts", args=[quiz.pk]), {}, content_type="application/json")
    assert response.status_code == 201
    return browser, response.json()


class TestApi:
    def test_a_sitting_from_the_first_question_to_the_result(self) -> None:
        quiz = make_quiz(items=2, time_limit_seconds=600, pass_percent=50, answers_when="submitted")
        browser, sheet = begin(quiz, candidate_of(quiz))
        assert [one["kind"] for one in sheet["questions"]] == ["single", "single"]
        assert 590 <= sheet["seconds_left"] <= 600
        assert put(browser, sheet["id"], 0, value={"choice": "b"}, saved=1).status_code == 200
        assert put(browser, sheet["id"], 1, form="choice=a", saved=1, is_flagged=True, seconds=12).status_code == 200
        again = browser.get(reverse("api:attempt", args=[sheet["id"]])).json()
        assert [(one["value"], one["saved"], one["is_flagged"]) for one in again["questions"]] == [
            ({"choice": "b"}, 1, False),
            ({"choice": "a"}, 1, True),
        ]
        done = browser.post(reverse("api:attempt-submission", args=[sheet["id"]]), {}, content_type="application/json")
        assert done.status_code == 200
        result = done.json()
        assert (result["score"], result["of"], result["is_passed"]) == ("1.0000", "2.00", True)
        assert [one["outcome"] for one in result["questions"]] == ["right", "wrong"]
        assert "SECRET-WHY-B" in json.dumps(result)
        assert browser.get(reverse("api:attempt", args=[sheet["id"]])).status_code == 409

    def test_a_second_start_is_the_same_attempt(self) -> None:
        quiz = make_quiz()
        browser, sheet = begin(quiz, candidate_of(quiz))
        again = browser.post(reverse("api:quiz-attempts", args=[quiz.pk]), {}, content_type="application/json")
        assert (again.status_code, again.json()["id"]) == (200, sheet["id"])

    def test_another_window_gets_the_newer_answer(self) -> None:
        quiz = make_quiz()
        browser, sheet = begin(quiz, candidate_of(quiz))
        put(browser, sheet["id"], 0, value={"choice": "c"}, saved=4)
        refused = put(browser, sheet["id"], 0, value={"choice": "a"}, saved=2)
        assert refused.status_code == 409
        assert refused.json()["current"] == {"value": {"choice": "c"}, "saved": 4, "is_flagged": False}

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"value": {"choice": "z"}, "saved": 1}, 400),
            ({"saved": 1}, 400),
            ({"value": None, "form": "", "saved": 1}, 400),
            ({"value": {"choice": "a"}, "saved": 0}, 400),
            ({"value": {"choice": "a"}, "saved": 1, "points": 100}, 400),
        ],
    )
    def test_rubbish_is_refused_in_words(self, body: dict[str, Any], status: int) -> None:
        quiz = make_quiz()
        browser, sheet = begin(quiz, candidate_of(quiz))
        assert put(browser, sheet["id"], 0, **body).status_code == status
        assert put(browser, sheet["id"], 99, value=None, saved=1).status_code == 404
        assert not Answer.objects.exists()

    def test_late_and_held_saves_are_conflicts_with_a_reason(self) -> None:
        quiz = make_quiz(time_limit_seconds=60)
        browser, sheet = begin(quiz, candidate_of(quiz))
        hold_test(quiz=quiz, reason="Fire alarm", actor=UserFactory())
        assert "held" in put(browser, sheet["id"], 0, value={"choice": "a"}, saved=1).json()["detail"]
        quiz.pauses.all().delete()
        make_older(Attempt.objects.get(), 100)
        late = put(browser, sheet["id"], 0, value={"choice": "a"}, saved=1)
        assert (late.status_code, "over" in late.json()["detail"]) == (409, True)

    def test_sec_19_an_attempt_is_nobody_elses(self) -> None:
        quiz = make_quiz()
        _, sheet = begin(quiz, candidate_of(quiz))
        for stranger in (candidate_of(quiz), EnrolmentFactory().user, UserFactory()):
            browser = signed_in(stranger)
            assert put(browser, sheet["id"], 0, value={"choice": "a"}, saved=1).status_code == 404
            assert browser.get(reverse("api:attempt", args=[sheet["id"]])).status_code == 404
            assert browser.get(reverse("assessments:attempt", args=[sheet["id"]])).status_code == 404
            assert browser.get(reverse("assessments:questions", args=[sheet["id"]])).status_code == 404
            assert browser.post(reverse("assessments:finish", args=[sheet["id"]])).status_code == 404
        assert Attempt.objects.get().state == "open"

    def test_a_save_takes_few_queries_and_a_page_no_more_for_more_questions(self) -> None:
        counts = []
        for items in (2, 30):
            quiz = make_quiz(items=items)
            browser, sheet = begin(quiz, candidate_of(quiz))
            put(browser, sheet["id"], 0, value={"choice": "a"}, saved=1)
            with CaptureQueriesContext(connection) as saving:
                assert put(browser, sheet["id"], 0, value={"choice": "b"}, saved=2).status_code == 200
            address = reverse("assessments:attempt", args=[sheet["id"]])
            with CaptureQueriesContext(connection) as page:
                assert browser.get(address).status_code == 200
            with CaptureQueriesContext(connection) as rest:
                assert browser.get(reverse("assessments:questions", args=[sheet["id"]])).status_code == 200
            counts.append((len(saving), len(page), len(rest)))
        assert counts[0] == counts[1]
        assert counts[0] == (3, 4, 4)


class TestLeaks:
    """SECRET stands in the rationale, in the reason of the right option and in the references of every question."""

    def addresses(self, quiz: Quiz, attempt_id: int) -> list[str]:
        return [
            reverse("api:quiz", args=[quiz.pk]),
            reverse("api:attempt", args=[attempt_id]),
            reverse("assessments:quiz", args=[quiz.pk]),
            reverse("assessments:attempt", args=[attempt_id]),
            reverse("assessments:attempt", args=[attempt_id]) + "?at=2",
            reverse("assessments:questions", args=[attempt_id]),
            reverse("assessments:finish", args=[attempt_id]),
        ]

    def test_sec_29_nothing_of_the_key_is_in_any_payload_before_handing_in(self) -> None:
        quiz = make_quiz(answers_when="submitted")
        browser, sheet = begin(quiz, candidate_of(quiz))
        texts = [json.dumps(sheet)]
        texts += [browser.get(address).content.decode() for address in self.addresses(quiz, sheet["id"])]
        saved = put(browser, sheet["id"], 0, value={"choice": "b"}, saved=1)
        texts.append(saved.content.decode())
        for text in texts:
            assert not [secret for secret in SECRETS if secret in text]
        assert "Option B" in texts[0]

    def test_sec_29_nor_afterwards_while_the_policy_keeps_it(self) -> None:
        quiz = make_quiz(answers_when="done", attempts_allowed=2, pass_percent=100)
        user = candidate_of(quiz)
        browser = signed_in(user)
        first = hand_in(start(quiz, user))
        page = browser.get(reverse("assessments:result", args=[first.pk])).content.decode()
        api = browser.get(reverse("api:attempt-result", args=[first.pk])).content.decode()
        assert not [secret for secret in ("SECRET",) if secret in page + api]
        second = start(quiz, user)
        for position in range(3):
            choose(second, position, "b")
        assert "SECRET" not in browser.get(reverse("assessments:result", args=[first.pk])).content.decode()
        hand_in(second)
        assert "SECRET-WHY-B" in browser.get(reverse("assessments:result", args=[first.pk])).content.decode()

    def test_sec_29_right_answers_stay_hidden_while_another_attempt_is_open(self) -> None:
        quiz = make_quiz(answers_when="submitted")
        user = candidate_of(quiz)
        first = hand_in(start(quiz, user))
        browser = signed_in(user)
        address = reverse("assessments:result", args=[first.pk])
        assert "SECRET" in browser.get(address).content.decode()
        start(quiz, user)
        assert "SECRET" not in browser.get(address).content.decode()

    def test_sec_29_a_result_that_is_not_shown_is_in_no_payload(self) -> None:
        quiz = make_quiz(marks_when="never", answers_when="never", pass_percent=60)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        choose(attempt, 0, "b")
        hand_in(attempt)
        browser = signed_in(user)
        result = browser.get(reverse("api:attempt-result", args=[attempt.pk])).json()
        assert (result["score"], result["is_passed"], result["questions"]) == (None, None, [])
        front = browser.get(reverse("api:quiz", args=[quiz.pk])).json()
        assert front["attempts"] == [{"id": attempt.pk, "number": 1, "is_passed": None}]

    def test_sec_29_one_way_tests_send_one_question_at_a_time(self) -> None:
        quiz = make_quiz(is_one_way=True)
        browser, sheet = begin(quiz, candidate_of(quiz))
        assert [bool(one["stem"]) for one in sheet["questions"]] == [True, False, False]
        page = browser.get(reverse("assessments:attempt", args=[sheet["id"]]) + "?at=3").content.decode()
        names = quiz.sections.get().picks.order_by("position").values_list("item__name", flat=True)
        assert [name in page for name in names] == [True, False, False]
        assert browser.get(reverse("assessments:questions", args=[sheet["id"]])).status_code == 404


class TestPages:
    def test_a_sitting_without_a_script(self) -> None:
        quiz = make_quiz(items=2, pass_percent=50)
        user = candidate_of(quiz)
        browser = signed_in(user)
        front = browser.get(reverse("assessments:quiz", args=[quiz.pk])).content.decode()
        assert "Start the test" in front
        started = browser.post(reverse("assessments:start", args=[quiz.pk]))
        attempt = Attempt.objects.get()
        assert started.status_code == 200
        assert "Question 1 of 2" in started.content.decode()
        moved = browser.post(
            reverse("assessments:answer", args=[attempt.pk, 0]), {"choice": "b", "saved": "0", "go": "next"}
        )
        assert moved["Location"].endswith("?at=2")
        last = browser.post(
            reverse("assessments:answer", args=[attempt.pk, 1]), {"saved": "0", "flag": "1", "go": "next"}
        )
        assert last["Location"] == reverse("assessments:finish", args=[attempt.pk])
        finish = browser.get(last["Location"]).content.decode()
        assert "Not answered yet" in finish
        assert "You wanted to come back to" in finish
        done = browser.post(last["Location"], follow=True).content.decode()
        assert "Passed" in done
        attempt.refresh_from_db()
        assert (attempt.state, attempt.score) == ("marked", 1)

    def test_the_start_sent_once_more_goes_on_and_begins_no_other_attempt(self) -> None:
        quiz = make_quiz(attempts_allowed=3)
        user = candidate_of(quiz)
        browser = signed_in(user)
        front = reverse("assessments:quiz", args=[quiz.pk])
        address = reverse("assessments:start", args=[quiz.pk])
        number = re.findall(r'name="number" value="(\d+)"', browser.get(front).content.decode())
        assert number == ["1"]
        browser.post(address, {"number": "1"})
        attempt = Attempt.objects.get()
        choose(attempt, 0, "a")
        again = browser.post(address, {"number": "1"})
        assert again.context["line"].position == 1
        browser.post(reverse("assessments:finish", args=[attempt.pk]))
        late = browser.post(address, {"number": "1"}, follow=True)
        assert late.redirect_chain == [(front, 302)]
        assert "That attempt is over." in late.content.decode()
        assert Attempt.objects.count() == 1
        assert 'name="number" value="2"' in late.content.decode()
        browser.post(address, {"number": "2"})
        assert Attempt.objects.count() == 2
        assert browser.get(address)["Location"] == front

    def test_a_start_costs_as_much_for_more_questions(self) -> None:
        counts = []
        for items in (2, 9):
            quiz = make_quiz(items=items)
            browser = signed_in(candidate_of(quiz))
            address = reverse("assessments:start", args=[quiz.pk])
            browser.post(address, {"number": "1"})  # what is asked once in a process
            other = signed_in(candidate_of(quiz))
            with CaptureQueriesContext(connection) as queries:
                other.post(address, {"number": "1"})
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 14

    def test_a_page_comes_back_to_the_first_question_without_an_answer(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        choose(attempt, 0, "a")
        page = signed_in(user).get(reverse("assessments:attempt", args=[attempt.pk]))
        assert page.context["line"].position == 1

    def test_a_page_has_one_question_and_its_script_gets_them_all(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        choose(attempt, 2, "c")
        browser = signed_in(user)
        page = browser.get(reverse("assessments:attempt", args=[attempt.pk]) + "?at=2").content.decode()
        rest = browser.get(reverse("assessments:questions", args=[attempt.pk])).content.decode()
        assert re.findall(r'<form class="card quiz-question" id="q(\d)"', page) == ["1"]
        assert re.findall(r'<form class="card quiz-question" id="q(\d)"', rest) == ["0", "1", "2"]
        assert re.findall(r'value="(\w)" checked', rest) == ["c"]
        make_older(attempt, 100)
        attempt.deadline_at = attempt.started_at + timedelta(seconds=30)
        attempt.save()
        over = browser.get(reverse("assessments:questions", args=[attempt.pk]))
        assert over["Location"] == reverse("assessments:result", args=[attempt.pk])

    def test_what_is_made_once_for_all_is_each_doctors_own_where_it_matters(self) -> None:
        """Address, token, order of the options and what was answered."""
        quiz = make_quiz(items=3, shuffles_options=True)
        pages = []
        for _ in range(6):
            user = candidate_of(quiz)
            browser = signed_in(user)
            attempt = start(quiz, user)
            page = browser.get(reverse("assessments:questions", args=[attempt.pk])).content.decode()
            addresses = set(re.findall(r'action="([^"]+)"', page))
            assert addresses == {reverse("assessments:answer", args=[attempt.pk, position]) for position in range(3)}
            (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
            assert "\0" not in page
            orders = [entry["o"] for entry in attempt.paper["items"]]
            shown = [re.findall(r'name="choice" value="(\w)"', form) for form in page.split("<form ")[1:]]
            assert shown == orders
            pages.append((token, page))
            choose(attempt, 1, "b")
            again = browser.get(reverse("assessments:questions", args=[attempt.pk])).content.decode()
            assert re.findall(r'value="(\w)" checked', again) == ["b"]
        assert len(set(pages)) == 6

    def test_what_is_made_once_for_all_says_what_is_made_for_one(self, settings: Any) -> None:
        """Of each kind, for doctors with their questions, options and parts in orders of their own."""
        bank = BankFactory()
        items: list[Item] = []
        for kind, (draft, secret) in list(DRAFTS.items()) * 2:
            if kind != ItemKind.VIGNETTE:  # is asked with the questions that belong to it
                shown, key = type_of(kind).clean(shown={**draft, "images": []}, key=secret)
                items.append(make_item(bank=bank, kind=kind, shown=shown, key=key, stem=f"<p>{kind} {len(items)}</p>"))
        quiz = make_quiz(items=items, shuffles_items=True, shuffles_options=True)
        for _ in range(4):
            user = candidate_of(quiz)
            attempt = start(quiz, user)
            address = reverse("assessments:questions", args=[attempt.pk])
            pages = []
            for settings.DEBUG in (False, True):  # made anew every time while somebody develops
                page = signed_in(user).get(address).content.decode()
                pages.append(re.sub(r'(name="csrfmiddlewaretoken" value=")\w+"', r"\1", page))
            assert pages[0] == pages[1]
            assert pages[0].count("<form ") == len(items)

    def test_a_form_that_is_sent_again_changes_nothing(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        browser = signed_in(user)
        address = reverse("assessments:answer", args=[attempt.pk, 0])
        for _ in range(3):
            browser.post(address, {"choice": "b", "saved": "0", "go": "next"})
        assert list(attempt.answers.values_list("value", "saved")) == [({"choice": "b"}, 1)]

    def test_an_old_form_does_not_overwrite_what_another_window_saved(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        choose(attempt, 0, "c", saved=3)
        browser = signed_in(user)
        page = browser.post(
            reverse("assessments:answer", args=[attempt.pk, 0]),
            {"choice": "a", "saved": "0", "go": "next"},
            follow=True,
        )
        assert "answered in another window" in page.content.decode()
        assert attempt.answers.get().value == {"choice": "c"}

    def test_pages_of_an_attempt_whose_time_is_over_lead_to_its_result(self) -> None:
        quiz = make_quiz(time_limit_seconds=60)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        choose(attempt, 0, "b")
        make_older(attempt, 100)
        browser = signed_in(user)
        for address in (
            reverse("assessments:attempt", args=[attempt.pk]),
            reverse("assessments:finish", args=[attempt.pk]),
            reverse("assessments:quiz", args=[quiz.pk]),
        ):
            page = browser.get(address, follow=True)
            assert page.status_code == 200
        attempt.refresh_from_db()
        assert (attempt.state, attempt.score, attempt.ended_by) == ("marked", 1, "deadline")

    def test_rubbish_in_addresses_and_forms_is_no_error_of_ours(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        browser = signed_in(user)
        address = reverse("assessments:attempt", args=[attempt.pk])
        assert [browser.get(f"{address}?at={at}").status_code for at in ("0", "4", "x", "9" * 30, "²")] == [404] * 5
        save = reverse("assessments:answer", args=[attempt.pk, 0])
        for form in ({"choice": "z"}, {"choice": "b", "saved": "x" * 50, "go": "?"}, {"choice": "\x00"}):
            assert browser.post(save, form).status_code == 302
        assert browser.post(reverse("assessments:answer", args=[attempt.pk, 999]), {}).status_code in {302, 404}

    def test_a_refused_start_says_why(self) -> None:
        quiz = make_quiz(attempts_allowed=1)
        user = candidate_of(quiz)
        hand_in(start(quiz, user))
        page = signed_in(user).post(reverse("assessments:start", args=[quiz.pk]), follow=True).content.decode()
        assert "You have used all your attempts" in page
