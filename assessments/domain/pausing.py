"""Holding a test: nobody saves, starts or runs out of time until it goes on. Going on gives everybody the time back."""

from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from assessments.models import Pause, Quiz
from core.clock import database_now

_GIVE_BACK = """
UPDATE assessments_attempt SET deadline_at = deadline_at + (%(now)s - greatest(%(began)s, started_at))
WHERE quiz_id = %(quiz)s AND state = 'open' AND deadline_at + make_interval(secs => grace_seconds) >= %(began)s
"""


class PauseError(Exception):
    """Nothing was changed; `message` is for the operator."""

    message: Any = _("The test is not being held.")


def hold_test(*, quiz: Quiz, reason: str, actor: User, request: HttpRequest | None = None) -> Pause:
    """Idempotent: while it is held already, that pause comes back. `reason` is what doctors read."""
    with transaction.atomic():
        Quiz.objects.select_for_update(no_key=True).get(pk=quiz.pk)
        standing = Pause.objects.filter(quiz=quiz, ended_at=None).first()
        if standing is not None:
            return standing
        moment = database_now()
        made: Pause = Pause.objects.create(quiz=quiz, began_at=moment, reason=reason, began_by=actor)
        audit.record("quiz.held", actor=actor, subject=quiz, request=request, details={"reason": reason}, now=moment)
        return made


def resume_test(*, quiz: Quiz, actor: User, request: HttpRequest | None = None) -> int:
    """How many open attempts were given their time back. Raises PauseError.

    Whose time had run out before the pause began stays out of time.
    """
    with transaction.atomic():
        Quiz.objects.select_for_update(no_key=True).get(pk=quiz.pk)
        pause = Pause.objects.filter(quiz=quiz, ended_at=None).first()
        if pause is None:
            raise PauseError
        moment = database_now()
        pause.ended_at, pause.ended_by = moment, actor
        pause.save(update_fields=["ended_at", "ended_by"])
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, {"now": moment, "began": pause.began_at, "quiz": quiz.pk})
            moved = int(cursor.rowcount)
        details = {"seconds": round((moment - pause.began_at).total_seconds()), "attempts": moved}
        audit.record("quiz.resumed", actor=actor, subject=quiz, request=request, details=details, now=moment)
        return moved
