"""From marked papers in the database to an author's report."""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments.domain.analysis import reading
from assessments.domain.analysis.gain import gain_of
from assessments.domain.analysis.reading import read_answers
from assessments.domain.analysis.report import analyse, make_report
from assessments.models import AnalysisReport, Answer, ItemVersion, Quiz
from core.clock import now
from tests.assessments.figures_world import sat, versions_of
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, candidate_of, make_item, make_quiz

pytestmark = pytest.mark.django_db


def exam(items: int = 6, people: int = 40) -> tuple[Quiz, list[ItemVersion]]:
    """Person p of n knows about p / n of it; of the first question the key is wrong: who knows chooses c."""
    quiz = make_quiz(items=0)
    bank = BankFactory.create(programme=quiz.lesson.course.programme)
    versions = versions_of([make_item(bank=bank, name=f"Question {number}") for number in range(items)])
    rng = np.random.default_rng(3)
    for person in range(people):
        knows = rng.random(items) < 0.15 + 0.7 * person / people
        choices = ["b" if known else str(rng.choice(["a", "c", "d"])) for known in knows]
        choices[0] = "c" if person > people / 2 else str(rng.choice(["a", "b"]))
        if person == 0:
            choices[-1] = ""
        sat(quiz, versions, [one or None for one in choices])
    return quiz, versions


