"""The stop of the tour where answers are marked by people."""

from decimal import Decimal
from typing import Any

from django.db.models import F, TextField, Value
from django.db.models.functions import Concat

from assessments.domain.marking import mark_by_hand
from assessments.domain.remarking import correct_key, mark_again
from assessments.models import Answer, Attempt, Bank, HandMark, Item, MarkingTurn
from core.clock import now
from tests.assessments.sitting import hand_in, start
from tests.assessments.written import SHORT_KEY, marker_of, open_of, with_open, write
from tests.factories.assessments import candidate_of, make_item, make_quiz
from tests.i18n.tour import GREEK, Tour, doctors_browser, write_greek

RUBRIC = [{"id": "a", "text": GREEK, "points": "2"}, {"id": "b", "text": GREEK, "points": "1"}]
ACCEPTED = [{"text": f"{GREEK} {share}", "share": share} for share in ("1", "0.5", "0")]
WHY: dict[str, Any] = {"model": GREEK, "rationales": {"a": GREEK}}


def marking(tour: Tour) -> None:
    """The desk with something on it, an essay and a short answer, all that can be said of a mark, and nothing left."""
    essays = with_open(make_quiz(items=1, markers_needed=2), "essay", {"rubric": RUBRIC, **WHY}, GREEK)
    shorts = with_open(make_quiz(items=1), "short", {**SHORT_KEY, "accepted": ACCEPTED, "unsure": "0"}, GREEK)
    attempts = [write(essays, text=GREEK) for _ in range(3)]
    word = write(shorts, text=GREEK[:-2])
    _with_story(attempts[0])
    presenters = [marker_of(essays) for _ in range(3)]
    browsers = [doctors_browser(one) for one in presenters]
    word_marker = doctors_browser(marker_of(shorts))
    write_greek()
    Item.objects.update(name=Concat(Value(f"{GREEK} "), F("pk"), output_field=TextField()))
    first = _page(attempts[0])
    tour.read(browsers[0], "/", "marking: from the start page")
    tour.read(browsers[0], "/programmes/", "marking: from the programmes")
    tour.read(browsers[0], "/marking/", "marking: what waits")
    tour.read(browsers[0], f"/marking/{essays.pk}/", "marking: a test")
    tour.read(browsers[0], first, "marking: an essay")
    for given in ("", GREEK, "9", "1.234"):
        tour.read(browsers[0], first, f"marking: {given}", data={"criterion-a": given})
    good = {"criterion-a": "2", "criterion-b": "1", "comment": GREEK}
    tour.read(browsers[0], first, "marking: marked, and the next", data=good)
    tour.read(browsers[0], first, "marking: one's own mark", data={**good, "criterion-a": "1"})
    tour.read(browsers[0], first, "marking: changed", data={**good, "change": "1"})
    tour.read(browsers[1], first, "marking: the second", data={"criterion-a": "0", "criterion-b": "0"})
    tour.read(browsers[1], first, "marking: two differ")
    tour.read(browsers[2], first, "marking: to be decided")
    tour.read(browsers[2], f"/marking/{essays.pk}/", "marking: a test with a dispute")
    tour.read(browsers[2], first, "marking: not decided", data=good)
    tour.read(browsers[2], first, "marking: decided", data={**good, "disputed": "1"})
    tour.read(browsers[1], first, "marking: fixed")
    tour.read(browsers[0], f"{first}put-off/", "marking: not mine", data={"x": ""})
    answer = _page(word)
    tour.read(word_marker, answer, "marking: a short answer")
    tour.read(word_marker, answer, "marking: marked in one", data={"quick": "2"})
    tour.read(word_marker, answer, "marking: a result that stands")
    tour.read(word_marker, answer, "marking: a change needs a reason", data={"points": "1", "change": "1"})
    tour.read(word_marker, "/marking/", "marking: nothing waits")
    _before_others(tour, attempts, browsers, presenters)
    _given_to_everybody(tour)


def _given_to_everybody(tour: Tour) -> None:
    quiz = with_open(make_quiz(items=0), "true_false", {"right": True}, GREEK)
    doctor = candidate_of(quiz)
    attempt = hand_in(start(quiz, doctor))
    version = attempt.answers.select_related("version__item").get().version
    actor = marker_of(quiz)
    correct_key(version=version, key=version.key, gives_everybody=True, reason=GREEK, actor=actor, now=now())
    mark_again()
    write_greek()
    tour.read(doctors_browser(doctor), f"/attempts/{attempt.pk}/result/", "marking: given to everybody")


def _before_others(tour: Tour, attempts: list[Attempt], browsers: list[Any], presenters: list[Any]) -> None:
    """What waits is before others, and then only for others to say."""
    quiz = attempts[0].quiz
    MarkingTurn.objects.all().delete()
    for browser in browsers[:2]:
        tour.read(browser, f"/marking/{quiz.pk}/next/", "marking: a turn", data={"x": ""})
    taken = MarkingTurn.objects.first()
    assert taken is not None
    tour.read(browsers[2], f"/marking/answers/{taken.answer_id}/", "marking: before two others")
    Answer.objects.filter(attempt=attempts[2]).update(outcome="right", share=1, points=1)
    tour.read(browsers[2], f"/marking/{quiz.pk}/", "marking: busy")
    MarkingTurn.objects.all().delete()
    HandMark.objects.filter(answer__attempt=attempts[1]).delete()
    mark_by_hand(answer_id=open_of(attempts[1]).pk, marker=presenters[2], points=Decimal(1))
    tour.read(browsers[2], f"/marking/{quiz.pk}/", "marking: for others")


def _with_story(attempt: Attempt) -> None:
    story = make_item(bank=Bank.objects.earliest("pk"), kind="vignette", shown={}, key={}, stem=GREEK)
    attempt.paper["items"][1]["g"] = story.version_id
    attempt.save()


def _page(attempt: Attempt) -> str:
    return f"/marking/answers/{open_of(attempt).pk}/"


MARKING_STOPS = (marking,)
