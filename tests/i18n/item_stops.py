"""The stop of the tour where doctors meet every kind of question."""

from io import BytesIO
from typing import Any

from django.utils.timezone import now
from PIL import Image

from assessments.domain.images import add_image
from assessments.domain.submitting import finish
from assessments.enums import Outcome
from assessments.items import type_of
from assessments.models import Answer, Attempt, Item
from courses.enums import LessonKind
from tests.factories.assessments import SINGLE, BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import LessonFactory
from tests.i18n.tour import GREEK, Tour, doctors_browser, write_greek

SHOWN: dict[str, Any] = {"options": [{"id": name, "text": GREEK} for name in "abcd"]}
KEY: dict[str, Any] = {**SINGLE["key"], "rationale": GREEK, "rationales": {"b": GREEK}, "references": [GREEK]}
Made = tuple[dict[str, Any], dict[str, Any]]


def kinds_of_question(tour: Tour) -> None:
    """One of each kind on one page, answered rightly, wrongly and unreadably, and looked at afterwards."""
    quiz = make_quiz(items=0, pass_percent=50, answers_when="submitted")
    quiz.sections.update(title=GREEK)
    bank = BankFactory.create(programme=quiz.lesson.course.programme)
    picture = add_image(bank=bank, data=_picture(), description=GREEK)
    lecture = LessonFactory.create(course=quiz.lesson.course, kind=LessonKind.WEBINAR)
    for position, (kind, made) in enumerate(_questions(picture.pk).items(), 1):
        shown, key = type_of(kind).clean(shown=made[0], key=made[1])
        watch = (lecture, 60 * position if position % 2 else None)
        tags = [f"{GREEK} {position % 3}"]
        item = make_item(bank=bank, kind=kind, shown=shown, key=key, stem=GREEK, tags=tags, watch=watch)
        quiz.sections.get().picks.create(position=position, item=item)
    story = Item.objects.get(kind="vignette")
    make_item(bank=bank, vignette=story, position=1, shown=SHOWN, key=KEY, stem=GREEK)
    doctor = candidate_of(quiz)
    write_greek()
    browser = doctors_browser(doctor)
    tour.read(browser, f"/tests/{quiz.pk}/start/", "kinds: begun", data={"x": ""})
    attempt = Attempt.objects.get(quiz=quiz)
    address = f"/attempts/{attempt.pk}"
    for position, form in enumerate(_answers(attempt)):
        tour.read(browser, f"{address}/questions/{position}/", f"kinds: {position}", data=form)
    unreadable = {"number": GREEK, "choice": list("abcd"), "stem-2": list("abcd"), "point": ["1,1", "9,1", "1,9"]}
    for position in range(9):
        tour.read(browser, f"{address}/questions/{position}/", f"kinds: {position} unreadable", data=unreadable)
    tour.read(browser, f"{address}/finish/", "kinds: handed in", data={"x": ""})
    waiting = Answer.objects.filter(attempt=attempt, outcome=Outcome.WAITING)
    assert waiting.update(outcome=Outcome.WRONG, share=0, points=0) == 2
    finish(attempt=attempt, moment=now())
    page = tour.read(browser, f"{address}/result/", "kinds: result").content.decode()
    assert page.count('class="card"') >= 9
    missing = [name for name in ("quiz-topics", "quiz-watch", "quiz-rows", "quiz-story") if name not in page]
    assert missing == [], missing


def _picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (40, 30)).save(written, "PNG")
    return written.getvalue()


def _questions(picture: int) -> dict[str, Made]:
    entries = {"entries": [{"id": "a", "text": f"{GREEK} 1"}, {"id": "b", "text": f"{GREEK} 2"}]}
    stems = [{"id": "1", "text": GREEK}, {"id": "2", "text": GREEK, "most": 2}]
    number = {"answers": [{"right": "5", "tolerance": "5", "by": "percent"}], "factors": {GREEK: "1"}}
    return {
        "multiple": ({**SHOWN, "most": 2, "images": [picture]}, {**KEY, "right": ["a", "b"], "rule": "partial"}),
        "true_false": ({}, {**KEY, "right": True}),
        "matching": ({**SHOWN, "stems": stems}, {**KEY, "right": {"1": ["a"], "2": ["a", "b"]}}),
        "ordering": (entries, {**KEY, "right": ["b", "a"]}),
        "numeric": ({"units": [GREEK], "needs_unit": True}, {**KEY, **number}),
        "short": ({}, {**KEY, "accepted": [{"text": GREEK}], "unsure": "0"}),
        "essay": (
            {"least_words": 2, "most_words": 3},
            {**KEY, "rubric": [{"id": "a", "text": GREEK}], "model": GREEK},
        ),
        "hotspot": (
            {"image": picture, "size": [40, 30], "points": 2},
            {**KEY, "areas": [{"shape": "rect", "at": [0, 0, 20, 15]}] * 2},
        ),
        "vignette": ({"images": [picture]}, KEY),
    }


def _answers(attempt: Attempt) -> list[dict[str, Any]]:
    first, second = attempt.paper["items"][3]["o"]
    return [
        {"choice": ["a", "c"]},
        {"choice": "false"},
        {"stem-1": "a", "stem-2": ["a", "c"]},
        {f"place-{first}": "1", f"place-{second}": "2"},
        {"number": "5,5", "unit": GREEK},
        {"text": GREEK[:-2]},
        {"text": f"{GREEK} " * 4},
        {"point": ["2,1", "38,28"]},
        {"choice": "a"},
    ]


ITEM_STOPS = (kinds_of_question,)
