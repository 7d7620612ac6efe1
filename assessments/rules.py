"""Who may take which test and see which attempt. Whether a test is open today is another question (courses)."""

from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.enums import CONTENT_ROLES
from accounts.models import User
from assessments.enums import FINISHED_STATES, AttemptState, Outcome
from assessments.models import Answer, Attempt, Evaluation, HandMark, ItemImage, ItemVersion, Quiz
from core.prepared import Prepared
from courses.models import Course, RoleGrant
from courses.rules import Person, courses_for, has_role, lessons_for, programmes_with_role

Found = TypeVar("Found")


def quizzes_for(user: Person) -> QuerySet[Quiz]:
    courses = courses_for(user).order_by().values("pk")
    before = Course.prerequisites.through.objects.filter(from_course=OuterRef("lesson__course"))
    found = Quiz.objects.filter(lesson__course__in=courses).select_related("lesson__course__programme")
    return found.annotate(comes_after=Exists(before))


def _own(user: int, attempt: int) -> QuerySet[Attempt]:
    courses = courses_for(User(pk=user)).order_by().values("pk")
    return Attempt.objects.filter(pk=attempt, user=user, quiz__lesson__course__in=courses)


# Thousands ask these in the same minutes.
_quiz = Prepared[Quiz](lambda user, quiz: quizzes_for(User(pk=user)).filter(pk=quiz))
_attempt = Prepared[Attempt](
    lambda user, attempt: _own(user, attempt).select_related("quiz__lesson__course__programme")
)
_attempt_alone = Prepared[Attempt](_own)


def get_quiz_for(user: Person, quiz_id: int) -> Quiz:
    """With lesson, course and programme; 404 for an absent or foreign one."""
    if isinstance(user, User) and user.is_superuser:
        return _one(lambda: quizzes_for(user).filter(pk=quiz_id).first())
    return _one(lambda: _quiz.first(user=_id(user), quiz=quiz_id))


def get_attempt_for(user: Person, attempt_id: int) -> Attempt:
    """One's own, with its quiz, lesson, course and programme. Nobody sits in for anybody; staff read in the office."""
    return _one(lambda: _attempt.first(user=_id(user), attempt=attempt_id))


def get_sitting_for(user: Person, attempt_id: int) -> Attempt:
    """As `get_attempt_for`, without what belongs to it: every save of every doctor asks this."""
    return _one(lambda: _attempt_alone.first(user=_id(user), attempt=attempt_id))


def _id(user: Person) -> int:
    if not isinstance(user, User) or not user.is_active:
        raise Http404
    return user.pk


def _one(find: Callable[[], Found | None]) -> Found:
    try:
        found = find()
    except OverflowError as absent:
        raise Http404 from absent
    if found is None:
        raise Http404
    return found


def get_image_for(user: Person, image_id: int) -> ItemImage:
    """A picture on a paper of one's own, as far as that is open; any of a programme's for who teaches or marks there.

    404 otherwise.
    """
    if not isinstance(user, User) or not user.is_active:
        raise Http404
    try:
        image = ItemImage.objects.select_related("bank__programme").get(pk=image_id)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent
    if not _has_on_paper(user, image) and not has_role(user, *CONTENT_ROLES, programme=image.bank.programme):
        raise Http404
    return image


def _has_on_paper(user: User, image: ItemImage) -> bool:
    """Of a test without a way back only the questions up to the one it has come to. Two queries."""
    shows = Q(shown__images__contains=[image.pk]) | Q(shown__image=image.pk)
    versions = set(ItemVersion.objects.filter(shows, item__bank=image.bank_id).values_list("pk", flat=True))
    attempts = Attempt.objects.filter(user=user, quiz__lesson__in=lessons_for(user).order_by().values("pk"))
    for attempt in attempts.only("paper", "is_one_way", "reached", "state") if versions else ():
        items = attempt.paper["items"]
        if attempt.is_one_way and attempt.state == AttemptState.OPEN:
            items = items[: attempt.reached + 1]
        if any(entry["v"] in versions or entry.get("g") in versions for entry in items):
            return True
    return False


def marks_answers(user: Person) -> bool:
    """Whoever presents in a programme or is staff there marks its tests, also where there is none yet. One query."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or RoleGrant.objects.filter(user=user, role__in=CONTENT_ROLES).exists()


def marked_quizzes_for(user: Person) -> QuerySet[Quiz]:
    return Quiz.objects.filter(
        lesson__course__programme__in=programmes_with_role(user, *CONTENT_ROLES).values("pk")
    ).select_related("lesson__course__programme")


def require_marker(user: Person) -> None:
    if not marks_answers(user):
        raise PermissionDenied


def get_marked_quiz(user: Person, quiz_id: int) -> Quiz:
    """404 for an absent or foreign one; 403 for doctors who know the test, but mark nothing there."""
    quiz = get_quiz_for(user, quiz_id)
    if not has_role(user, *CONTENT_ROLES, programme=quiz.lesson.course.programme):
        raise PermissionDenied
    return quiz


def get_answer_to_mark(user: Person, answer_id: int) -> Answer:
    """One that waits for people or was marked by some, with its attempt and quiz; 404 for every other one."""
    by_people = Q(outcome=Outcome.WAITING) | Q(Exists(HandMark.objects.filter(answer=OuterRef("pk"))))
    try:
        return Answer.objects.select_related("attempt__quiz__lesson__course__programme").get(
            by_people,
            pk=answer_id,
            attempt__state__in=FINISHED_STATES,
            attempt__quiz__in=marked_quizzes_for(user).order_by().values("pk"),
        )
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent


def evaluations_for(user: Person) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(lesson__in=lessons_for(user).order_by().values("pk")).select_related(
        "lesson__course__programme", "form", "about"
    )


def get_evaluation_for(user: Person, evaluation_id: int) -> Evaluation:
    """With lesson, course, programme, form and what it asks about; 404 for an absent or foreign one."""
    if not isinstance(user, User) or not user.is_active:
        raise Http404
    try:
        return evaluations_for(user).get(pk=evaluation_id)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent
