"""The report on one sheet: what can be read and copied from it, in every direction, and for whom it is."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.utils import translation

from accounts.enums import Role
from accounts.models import User
from analytics.domain.presenting.audience import Group
from analytics.domain.presenting.items import ItemFigures
from analytics.domain.presenting.report import WebinarReport, report_of
from analytics.domain.presenting.themes import Theme, Themes
from analytics.rendering.one_page import render
from analytics.views.report_paper import page_of
from tests.analytics.lecture_world import well_visited
from tests.certification.printing.samples import page_text, pages, rastered
from tests.factories.courses import CourseFactory, EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from tests.webinars.watching import NOON
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
WORDS = (
    "Dr Meera Nair",
    "Endometriosis: what the evidence says",
    "Fertility, counted",
    "India",
    "Watched live",
    "Clarity of content delivery",
    "slides",
    "Who was watching, minute by minute",
    "doctors again",
)


@pytest.fixture
def presenter() -> User:
    course = CourseFactory.create(programme__title="Fertility, counted")
    user: User = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    User.objects.filter(pk=user.pk).update(title="Dr", first_name="Meera", last_name="Nair")
    well_visited(course, user)
    return user


def _looked_at(pdf: bytes, name: str) -> None:
    """A picture for a person, where somebody asks for one."""
    if folder := os.environ.get("LOOK"):
        rastered(pdf).save(Path(folder) / f"{name}.png")


def _text(pdf: bytes) -> str:
    return " ".join(page_text(pdf).split())


def test_the_sheet_says_what_the_page_says(presenter: User) -> None:
    webinar = Webinar.objects.get()
    answer = signed_in(presenter).get(f"/presenting/{webinar.pk}/report.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'inline; filename="lecture-{webinar.pk}.pdf"'
    assert pages(answer.content) == 1
    _looked_at(answer.content, "report")
    said = _text(answer.content)
    for words in WORDS:
        assert words in said, words
    report = report_of(webinar, now=NOON)
    total = report.audience.total
    for number in (total.live, total.recorded, total.minutes, report.unique_minutes, report.questions.asked):
        assert f"{number:,}" in said
    for words in (
        "if what a doctor saw twice counts once",
        "9 answered (64%)",
        f"{total.continued} of them were there",
    ):
        assert words in said, words
    assert "@" not in said


def test_pictures_have_words_for_who_does_not_see_them(presenter: User) -> None:
    pdf = signed_in(presenter).get(f"/presenting/{Webinar.objects.get().pk}/report.pdf").content
    assert pdf.count(b"/Alt") >= 2
    document = pypdfium2.PdfDocument(pdf)
    assert document.get_metadata_dict()["Title"] == "Endometriosis: what the evidence says"
    assert pypdfium2.raw.FPDFCatalog_IsTagged(document)


def test_names_and_titles_run_their_own_way(presenter: User) -> None:
    User.objects.filter(pk=presenter.pk).update(title="", first_name="ليلى", last_name="حداد")
    webinar = Webinar.objects.get()
    webinar.lesson.title = "بطانة الرحم المهاجرة 2026"
    webinar.lesson.save()
    with translation.override("ar"):
        pdf = render(page_of(report_of(Webinar.objects.get(), now=NOON)))
    _looked_at(pdf, "report-arabic")
    assert pages(pdf) == 1
    said = page_text(pdf)
    assert "ليلى" in said or "ليلى"[::-1] in said
    assert "\ufffd" not in said


def _crowded(report: WebinarReport) -> WebinarReport:
    countries = tuple(Group(code, 1000 - n, 900, 90, 9, 9, 9, 9) for n, code in enumerate(("IN", "BR", "KE", "DE") * 7))
    themes = tuple(Theme("w" * 60, "en", 999, ("x" * 500,)) for _ in range(8))
    audience = replace(report.audience, countries=countries)
    feedback = replace(report.feedback, themes=Themes(5000, themes), comparisons=report.feedback.comparisons[:1] * 9)
    polls = tuple(
        report.polls[0] | {"question": "Which of all these? " * 20, "options": [{"text": "o" * 300, "position": 1}]}
        for _ in range(9)
    )
    items = tuple(ItemFigures(1, "i" * 300, 60, 500, 34.0, 5) for _ in range(9))
    return replace(report, audience=audience, feedback=feedback, polls=polls, items=items)


def test_polls_and_test_questions_stand_on_it_where_there_are_any(presenter: User) -> None:
    report = report_of(Webinar.objects.get(), now=NOON)
    items = tuple(ItemFigures(1, f"Question {n}", None, 40, 30.0 + n, 0) for n in range(4))
    pdf = render(page_of(replace(report, items=items)))
    _looked_at(pdf, "report-asked")
    said = _text(pdf)
    poll = report.polls[0]
    counts = {one["text"]: poll["results"]["counts"].get(str(one["position"]), 0) for one in poll["options"]}
    most = max(counts, key=lambda text: counts[text])
    assert poll["question"] in said
    assert f"{most} {round(100 * counts[most] / poll['results']['votes'])}%" in said
    assert "Question 0 30% Question 1 31% Question 2 32%" in said
    assert "Question 3" not in said
    bare = _text(render(page_of(replace(report, polls=()))))
    assert "Polls" not in bare
    assert "Hardest" not in bare


def test_it_stays_one_page_whatever_there_is_to_say(presenter: User) -> None:
    webinar = Webinar.objects.get()
    webinar.lesson.title = "A very long title of a lecture " * 6
    report = _crowded(report_of(webinar, now=NOON))
    for language in ("en", "ar"):
        with translation.override(language):
            pdf = render(page_of(report))
        _looked_at(pdf, f"report-crowded-{language}")
        assert pages(pdf) == 1


def test_a_lecture_that_nobody_has_seen_has_a_sheet_too() -> None:
    webinar = WebinarFactory.create(lesson__title='$x^2$ #eval("1") [a](b) *bold*')
    pdf = render(page_of(report_of(webinar, now=NOON)))
    _looked_at(pdf, "report-empty")
    assert pages(pdf) == 1
    assert '$x^2$ #eval("1") [a](b) *bold*' in _text(pdf)


def test_the_same_facts_give_the_same_bytes(presenter: User) -> None:
    report = report_of(Webinar.objects.get(), now=NOON)
    assert render(page_of(report)) == render(page_of(report))


def test_who_only_attends_gets_none(presenter: User, django_assert_max_num_queries: Any) -> None:
    webinar = Webinar.objects.get()
    doctor = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    assert signed_in(doctor).get(f"/presenting/{webinar.pk}/report.pdf").status_code == 403
    browser = signed_in(presenter)
    browser.get(f"/presenting/{webinar.pk}/report.pdf")
    with django_assert_max_num_queries(10):
        browser.get(f"/presenting/{webinar.pk}/report.pdf")
