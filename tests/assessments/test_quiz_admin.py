"""Tests in the office: writing one, what it is warned of, copies; who may."""

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.forms import model_to_dict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent
from assessments.admin.quiz_forms import PickRow, QuizForm
from assessments.domain.papers import make_paper
from assessments.domain.quizzes import (
    FixedError,
    ForeignError,
    ListChangedError,
    add_items,
    reorder_sections,
    save_pick,
    save_quiz,
)
from assessments.enums import CompletesBy, Counting, ItemKind, QuizKind
from assessments.models import Bank, Board, Item, Pick, Quiz, Section
from core.clock import now
from courses.enums import LessonKind
from courses.models import Lesson, Programme
from lms.demo.questions import create_test
from tests.assessments.sitting import start
from tests.factories.assessments import BankFactory, QuizFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import CourseFactory, LessonFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "1"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def quiz() -> Quiz:
    made: Quiz = make_quiz(time_limit_seconds=5400, pass_percent=60)
    return made


@pytest.fixture
def programme(quiz: Quiz) -> Programme:
    return quiz.lesson.course.programme


@pytest.fixture
def editor(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(programme=programme).user)


def at(name: str, *args: Any) -> str:
    return reverse(f"admin:assessments_{name}", args=args)


def settings_of(page: Any) -> dict[str, Any]:
    """What the form would send as it was shown: values of the form and of all its rows."""
    data: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            if value is None or value is False:
                continue
            data[field.html_name] = ",".join(value) if isinstance(value, list) else value
    return data


def change(client: Client, address: str, **changes: Any) -> Any:
    data = settings_of(client.get(address))
    data.update(changes)
    return client.post(address, {name: value for name, value in data.items() if value is not None})


