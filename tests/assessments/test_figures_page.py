"""The figures of a test in the office, and when they are worked out."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from assessments.domain.analysis.due import REST, ask_for_report, make_due_reports
from assessments.domain.analysis.report import make_report
from assessments.models import AnalysisReport, Attempt, ItemVersion, Quiz
from assessments.tasks import make_due_reports as task
from core.clock import now
from tests.assessments.figures_world import sat, versions_of
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, make_item, make_quiz
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def taken(people: int = 40) -> tuple[Quiz, list[ItemVersion]]:
    """Of three questions the first has a wrong key: the stronger half chooses c, and knows the others."""
    quiz = make_quiz(items=0)
    bank = BankFactory.create(programme=quiz.lesson.course.programme)
    versions = versions_of([make_item(bank=bank, name=f"Question {number}") for number in range(3)])
    for person in range(people):
        strong = person >= people // 2
        sat(quiz, versions, ["c" if strong else "b", "b" if strong else "a", "b" if strong or person % 3 else "d"])
    return quiz, versions


def moderator(quiz: Quiz) -> User:
    user: User = UserFactory.create(is_staff=True)
    RoleGrantFactory.create(user=user, role=Role.MODERATOR, programme=quiz.lesson.course.programme)
    return user


def page(browser: Client, quiz: Quiz) -> Any:
    return browser.get(f"/admin/assessments/analysisreport/{quiz.pk}/figures/")


class TestPage:
    def test_an_author_reads_advice_figures_and_curves(self) -> None:
        quiz, _ = taken()
        make_report(quiz=quiz, now=now())
        html = page(signed_in(moderator(quiz)), quiz).content.decode()
        assert '<li class="urgent">Option C attracts the best candidates: check the key.</li>' in html
        assert html.count("<h2 id=") == 3
        assert html.count('<svg class="fig-curves"') == 3
        assert html.count('class="right dash-') == 2 * 3  # the line and its key, of the right answer of each question
        assert "<script" not in html.split('<div class="fig">')[1].split("</section>")[0]

    def test_the_list_counts_what_has_to_be_checked(self) -> None:
        quiz, _ = taken()
        make_report(quiz=quiz, now=now())
        html = signed_in(moderator(quiz)).get("/admin/assessments/analysisreport/").content.decode()
        assert f"/admin/assessments/analysisreport/{quiz.pk}/figures/" in html

    def test_staff_of_another_programme_find_nothing(self) -> None:
        quiz, _ = taken(people=4)
        other, _ = taken(people=4)
        for one in (quiz, other):
            make_report(quiz=one, now=now())
        browser = signed_in(moderator(other))
        assert page(browser, quiz).status_code == 404
        assert page(browser, other).status_code == 200
        assert browser.post(f"/admin/assessments/analysisreport/{quiz.pk}/again/").status_code == 404
        assert not AnalysisReport.objects.filter(asked_at__isnull=False).exists()

    def test_what_is_asked_for_is_made_by_the_next_sweep(self) -> None:
        quiz, versions = taken(people=4)
        make_report(quiz=quiz, now=now())
        sat(quiz, versions, ["b", "b", "b"])
        browser = signed_in(moderator(quiz))
        response = browser.post(f"/admin/assessments/analysisreport/{quiz.pk}/again/", follow=True)
        assert "They are being worked out again." in response.content.decode()
        assert task() == 1
        kept = AnalysisReport.objects.get(quiz=quiz)
        assert (kept.report["people"], kept.asked_at) == (5, None)

    def test_a_test_without_results_says_so(self) -> None:
        quiz = make_quiz()
        ask_for_report(quiz_id=quiz.pk, now=now())
        assert make_due_reports(now=now()) == 1
        assert "Nobody has a result yet." in page(signed_in(moderator(quiz)), quiz).content.decode()


class TestSweep:
    def test_by_itself_once_an_hour_and_only_when_marks_changed(self) -> None:
        quiz, versions = taken(people=4)
        began = now()
        assert make_due_reports(now=began) == 1
        assert make_due_reports(now=began + 2 * REST) == 0
        attempt = sat(quiz, versions, ["b", "b", "b"])
        assert make_due_reports(now=began + REST - timedelta(seconds=1)) == 0
        assert make_due_reports(now=began + REST) == 1
        # A corrected key changes scores, not numbers.
        Attempt.objects.filter(pk=attempt.pk).update(score=1)
        assert make_due_reports(now=began + 3 * REST) == 1

    def test_tests_that_nobody_has_finished_have_none(self) -> None:
        make_quiz()
        assert make_due_reports(now=now()) == 0
        assert not AnalysisReport.objects.exists()

    def test_beat_sends_it_to_those_who_do_long_work(self) -> None:
        sent = [(one["task"], one["schedule"]) for one in settings.CELERY_BEAT_SCHEDULE.values()]
        assert (task.name, 60.0) in sent
        assert settings.CELERY_TASK_ROUTES[task.name] == {"queue": "long"}
