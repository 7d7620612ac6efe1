"""When the figures of a test are worked out: by themselves at most once an hour while marks change, and when asked."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from assessments.domain.ranking import state_of_attempts
from assessments.models import AnalysisReport, Attempt, Quiz

REST = timedelta(hours=1)  # seconds of work for a large test


def ask_for_report(*, quiz_id: int, now: datetime) -> None:
    """A sweep answers within a minute or so, even where the bell is lost."""
    AnalysisReport.objects.update_or_create(quiz_id=quiz_id, defaults={"asked_at": now})
    transaction.on_commit(_ring)


def make_due_reports(*, now: datetime) -> int:
    """For a sweep. How many were made."""
    from assessments.domain.analysis.report import make_report  # numpy, which pages do without

    counted = Attempt.objects.filter(quiz=OuterRef("pk"), counts=True)
    asked = Q(analysis__asked_at__isnull=False)
    rested = Q(analysis=None) | Q(analysis__made_at=None) | Q(analysis__made_at__lte=now - REST)
    due = Quiz.objects.filter(asked | rested & Exists(counted)).select_related("analysis").order_by("pk")
    made = 0
    for quiz in due:
        kept = getattr(quiz, "analysis", None)
        if kept is None or kept.asked_at is not None or kept.made_at is None or _has_changed(quiz, kept):
            make_report(quiz=quiz, now=now)
            made += 1
    return made


def _has_changed(quiz: Quiz, kept: AnalysisReport) -> bool:
    return bool(kept.report.get("state") != state_of_attempts(quiz.pk))


def _ring() -> None:
    from assessments.tasks import make_due_reports as bell

    bell.delay()