class TestSettings:
    def test_the_lesson_leads_to_it(self, editor: Client, quiz: Quiz) -> None:
        page = editor.get(reverse("admin:courses_lesson_change", args=(quiz.lesson_id,))).content.decode()
        assert at("quiz_change", quiz.pk) in page

    def test_time_is_in_minutes_and_stays_to_the_second(self, editor: Client, quiz: Quiz) -> None:
        address = at("quiz_change", quiz.pk)
        assert editor.get(address).context["adminform"].form["minutes"].value() == 90
        assert change(editor, address, minutes="45.5").status_code == 302
        quiz.refresh_from_db()
        assert quiz.time_limit_seconds == 2730
        Quiz.objects.update(time_limit_seconds=100)
        change(editor, address, instructions="About 100 seconds")
        assert Quiz.objects.get().time_limit_seconds == 100
        change(editor, address, minutes="")
        assert Quiz.objects.get().time_limit_seconds is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"minutes": "0.1"}, "minutes"),
            ({"minutes": "1441"}, "minutes"),
            ({"completes_by": CompletesBy.PASSING, "pass_percent": ""}, "pass_percent"),
            ({"pass_percent": "101"}, "pass_percent"),
            ({"attempts_allowed": "0"}, "attempts_allowed"),
            ({"wrong_share": "1.5"}, "wrong_share"),
            ({"grace_seconds": "121"}, "grace_seconds"),
            ({"markers_needed": "3"}, "markers_needed"),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field(self, quiz: Quiz, changes: dict[str, str], field: str) -> None:
        data = {name: "" if value is None else value for name, value in model_to_dict(quiz).items()}
        assert QuizForm({**data, "minutes": "90"}, instance=quiz).is_valid()
        assert list(QuizForm({**data, "minutes": "90", **changes}, instance=quiz).errors) == [field]

    def test_nothing_wrong_is_saved(self, editor: Client, quiz: Quiz) -> None:
        response = change(editor, at("quiz_change", quiz.pk), minutes="0.1", pass_percent="75")
        assert (response.status_code, list(response.context["adminform"].form.errors)) == (200, ["minutes"])
        quiz.refresh_from_db()
        assert (quiz.time_limit_seconds, quiz.pass_percent) == (5400, 60)

    def test_pairs_are_of_the_programme_and_of_the_right_kinds(self, editor: Client, quiz: Quiz) -> None:
        course = quiz.lesson.course
        before = QuizFactory(lesson=LessonFactory(course=course, kind=LessonKind.QUIZ), kind=QuizKind.PRE_TEST)
        QuizFactory(kind=QuizKind.PRE_TEST)
        webinar = LessonFactory(course=course)
        LessonFactory()
        address = at("quiz_change", quiz.pk)
        fields = editor.get(address).context["adminform"].form.fields
        assert list(fields["pre_test"].queryset) == [before]
        assert list(fields["during"].queryset) == [webinar]
        refused = change(editor, address, kind=QuizKind.MOCK_EXAM, pre_test=before.pk, during=webinar.pk)
        assert set(refused.context["adminform"].form.errors) == {"pre_test", "during"}
        assert change(editor, address, kind=QuizKind.POST_TEST, pre_test=before.pk).status_code == 302
        assert Quiz.objects.get(pk=quiz.pk).pre_test == before

    def test_a_change_is_recorded_and_no_change_is_not(self, editor: Client, quiz: Quiz) -> None:
        change(editor, at("quiz_change", quiz.pk))
        assert not AuditEvent.objects.filter(action="quiz.changed").exists()
        change(editor, at("quiz_change", quiz.pk), pass_percent="75", has_ranking="on")
        event = AuditEvent.objects.get(action="quiz.changed")
        assert event.details["changes"] == {"pass_percent": ["60.00", "75"], "has_ranking": ["False", "True"]}
        assert event.details["begun"] is False

    def test_once_somebody_has_begun_it_says_what_holds_and_keeps_what_measures(
        self, editor: Client, quiz: Quiz
    ) -> None:
        address = at("quiz_change", quiz.pk)
        assert "Nobody has begun" in editor.get(address).content.decode()
        attempt = start(quiz, candidate_of(quiz))
        page = editor.get(address)
        assert "Attempts that have begun keep theirs" in page.content.decode()
        assert {"kind", "counting", "completes_by"}.isdisjoint(page.context["adminform"].form.fields)
        change(editor, address, counting=Counting.LAST, minutes="10", pass_percent="90")
        quiz.refresh_from_db()
        deadline, passing = attempt.deadline_at, attempt.pass_percent
        attempt.refresh_from_db()
        assert (quiz.counting, quiz.time_limit_seconds) == (Counting.BEST, 600)
        assert (attempt.deadline_at, attempt.pass_percent) == (deadline, passing)

    def test_a_pass_mark_that_completes_the_lesson_is_not_taken_away_after_the_first_attempt(
        self, editor: Client, quiz: Quiz
    ) -> None:
        Quiz.objects.update(completes_by=CompletesBy.PASSING)
        start(quiz, candidate_of(quiz))
        response = change(editor, at("quiz_change", quiz.pk), pass_percent="")
        assert list(response.context["adminform"].form.errors) == ["pass_percent"]

    def test_the_domain_refuses_what_the_page_does_not_offer(self, quiz: Quiz) -> None:
        start(quiz, candidate_of(quiz))
        quiz.counting = Counting.FIRST
        with pytest.raises(FixedError):
            save_quiz(quiz=quiz, actor=None, now=now())
        quiz.refresh_from_db()
        quiz.pre_test = QuizFactory(kind=QuizKind.PRE_TEST)
        with pytest.raises(ForeignError):
            save_quiz(quiz=quiz, actor=None, now=now())

    def test_the_page_has_the_list_of_what_to_look_at(self, editor: Client, quiz: Quiz) -> None:
        Item.objects.filter(pk=Item.objects.earliest("pk").pk).update(state="retired", name=HOSTILE)
        page = editor.get(at("quiz_change", quiz.pk)).content.decode()
        assert "is left out: it is retired." in page
        assert HOSTILE not in page
        assert at("section_change", quiz.sections.get().pk) in page

    def test_what_to_look_at_is_worked_out_once(self, editor: Client, quiz: Quiz) -> None:
        """The theme asks for a field that is only shown several times."""
        with CaptureQueriesContext(connection) as asked:
            editor.get(at("quiz_change", quiz.pk))
        picks = [one["sql"] for one in asked if 'FROM "assessments_pick"' in one["sql"]]
        assert picks
        assert len(set(picks)) == len(picks)


