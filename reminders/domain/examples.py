"""Values for whoever writes words: of a real doctor where there is something to say of them, else invented ones."""

from collections.abc import Callable, Mapping
from datetime import datetime

from accounts.models import User
from assessments.models import Evaluation
from certification.models import Certificate
from courses.models import Course, CourseCompletion, Programme
from reminders.domain.values import OF_RECORDINGS, OF_WEBINARS, Values, values_for
from reminders.enums import Channel, Kind
from reminders.models import Delivery
from reminders.rendering.placeholders import samples
from webinars.models import WatchRecord, Webinar


def example(kind: str, *, user: User | None, programme: Programme | None, now: datetime) -> Values:
    """What a message of this kind could say to this person today. Nothing is written.

    What is not known of them (no webinar, no certificate yet) is as in the samples, so that all words can be seen.
    """
    invented = samples(kind)
    if user is None or programme is None:
        return Values(invented, "/")
    one = Delivery(
        pk=0,
        programme=programme,
        user=user,
        kind=kind,
        subject=_SUBJECTS.get(kind, _of_programme)(user, programme, now),
        channel=Channel.EMAIL,
        due_at=now,
    )
    found = values_for([one], now=now).get(0)
    if found is None:
        return Values(invented | _of_person(user, programme), "/")
    return Values(invented | {name: said for name, said in found.placeholders.items() if said}, found.path)


def _of_person(user: User, programme: Programme) -> dict[str, str]:
    return {
        "doctor.name": user.get_full_name(),
        "doctor.short_name": user.get_short_name(),
        "programme.title": programme.title,
    }


def _of_programme(user: User, programme: Programme, now: datetime) -> str:
    return f"programme/{programme.pk}"


def _webinar(user: User, programme: Programme, now: datetime) -> str:
    """The next one; where none is coming, the last one."""
    dated = Webinar.objects.filter(lesson__course__programme=programme, starts_at__isnull=False)
    found = dated.filter(starts_at__gt=now).order_by("starts_at").first() or dated.order_by("-starts_at").first()
    return f"webinar/{found.pk}" if found else ""


def _recording(user: User, programme: Programme, now: datetime) -> str:
    """What this person watched last; else any with a recording."""
    of_programme = Webinar.objects.filter(lesson__course__programme=programme)
    record = WatchRecord.objects.filter(user=user, webinar__in=of_programme).order_by("-last_beat_at").first()
    if record is not None:
        return f"webinar/{record.webinar_id}"
    found = of_programme.exclude(video=None).order_by("pk").first()
    return f"webinar/{found.pk}" if found else ""


def _evaluation(user: User, programme: Programme, now: datetime) -> str:
    found = Evaluation.objects.filter(lesson__course__programme=programme).order_by("pk").first()
    return f"lesson/{found.lesson_id}" if found else ""


def _course(user: User, programme: Programme, now: datetime) -> str:
    done = CourseCompletion.objects.filter(user=user, course__programme=programme).order_by("-completed_at").first()
    if done is not None:
        return f"course/{done.course_id}"
    found = Course.objects.filter(programme=programme).order_by("position").first()
    return f"course/{found.pk}" if found else ""


def _certificate(user: User, programme: Programme, now: datetime) -> str:
    found = Certificate.objects.filter(user=user, programme=programme).order_by("-issued_at").first()
    return f"certificate/{found.pk}" if found else ""


_SUBJECTS: Mapping[str, Callable[[User, Programme, datetime], str]] = {
    **dict.fromkeys(OF_WEBINARS, _webinar),
    **dict.fromkeys(OF_RECORDINGS, _recording),
    Kind.EVALUATION: _evaluation,
    Kind.COURSE_COMPLETED: _course,
    Kind.CERTIFICATE_READY: _certificate,
}
