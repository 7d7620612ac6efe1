"""Running a test in the office: who is in, who is through, and what an operator does to one of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from assessments.domain.interventions import give_extra, strike_out
from assessments.domain.running import PER_PAGE
from assessments.enums import AttemptState, EndedBy
from assessments.models import Attempt, Candidate, Pause, Quiz
from courses.models import Programme
from tests.assessments.ranked import marked
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of, make_quiz
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "1"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def quiz() -> Quiz:
    made: Quiz = make_quiz(time_limit_seconds=3600, pass_percent=60)
    return made


@pytest.fixture
def programme(quiz: Quiz) -> Programme:
    return quiz.lesson.course.programme


@pytest.fixture
def operator(programme: Programme) -> Client:
    return signed_in(
        RoleGrantFactory.create(programme=programme, role=Role.OPERATOR, user__timezone="Asia/Kolkata").user
    )


def at(name: str, *args: Any) -> str:
    return reverse(f"admin:assessments_quiz_{name}", args=args)


def shown(client: Client, quiz: Quiz, **query: str) -> list[int]:
    return [one.pk for one in client.get(at("running", quiz.pk), query).context["page"]]


class TestRunning:
    def test_it_counts_and_lists_the_attempts_of_this_test(self, operator: Client, quiz: Quiz) -> None:
        other = make_quiz()
        start(other, candidate_of(other))
        user, second = candidate_of(quiz), candidate_of(quiz)
        done = start(quiz, user)
        for position in range(3):
            choose(done, position, "b")
        hand_in(done)
        struck = start(quiz, user)
        strike_out(attempt_id=struck.pk, reason="A copy", actor=UserFactory())
        inside = start(quiz, second)
        choose(inside, 1, "a")
        page = operator.get(at("running", quiz.pk))
        figures = page.context["figures"]
        assert (figures.people, figures.all, figures.open, figures.finished) == (2, 3, 1, 1)
        assert (figures.void, figures.passed, figures.submitted) == (1, 1, 0)
        assert [(one.pk, one.given, one.of) for one in page.context["page"]] == [
            (inside.pk, 1, 3), (struck.pk, 0, 3), (done.pk, 3, 3),
        ]  # fmt: skip
        assert shown(operator, quiz, state="open") == [inside.pk]
        assert shown(operator, quiz, state="finished") == [done.pk]
        assert shown(operator, quiz, state="void") == [struck.pk]
        assert shown(operator, quiz, state="nonsense") == [inside.pk, struck.pk, done.pk]

    def test_times_are_on_the_operators_clock(self, operator: Client, quiz: Quiz) -> None:
        attempt = start(quiz, candidate_of(quiz))
        assert attempt.deadline_at is not None
        local = attempt.deadline_at + timedelta(hours=5, minutes=30)
        assert local.strftime("%H:%M:%S") in operator.get(at("running", quiz.pk)).content.decode()

    def test_a_search_finds_doctors_who_have_not_begun_and_nobody_of_other_programmes(
        self, operator: Client, quiz: Quiz, programme: Programme
    ) -> None:
        here = EnrolmentFactory(programme=programme, user__last_name="Zweig", user__first_name=HOSTILE).user
        EnrolmentFactory(user__last_name="Zweig")
        candidate_of(quiz)
        page = operator.get(at("running", quiz.pk), {"q": "zwei alert"})
        assert [one.enrolment.user for one in page.context["doctors"]] == [here]
        assert at("extra", quiz.pk, here.pk) in page.content.decode()
        assert HOSTILE not in page.content.decode()

    def test_looking_is_recorded(self, operator: Client, quiz: Quiz) -> None:
        attempt = start(quiz, candidate_of(quiz))
        operator.get(at("running", quiz.pk), {"q": "a\x00b", "page": "99"})
        operator.get(at("attempt", attempt.pk))
        listed, read = AuditEvent.objects.filter(action__startswith="attempt").order_by("pk")
        assert (listed.action, listed.details) == ("attempts.listed", {"state": "all", "search": "ab", "page": 1})
        assert (read.action, read.subject_id) == ("attempt.read", str(attempt.pk))

    def test_it_costs_the_same_for_few_and_many(self, operator: Client, quiz: Quiz) -> None:
        def cost() -> int:
            start(quiz, candidate_of(quiz))
            operator.get(at("running", quiz.pk), {"q": "example"})
            with CaptureQueriesContext(connection) as asked:
                operator.get(at("running", quiz.pk), {"q": "example"})
            return len(asked)

        assert len({cost() for _ in range(3)}) == 1

    def test_more_than_a_page(self, operator: Client, quiz: Quiz) -> None:
        people = User.objects.bulk_create([User(email=f"{n}@x.org") for n in range(PER_PAGE + 1)])
        made = marked(quiz, 5)
        fields = {name: getattr(made, name) for name in ("seed", "paper", "state", "started_at", "submitted_at",
                                                         "ended_by", "most_points", "score")}  # fmt: skip
        Attempt.objects.bulk_create([Attempt(quiz=quiz, user=user, number=1, **fields) for user in people])
        assert len(shown(operator, quiz)) == PER_PAGE
        assert len(shown(operator, quiz, page="2")) == 2


class TestHolding:
    def test_it_is_held_and_goes_on(self, operator: Client, quiz: Quiz) -> None:
        start(quiz, candidate_of(quiz))
        assert "Why?" in operator.get(at("hold", quiz.pk)).content.decode()
        assert operator.post(at("hold", quiz.pk), SUBMITTED | {"reason": ""}).status_code == 200
        assert not Pause.objects.exists()
        operator.post(at("hold", quiz.pk), SUBMITTED | {"reason": HOSTILE})
        page = operator.get(at("running", quiz.pk)).content.decode()
        assert ("Held since" in page, HOSTILE in page) == (True, False)
        answer = operator.post(at("resume", quiz.pk), SUBMITTED, follow=True).content.decode()
        assert "1 attempt got its time back." in answer
        assert Pause.objects.get().ended_at is not None
        assert "is not being held" in operator.post(at("resume", quiz.pk), SUBMITTED, follow=True).content.decode()


class TestOneAttempt:
    def test_it_shows_answers_in_words_without_the_key(self, operator: Client, quiz: Quiz) -> None:
        attempt = start(quiz, candidate_of(quiz))
        choose(attempt, 0, "c")
        page = operator.get(at("attempt", attempt.pk)).content.decode()
        assert "Option C" in page
        assert "SECRET" not in page
        assert at("end", attempt.pk) in page

    def test_it_is_ended_with_a_reason(self, operator: Client, quiz: Quiz) -> None:
        attempt = start(quiz, candidate_of(quiz))
        assert operator.post(at("end", attempt.pk), {"reason": "  "}).context["form"].errors
        assert operator.get(at("end", attempt.pk)).status_code == 200
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.OPEN
        response = operator.post(at("end", attempt.pk), {"reason": "The room is closing"}, follow=True)
        attempt.refresh_from_db()
        assert (attempt.state, attempt.ended_by) == (AttemptState.MARKED, EndedBy.OPERATOR)
        assert at("end", attempt.pk) not in response.content.decode()
        again = operator.post(at("end", attempt.pk), {"reason": "Again"}, follow=True)
        assert "This attempt has ended already." in again.content.decode()

    def test_it_is_struck_out_with_a_reason_that_stays_on_its_page(self, operator: Client, quiz: Quiz) -> None:
        attempt = hand_in(start(quiz, candidate_of(quiz)))
        page = operator.post(at("strike", attempt.pk), {"reason": f"Copied {HOSTILE}"}, follow=True).content.decode()
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.VOID
        assert "Copied &lt;script&gt;" in page
        assert at("strike", attempt.pk) not in page

    def test_extra_time_moves_the_deadline_and_says_so(self, operator: Client, quiz: Quiz) -> None:
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        address = at("extra", quiz.pk, user.pk)
        refused = operator.post(address, {"percent": "50", "attempts": "1", "reason": ""})
        assert list(refused.context["form"].errors) == ["reason"]
        page = operator.post(address, {"percent": "50", "attempts": "1", "reason": "Granted"}, follow=True)
        assert "The open attempt ends" in page.content.decode()
        attempt.refresh_from_db()
        assert attempt.deadline_at == attempt.started_at + timedelta(minutes=90)
        kept = Candidate.objects.get()
        assert (kept.extra_percent, kept.extra_attempts, kept.extra_reason) == (50, 1, "Granted")
        assert operator.get(address).context["form"]["percent"].value() == 50
        operator.post(address, {"percent": "0", "attempts": "0", "reason": ""})
        assert Candidate.objects.get().extra_percent == 0

    def test_extra_time_of_others_is_on_the_page_of_the_search(self, operator: Client, quiz: Quiz) -> None:
        user = candidate_of(quiz)
        give_extra(quiz=quiz, user=user, percent=25, attempts=2, reason="Granted", actor=UserFactory())
        page = operator.get(at("running", quiz.pk), {"q": user.email}).content.decode()
        assert "25 % extra time" in page
        assert "2 extra attempts" in page


class TestRights:
    def pages(self, attempt: Attempt) -> list[str]:
        quiz = attempt.quiz_id
        by_attempt = [at(name, attempt.pk) for name in ("attempt", "end", "strike")]
        return [at("running", quiz), at("extra", quiz, attempt.user_id), *by_attempt]

    def test_who_writes_tests_does_not_see_by_name_who_sits_them(self, quiz: Quiz, programme: Programme) -> None:
        editor = signed_in(RoleGrantFactory.create(programme=programme).user)
        attempt = start(quiz, candidate_of(quiz))
        for address in self.pages(attempt):
            assert editor.get(address).status_code == 403
            assert editor.post(address, {"reason": "x", "percent": "9", "attempts": "9"}).status_code in {403, 405}
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.OPEN

    def test_foreign_tests_are_not_there(self, operator: Client) -> None:
        foreign = make_quiz()
        attempt = start(foreign, candidate_of(foreign))
        for address in self.pages(attempt):
            assert operator.get(address).status_code == 404
            assert operator.post(address, {"reason": "x"}).status_code in {404, 405}

    def test_nothing_is_given_to_somebody_of_another_programme(self, operator: Client, quiz: Quiz) -> None:
        stranger = EnrolmentFactory().user
        assert operator.get(at("extra", quiz.pk, stranger.pk)).status_code == 404
        assert operator.get(at("attempt", 10**9)).status_code == 404

    def test_sec_21_an_attempt_is_not_struck_out_without_the_csrf_token(self, quiz: Quiz, programme: Programme) -> None:
        person = RoleGrantFactory.create(programme=programme, role=Role.OPERATOR).user
        attempt = start(quiz, candidate_of(quiz))
        strict = signed_in(person, enforce_csrf_checks=True)
        assert strict.post(at("strike", attempt.pk), {"reason": "x"}).status_code == 403
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.OPEN