class TestSections:
    def test_a_new_one_needs_no_script_and_an_untouched_row_makes_none(self, editor: Client, quiz: Quiz) -> None:
        address = at("quiz_change", quiz.pk)
        change(editor, address)
        assert quiz.sections.count() == 1
        change(editor, address, **{"sections-1-title": "Part two"})
        assert list(quiz.sections.values_list("position", "title")) == [(1, "Part one"), (2, "Part two")]
        change(editor, address, **{"sections-0-position": "5"})
        assert list(quiz.sections.values_list("position", "title")) == [(1, "Part two"), (2, "Part one")]
        change(editor, address, **{"sections-0-DELETE": "on"})
        assert list(quiz.sections.values_list("position", "title")) == [(1, "Part one")]

    def test_an_order_of_other_sections_is_refused(self, quiz: Quiz) -> None:
        with pytest.raises(ListChangedError):
            reorder_sections(quiz=quiz, section_ids=[])

    def test_its_page_says_whom_a_change_reaches(self, editor: Client, quiz: Quiz) -> None:
        address, words = at("section_change", quiz.sections.get().pk), "papers that are drawn from now on"
        assert words not in editor.get(address).content.decode()
        attempt = start(quiz, candidate_of(quiz))
        assert words in editor.get(address).content.decode()
        change(editor, address, **{"picks-0-DELETE": "on", "title": "Part 1"})
        attempt.refresh_from_db()
        assert (len(attempt.paper["items"]), attempt.paper["sections"][0]["title"]) == (3, "Part one")
        assert quiz.sections.get().title == "Part 1"

    def test_papers_follow_at_once(self, editor: Client, quiz: Quiz) -> None:
        """They are drawn from what is remembered for some seconds; a change is not waited for."""
        assert len(make_paper(quiz=quiz, seed=1).items) == 3
        change(editor, at("section_change", quiz.sections.get().pk), **{"picks-0-DELETE": "on"})
        quiz.refresh_from_db()
        assert len(make_paper(quiz=quiz, seed=1).items) == 2


class TestPicks:
    @pytest.fixture
    def section(self, quiz: Quiz) -> Section:
        return quiz.sections.get()

    @pytest.fixture
    def bank(self, programme: Programme) -> Bank:
        made: Bank = BankFactory(programme=programme, title="Reserve")
        return made

    def test_a_draw_and_a_question_are_added(self, editor: Client, section: Section, bank: Bank) -> None:
        topic = Board.objects.create(title="Board").topics.create(code="1", title="Ovary")
        item = make_item(bank=bank)
        item.topics.add(topic)
        address = at("section_change", section.pk)
        draw = {"bank": bank.pk, "count": "4", "tags": " amh,  icsi , amh", "difficulty_from": "2",
                "difficulty_to": "3", "topic": topic.pk, "points": "0.5"}  # fmt: skip
        assert change(editor, address, **{f"picks-3-{name}": value for name, value in draw.items()}).status_code == 302
        made = section.picks.latest("position")
        assert (made.bank, made.item, made.count, made.tags, made.topic) == (bank, None, 4, ["amh", "icsi"], topic)
        assert (made.difficulty_from, made.difficulty_to, str(made.points)) == (2, 3, "0.50")
        change(editor, address, **{"picks-4-item": item.pk, "picks-4-count": "9", "picks-4-tags": "left over"})
        made = section.picks.latest("position")
        assert (made.item, made.count, made.tags, made.position) == (item, 1, [], 5)

    @pytest.mark.parametrize(
        ("row", "field"),
        [
            ({}, "item"),
            ({"bank": "own", "item": "own"}, "bank"),
            ({"bank": "own", "count": "0"}, "count"),
            ({"bank": "own", "difficulty_from": "4", "difficulty_to": "2"}, "difficulty_to"),
            ({"bank": "own", "difficulty_from": "9"}, "difficulty_from"),
            ({"bank": "own", "points": "-1"}, "points"),
            ({"bank": "own", "tags": "x" * 61}, "tags"),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field(self, bank: Bank, row: dict[str, str], field: str) -> None:
        values = {("bank", "own"): bank.pk, ("item", "own"): make_item(bank=bank).pk}
        data = {"count": "3", "points": "1", **{name: values.get((name, value), value) for name, value in row.items()}}
        assert list(PickRow(data).errors) == [field]

    def test_a_foreign_bank_or_question_and_a_part_of_a_vignette_are_no_choices(
        self, editor: Client, section: Section, bank: Bank
    ) -> None:
        foreign = BankFactory()
        story = make_item(bank=bank, kind="vignette", shown={}, key={})
        refused = {
            "bank": foreign.pk,
            "item": make_item(bank=foreign).pk,
            "another item": make_item(bank=bank, vignette=story, position=1).pk,
        }
        for name, value in refused.items():
            field = name.removeprefix("another ")
            response = change(editor, at("section_change", section.pk), **{f"picks-3-{field}": value})
            assert response.status_code == 200
            (formset,) = (one.formset for one in response.context["inline_admin_formsets"])
            assert list(formset.forms[3].errors) == [field]
        assert section.picks.count() == 3

    def test_the_domain_refuses_a_foreign_bank(self, section: Section) -> None:
        with pytest.raises(ForeignError):
            save_pick(pick=Pick(section=section, bank=BankFactory()))

    def test_choices_are_of_the_programme(self, editor: Client, section: Section, bank: Bank) -> None:
        BankFactory()
        page = editor.get(at("section_change", section.pk))
        fields = page.context["inline_admin_formsets"][0].formset.forms[3].fields
        assert set(fields["bank"].queryset) == set(Bank.objects.filter(programme=bank.programme))

    def test_the_search_finds_what_a_test_of_this_programme_can_take(
        self, quiz: Quiz, section: Section, bank: Bank
    ) -> None:
        """Also for somebody who works on two programmes."""
        person = RoleGrantFactory.create(programme=bank.programme).user
        other = BankFactory()
        RoleGrantFactory.create(user=person, programme=other.programme)
        story = make_item(bank=bank, name="amh story", kind="vignette", shown={}, key={})
        make_item(bank=bank, name="amh part", vignette=story, position=1)
        make_item(bank=bank, name="amh retired", state="retired")
        make_item(bank=other, name="amh elsewhere")
        mine = make_item(bank=bank, name="amh mine")
        client = signed_in(person)
        page = client.get(at("section_change", section.pk)).content.decode()
        (address,) = set(re.findall(r'data-ajax--url="([^"]+)"', page))
        asked = "&app_label=assessments&model_name=pick&field_name=item&term=amh"
        found = client.get(html.unescape(address) + asked).json()["results"]
        assert {int(one["id"]) for one in found} == {story.pk, mine.pk}

    def test_the_page_costs_the_same_for_one_row_and_for_three(
        self, editor: Client, section: Section, bank: Bank
    ) -> None:
        def cost() -> int:
            add_items(section=section, items=[make_item(bank=bank)], points=Decimal(1))
            section.picks.create(position=section.picks.count() + 50, bank=bank, count=1)
            editor.get(at("section_change", section.pk))
            with CaptureQueriesContext(connection) as asked:
                editor.get(at("section_change", section.pk))
            return len(asked)

        assert len({cost() for _ in range(3)}) == 1


class TestManyAtOnce:
    def test_ready_questions_that_the_test_has_not_are_found_and_added(
        self, editor: Client, quiz: Quiz, programme: Programme
    ) -> None:
        section = quiz.sections.get()
        bank = BankFactory(programme=programme, title="Reserve")
        first, second, _third = (make_item(bank=bank, name=f"amh {n}", tags=["ovary"]) for n in "abc")
        make_item(bank=bank, name="amh draft", state="draft")
        make_item(bank=BankFactory(), name="amh elsewhere")
        make_item(bank=bank, name="other", stem=HOSTILE)
        address = at("section_add_many", section.pk)
        page = editor.get(address)
        assert {one.name for one in page.context["page"]} == {"amh a", "amh b", "amh c", "other"}
        assert HOSTILE not in page.content.decode()
        for search in ("amh", "reserve ovary"):
            found = editor.get(address, {"q": search}).context["page"]
            assert [one.name for one in found] == ["amh a", "amh b", "amh c"]
        response = editor.post(address, {"items": [second.pk, first.pk], "points": "2.5"})
        assert response["Location"] == at("section_change", section.pk)
        made = [(one.position, one.item, float(one.points)) for one in section.picks.order_by("position")][3:]
        assert made == [(4, first, 2.5), (5, second, 2.5)]
        assert {one.name for one in editor.get(address).context["page"]} == {"amh c", "other"}

    @pytest.mark.parametrize("points", ["1", "-1"])
    def test_what_is_not_offered_is_not_added(self, editor: Client, quiz: Quiz, points: str) -> None:
        section = quiz.sections.get()
        mine, foreign = make_item(bank=Bank.objects.get()), make_item(bank=BankFactory())
        items = [mine.pk, foreign.pk] if points == "1" else [mine.pk]
        for given in (items, []):
            answer = editor.post(at("section_add_many", section.pk), {"items": given, "points": points})
            assert answer.status_code == 200
        assert section.picks.count() == 3
        with pytest.raises(ForeignError):
            add_items(section=section, items=[foreign], points=Decimal(1))

    def test_one_that_is_there_already_is_not_added_again(self, quiz: Quiz) -> None:
        section = quiz.sections.get()
        items = [make_item(bank=Bank.objects.get()), *Item.objects.filter(picks__section=section)]
        assert add_items(section=section, items=items, points=Decimal(1)) == 1
        assert section.picks.count() == 4


class TestCopies:
    def test_a_copy_has_its_own_lesson_and_sections(self, editor: Client, quiz: Quiz, programme: Programme) -> None:
        course = CourseFactory(programme=programme)
        LessonFactory(course=course, position=4)
        response = editor.post(at("quiz_copy", quiz.pk), SUBMITTED | {"course": course.pk, "title": "Mock exam 2"})
        copy = Quiz.objects.get(lesson__title="Mock exam 2")
        assert response["Location"] == at("quiz_change", copy.pk)
        assert (copy.lesson.course, copy.lesson.position, copy.time_limit_seconds) == (course, 5, 5400)
        assert [one.item_id for one in copy.sections.get().picks.all()] == [
            one.item_id for one in quiz.sections.get().picks.all()
        ]
        assert not set(copy.sections.all()) & set(quiz.sections.all())

    def test_not_into_another_programme(self, editor: Client, quiz: Quiz) -> None:
        editor.post(at("quiz_copy", quiz.pk), SUBMITTED | {"course": CourseFactory().pk, "title": "Smuggled"})
        assert not Lesson.objects.filter(title="Smuggled").exists()


class TestPreview:
    def test_every_kind_is_shown(self, programme: Programme, editor: Client) -> None:
        test = create_test(course=CourseFactory(programme=programme), title="All kinds", now=now())
        page = editor.get(at("quiz_look", test.pk), {"seed": "3"})
        shown = page.context["preview"].questions
        assert page.content.decode().count('class="card quiz-question"') == len(shown)
        assert {one.line.kind for one in shown} >= set(ItemKind) - {ItemKind.VIGNETTE, ItemKind.HOTSPOT, ItemKind.ESSAY}

    def test_it_shows_a_paper_and_writes_nothing(self, editor: Client, quiz: Quiz) -> None:
        page = editor.get(at("quiz_look", quiz.pk), {"seed": "7"}).content.decode()
        assert page.count('name="choice"') == 12
        assert "SECRET" not in page
        assert 'type="submit"' not in page.split("quiz-preview")[1].split("</main>")[0]
        assert not quiz.attempts.exists()

    @pytest.mark.parametrize("seed", ["x", "9" * 30, "-1", ""])
    def test_any_seed_is_one(self, editor: Client, quiz: Quiz, seed: str) -> None:
        assert editor.get(at("quiz_look", quiz.pk), {"seed": seed}).status_code == 200

    def test_without_a_question_it_says_so(self, editor: Client) -> None:
        empty = make_quiz(items=0)
        client = signed_in(RoleGrantFactory.create(programme=empty.lesson.course.programme).user)
        assert "There is no question in this test yet." in client.get(at("quiz_look", empty.pk)).content.decode()


class TestRights:
    def test_lists_have_one_s_own(self, editor: Client, quiz: Quiz) -> None:
        make_quiz()
        for name, row in (("quiz", quiz), ("section", quiz.sections.get())):
            assert list(editor.get(at(f"{name}_changelist")).context["cl"].result_list) == [row]

    @pytest.mark.parametrize("name", ["quiz_change", "quiz_look", "quiz_copy", "section_change", "quiz_hold"])
    def test_foreign_ones_are_not_there(self, editor: Client, name: str) -> None:
        foreign = make_quiz()
        address = at(name, foreign.pk if name.startswith("quiz") else foreign.sections.get().pk)
        for response in (editor.get(address), editor.post(address, SUBMITTED | {"reason": "x", "title": "x"})):
            assert response.status_code in {302, 403, 404}
        assert not foreign.pauses.exists()

    def test_only_who_runs_it_may_hold_it(self, editor: Client, quiz: Quiz, programme: Programme) -> None:
        for name in ("quiz_hold", "quiz_resume", "quiz_run"):
            assert editor.post(at(name, quiz.pk), SUBMITTED | {"reason": "x"}).status_code == 403
            assert at(name, quiz.pk) not in editor.get(at("quiz_change", quiz.pk)).content.decode()
        operator = signed_in(RoleGrantFactory.create(programme=programme, role=Role.OPERATOR).user)
        page = operator.get(at("quiz_change", quiz.pk)).content.decode()
        assert (at("quiz_hold", quiz.pk) in page, at("quiz_resume", quiz.pk) in page) == (True, False)

    def test_the_list_costs_the_same_for_one_row_and_for_three(self, editor: Client, quiz: Quiz) -> None:
        def cost() -> int:
            other = make_quiz(lesson__course=quiz.lesson.course)
            start(other, candidate_of(other))
            editor.get(at("quiz_changelist"))
            with CaptureQueriesContext(connection) as asked:
                editor.get(at("quiz_changelist"))
            return len(asked)

        assert len({cost() for _ in range(3)}) == 1