class TestReading:
    @pytest.mark.parametrize("chunk", [64, 1_000, 1_000_000])
    def test_every_answer_of_an_attempt_that_counts_and_no_other(
        self, chunk: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In chunks of a row, of some, of all."""
        monkeypatch.setattr(reading, "_CHUNK_BYTES", chunk)
        quiz, versions = exam(items=4, people=9)
        other, _ = exam(items=1, people=2)
        sat(quiz, versions, ["b"] * 4, counts=False)
        sat(quiz, versions[1:], ["b", None, "a"])  # another paper
        answers = read_answers(quiz=quiz)
        item = answers.item_of_rows()
        found = {
            (
                int(answers.attempts[answers.person[row]]),
                int(answers.versions[item[row]]),
                float(answers.share[row]),
                float(answers.points[row]),
                int(answers.seconds[row]),
                bool(answers.is_blank[row]),
            )
            for row in range(len(answers.person))
        }
        rows = Answer.objects.filter(attempt__quiz=quiz, attempt__counts=True)
        expected = {
            (
                one.attempt_id,
                one.version_id,
                float(one.share or 0),
                float(one.points or 0),
                one.seconds,
                one.value is None,
            )
            for one in rows
        }
        assert found == expected
        assert len(found) == 9 * 4 + 3
        assert other.attempts.count() == 2

    def test_sums_are_those_of_the_papers(self) -> None:
        quiz, versions = exam(items=4, people=6)
        sat(quiz, versions[2:], ["b", "b"])
        answers = read_answers(quiz=quiz)
        kept = {one.pk: (float(one.score or 0), float(one.most_points)) for one in quiz.attempts.all()}
        assert {
            int(pk): (float(total), float(most))
            for pk, total, most in zip(answers.attempts, answers.total, answers.total_most, strict=True)
        } == kept
        assert answers.most.tolist() == [1, 1, 1, 1]

    def test_equal_answers_have_equal_hashes_and_others_do_not(self) -> None:
        quiz, versions = exam(items=2, people=8)
        answers = read_answers(quiz=quiz)
        rows = answers.rows_of(1)
        said = {
            int(answers.attempts[person]): int(value)
            for person, value in zip(answers.person[rows], answers.value[rows], strict=True)
        }
        stored = dict(
            Answer.objects.filter(version=versions[1], value__isnull=False).values_list("attempt", "value__choice")
        )
        pairs = {(stored[attempt], value) for attempt, value in said.items() if attempt in stored}
        assert len(pairs) == len(set(stored.values()))


class TestReport:
    def test_a_wrong_key_is_found_and_said_in_plain_words(self) -> None:
        quiz, _ = exam()
        report = analyse(quiz=quiz)
        first, *others = report.items
        assert [flag.code for flag in first.flags][:2] == ["key", "negative"]
        assert first.flags[0].advice == "Option C attracts the best candidates: check the key."
        assert not {"key", "negative"} & {flag.code for item in others for flag in item.flags}
        assert [(one.label[:1], one.is_right) for one in first.choices[:-1]] == [
            ("A", False),
            ("B", True),
            ("C", False),
            ("D", False),
        ]
        assert report.items[-1].choices[-1].people == 1  # left blank

    def test_the_figures_are_those_of_the_stored_marks(self) -> None:
        quiz, versions = exam()
        report = analyse(quiz=quiz)
        assert (report.people, report.length, sum(report.bins)) == (40, 6, 40)
        for item, version in zip(report.items, versions, strict=True):
            rows = Answer.objects.filter(version=version)
            assert item.figures.facility == pytest.approx(float(np.mean([one.share or 0 for one in rows])))
            assert item.figures.people == 40
            assert (item.version, item.name) == (version.pk, version.item.name)
        assert [item.figures.seconds for item in report.items] == [10, 20, 30, 40, 50, 60]
        assert report.model is None  # too few people
        assert report.reliability.is_dichotomous

    def test_another_version_is_another_question(self) -> None:
        quiz, versions = exam(items=3, people=5)
        old = versions[0]
        new = ItemVersion.objects.create(
            item=old.item, number=2, stem="Better words?", shown=old.shown, key=old.key, made_at=now()
        )
        sat(quiz, [new, *versions[1:]], ["b", "b", "b"])
        report = analyse(quiz=quiz)
        assert [(one.item, one.number, one.figures.people) for one in report.items if one.item == old.item_id] == [
            (old.item_id, 1, 5),
            (old.item_id, 2, 1),
        ]

    def test_it_takes_as_many_queries_for_six_questions_as_for_three(self) -> None:
        counts = []
        for items in (3, 6):
            quiz, _ = exam(items=items, people=4)
            with CaptureQueriesContext(connection) as queries:
                analyse(quiz=quiz)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_what_doctors_really_hand_in_is_what_is_analysed(self) -> None:
        quiz = make_quiz(items=3)
        for right in (0, 1, 3):
            attempt = start(quiz, candidate_of(quiz))
            for position in range(right):
                choose(attempt, position, "b")
            hand_in(attempt)
        start(quiz, candidate_of(quiz))
        report = analyse(quiz=quiz)
        assert report.people == 3
        assert [round(item.figures.facility, 3) for item in report.items] == [0.667, 0.333, 0.333]
        assert [item.choices[-1].people for item in report.items] == [1, 2, 2]

    def test_a_test_that_nobody_took_has_an_empty_one(self) -> None:
        report = analyse(quiz=make_quiz())
        assert (report.people, report.items, report.mean, report.gain) == (0, [], None, None)
        assert json.loads(json.dumps(report.to_json()))["reliability"]["alpha"] is None


class TestGain:
    def test_only_who_took_both_counts_by_the_attempts_that_count(self) -> None:
        before = make_quiz(items=0, kind="pre_test")
        after = make_quiz(items=0, kind="post_test", pre_test=before)
        bank = BankFactory.create(programme=before.lesson.course.programme)
        versions = versions_of([make_item(bank=bank) for _ in range(4)])
        for first, second in ((1, 3), (2, 3), (0, 4)):
            user = UserFactory.create()
            sat(before, versions, ["b"] * first + ["a"] * (4 - first), user=user)
            sat(after, versions, ["b"] * second + ["a"] * (4 - second), user=user)
        sat(before, versions, ["b"] * 4)
        sat(after, versions, ["b"] * 4)
        gain = gain_of(quiz=after)
        assert gain is not None
        assert (gain.people, gain.before, gain.rose) == (3, 25, 1)
        assert gain.after == pytest.approx(250 / 3)
        assert gain.normalised == pytest.approx((250 / 3 - 25) / 75)
        assert gain_of(quiz=before) is None


class TestCommand:
    def test_it_prints_a_table_with_advice(self) -> None:
        quiz, _ = exam()
        out = StringIO()
        call_command("item_analysis", str(quiz.pk), stdout=out)
        text = out.getvalue()
        assert "40 doctors, 6.0 questions each" in text
        assert "Option C attracts the best candidates: check the key." in text
        assert text.count("Question ") == 6

    def test_as_json_it_is_the_report_and_keeps_it_for_the_page(self) -> None:
        quiz, versions = exam(people=8)
        out = StringIO()
        call_command("item_analysis", str(quiz.pk), "--json", stdout=out)
        said = json.loads(out.getvalue())
        assert [one["version"] for one in said["items"]] == [one.pk for one in versions]
        assert AnalysisReport.objects.get(quiz=quiz).report == said

    def test_a_test_that_does_not_exist_is_said(self) -> None:
        with pytest.raises(CommandError, match="no test 999999"):
            call_command("item_analysis", "999999")


def test_a_report_replaces_the_one_before() -> None:
    quiz, versions = exam(items=3, people=4)
    make_report(quiz=quiz, now=now())
    sat(quiz, versions, ["b", "b", "b"])
    moment = now()
    make_report(quiz=quiz, now=moment)
    kept = AnalysisReport.objects.get()
    assert (kept.report["people"], kept.made_at, kept.asked_at) == (5, moment, None)
