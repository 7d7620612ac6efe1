"""Correcting a key in the office: what is right, who would change, confirming, and the trail."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent
from assessments.domain.analysis.report import make_report
from assessments.domain.key_trail import corrections_of, remarking_of
from assessments.domain.marking import mark_by_hand
from assessments.domain.remarking import (
    ChangedMeanwhileError,
    SameKeyError,
    correct_key,
    mark_again,
    preview_correction,
)
from assessments.models import Attempt, ItemVersion, KeyRevision, Quiz, ScoreChange
from core.clock import now
from tests.assessments.sitting import choose, hand_in, start
from tests.assessments.written import essay_quiz, marker_of, open_of, short_quiz, write
from tests.factories.accounts import UserFactory
from tests.factories.assessments import SINGLE, candidate_of, make_quiz
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def sat(quiz: Quiz, *choices: str | None) -> Attempt:
    attempt = start(quiz, candidate_of(quiz))
    for position, choice in enumerate(choices):
        choose(attempt, position, choice)
    return hand_in(attempt)


def first(quiz: Quiz) -> ItemVersion:
    pick = quiz.sections.get().picks.select_related("item__version__item").order_by("position")[0]
    assert pick.item
    assert pick.item.version
    return pick.item.version


def with_right(right: str) -> dict[str, Any]:
    return {**SINGLE["key"], "right": right}


class TestDomain:
    def test_everybody_gets_the_points_also_who_left_it_blank(self) -> None:
        quiz = make_quiz(items=2, pass_percent=100)
        wrong, blank, right = sat(quiz, "a", "b"), sat(quiz, None, "b"), sat(quiz, "b", "b")
        version = first(quiz)
        preview = preview_correction(version=version, key=version.key, gives_everybody=True)
        assert {one.attempt_id for one in preview.changes} == {wrong.pk, blank.pk}
        assert (preview.attempts, preview.gaining, preview.passing_now, preview.losing) == (3, 2, 2, 0)
        correct_key(
            version=version, key=version.key, gives_everybody=True, reason="Two right", actor=UserFactory(), now=now()
        )
        mark_again()
        assert [Attempt.objects.get(pk=one.pk).score for one in (wrong, blank, right)] == [2, 2, 2]
        assert sat(quiz, None, None).score == 1
        page = signed_in(blank.user).get(f"/attempts/{blank.pk}/result/").content.decode()
        assert page.count("Everybody was given the points of this question") == 1
        with pytest.raises(SameKeyError):
            preview_correction(version=version, key=version.key, gives_everybody=True)

    def test_the_preview_says_what_then_happens(self) -> None:
        """For every kind of change at once: gains, losses, passes, marks by hand, what a person has to say."""
        quiz = short_quiz(pass_percent=60)
        texts = ("granulosa cells", "theca cell", "theca cells", "nothing alike", "theca")
        attempts = [write(quiz, text=text) for text in texts]
        mark_by_hand(answer_id=open_of(attempts[1]).pk, marker=marker_of(quiz), points=Decimal(3))
        version = open_of(attempts[0]).version
        wanted = {**version.key, "accepted": [{"text": "theca cells", "share": "1"}], "unsure": "0.6"}
        preview = preview_correction(version=version, key=wanted)
        told = {one.attempt_id: (one.score_after, one.is_passed) for one in preview.changes}
        correct_key(version=version, key=wanted, reason="Why", actor=UserFactory(), stamp=preview.stamp, now=now())
        before = {one.pk: (one.score, one.is_passed) for one in attempts}
        mark_again()
        after = {one.pk: Attempt.objects.get(pk=one.pk) for one in attempts}
        changed = {pk: (one.score, one.is_passed) for pk, one in after.items()}
        before[attempts[1].pk] = (Decimal(4), True)
        assert told == {pk: stand for pk, stand in changed.items() if stand != before[pk]}
        assert len(told) == 3
        assert {change.attempt_id for change in ScoreChange.objects.all()} == set(told)

    def test_what_has_changed_since_the_preview_refuses_it(self) -> None:
        quiz = make_quiz(items=2)
        sat(quiz, "b")
        version, actor = first(quiz), UserFactory()

        def correct(stamp: str) -> KeyRevision:
            return correct_key(version=version, key=with_right("c"), reason="Why", actor=actor, stamp=stamp, now=now())

        stamp = preview_correction(version=version, key=with_right("c")).stamp
        sat(quiz, "c")
        with pytest.raises(ChangedMeanwhileError):
            correct(stamp)
        stamp = preview_correction(version=version, key=with_right("c")).stamp
        correct_key(version=version, key=with_right("d"), reason="Somebody else", actor=actor, now=now())
        with pytest.raises(ChangedMeanwhileError):
            correct(stamp)
        stamp = preview_correction(version=version, key=with_right("a")).stamp
        with pytest.raises(ChangedMeanwhileError):  # another key than the one that was looked at
            correct(stamp)
        correct(preview_correction(version=version, key=with_right("c")).stamp)
        assert AuditEvent.objects.filter(action="key.corrected", actor=actor).count() == 2

    def test_the_trail_tells_former_keys_people_and_how_far_it_is(self) -> None:
        quiz = make_quiz(items=1)
        for choice in "bcc":
            sat(quiz, choice)
        version, actor = first(quiz), UserFactory()
        correct_key(version=version, key=with_right("c"), reason="First", actor=actor, now=now())
        assert (remarking_of(item=version.item).done, remarking_of(item=version.item).total) == (0, 3)
        mark_again(most=2)
        assert remarking_of(item=version.item).done == 2
        mark_again()
        correct_key(version=version, key=with_right("c"), gives_everybody=True, reason="2nd", actor=actor, now=now())
        mark_again()
        assert remarking_of(item=version.item).is_over
        second, one = corrections_of(item=version.item)
        assert [row.label for row in one.before] == ["Option B"]
        assert [row.label for row in one.after] == ["Option C"]
        assert (one.changed, one.revision.made_by, one.revision.reason) == (3, actor, "First")
        assert (second.gave_everybody, second.revision.gives_everybody, second.changed) == (False, True, 1)


FORM = {"right": "c", "reason": "Two experts say C"}


class TestPages:
    def office(self, quiz: Quiz) -> Client:
        return signed_in(marker_of(quiz, Role.MODERATOR))

    def page(self, quiz: Quiz, name: str = "key") -> str:
        return f"/admin/assessments/item/{first(quiz).item_id}/{name}/"

    def test_from_the_form_over_the_preview_to_the_trail(self) -> None:
        quiz = make_quiz(items=2, pass_percent=100)
        sat(quiz, "b", "b")
        gains = sat(quiz, "c", "b")
        office = self.office(quiz)
        html = office.get(self.page(quiz)).content.decode()
        assert "2 finished attempts have this question" in html
        assert html.count('name="right"') == 4
        html = office.post(self.page(quiz), FORM).content.decode()
        assert "2 / 2" in html
        assert gains.user.get_full_name() in html
        assert "passes now" in html
        assert "no longer" in html
        assert not KeyRevision.objects.exists()
        stamp = html.split('name="stamp" value="')[1].split('"')[0]
        response = office.post(self.page(quiz), {**FORM, "do": "confirm", "stamp": stamp}, follow=True)
        assert response.redirect_chain[0][0] == self.page(quiz, "corrections")
        html = response.content.decode()
        assert "Two experts say C" in html
        assert "Being marked again: 0 of 2" in html
        assert "still being carried out: 0 of 2" in office.get(self.page(quiz)).content.decode()
        assert '<meta http-equiv="refresh"' in html
        mark_again()
        html = office.get(self.page(quiz, "corrections")).content.decode()
        assert "2 changed results" in html
        assert "Being marked again" not in html
        html = office.get(
            f"{self.page(quiz, 'corrections')}?correction={KeyRevision.objects.get().pk}"
        ).content.decode()
        assert gains.user.get_full_name() in html
        actions = AuditEvent.objects.filter(action__startswith="key.").order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["key.previewed", "key.corrected", "key.previewed"]
        assert (
            office.get(f"{self.page(quiz, 'corrections')}?correction=9{KeyRevision.objects.get().pk}").status_code
            == 404
        )

    def test_what_changed_meanwhile_is_said_and_shown_again(self) -> None:
        quiz = make_quiz(items=1)
        sat(quiz, "b")
        office = self.office(quiz)
        html = office.post(self.page(quiz), FORM).content.decode()
        stamp = html.split('name="stamp" value="')[1].split('"')[0]
        sat(quiz, "c")
        html = office.post(self.page(quiz), {**FORM, "do": "confirm", "stamp": stamp}).content.decode()
        assert "Something has changed since you looked" in html
        assert "2 / 2" in html
        assert not KeyRevision.objects.exists()
        stamp = html.split('name="stamp" value="')[1].split('"')[0]
        assert office.post(self.page(quiz), {**FORM, "do": "confirm", "stamp": stamp}).status_code == 302

    @pytest.mark.parametrize(
        ("form", "said"),
        [
            ({"right": "c", "reason": " "}, "Say why"),
            ({"right": "", "reason": "Why"}, "Say which answer is right."),
            ({"right": "z", "reason": "Why"}, "Select a valid choice"),
            ({"right": "b", "reason": "Why"}, "This is the key as it stands."),
            ({"right": "c", "reason": "Why", "do": "edit"}, "See who would change"),
        ],
    )
    def test_what_cannot_be_is_said_in_words(self, form: dict[str, str], said: str) -> None:
        quiz = make_quiz(items=1)
        sat(quiz, "b")
        html = self.office(quiz).post(self.page(quiz), form).content.decode()
        assert said in html
        assert "See who would change" in html
        assert not KeyRevision.objects.exists()

    def test_a_long_list_has_pages(self) -> None:
        quiz = make_quiz(items=1)
        attempts = [sat(quiz, "c") for _ in range(52)]
        office = self.office(quiz)
        assert "Page 1 of 2" in office.post(self.page(quiz), FORM).content.decode()
        html = office.post(self.page(quiz), {**FORM, "page": "2"}).content.decode()
        assert html.count('<th scope="row">') == 2
        assert attempts[-1].user.get_full_name() in html

    def test_an_older_version_and_one_that_is_not(self) -> None:
        quiz = make_quiz(items=1)
        version = first(quiz)
        newer = ItemVersion.objects.create(
            item=version.item, number=2, stem="Newer?", shown=version.shown, key=version.key, made_at=now()
        )
        version.item.version = newer
        version.item.save()
        office = self.office(quiz)
        assert "Newer?" in office.get(self.page(quiz)).content.decode()
        assert version.stem in office.get(f"{self.page(quiz)}?version=1").content.decode()
        for number in ("3", "x", "9" * 9):
            assert office.get(f"{self.page(quiz)}?version={number}").status_code == 404

    def test_the_way_there_from_the_question_and_from_the_figures(self) -> None:
        quiz = make_quiz(items=1)
        sat(quiz, "b")
        make_report(quiz=quiz, now=now())
        office = self.office(quiz)
        figures = office.get(f"/admin/assessments/analysisreport/{quiz.pk}/figures/").content.decode()
        assert f'href="{self.page(quiz)}?version=1"' in figures
        question = office.get(f"/admin/assessments/item/{first(quiz).item_id}/change/").content.decode()
        assert f'href="{self.page(quiz)}"' in question
        assert f'href="{self.page(quiz, "corrections")}"' in question
        assert f'href="{self.page(quiz)}"' in office.get(self.page(quiz, "write")).content.decode()

    def test_staff_of_another_programme_and_presenters_find_nothing(self) -> None:
        quiz, other = make_quiz(items=1), essay_quiz()
        foreign = self.office(other)
        for name in ("key", "corrections"):
            assert foreign.get(self.page(quiz, name)).status_code == 404
        assert foreign.post(self.page(quiz), FORM).status_code == 404
        presenter = signed_in(marker_of(quiz))
        assert presenter.get(self.page(quiz)).status_code == 302
        assert not AuditEvent.objects.filter(action__startswith="key.").exists()
