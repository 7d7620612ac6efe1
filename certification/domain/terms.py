"""An accreditation's row as the rule packs read it, and the rules that hold on a day."""

from datetime import date, datetime, timedelta

from certification.authorities import pack_of
from certification.authorities.base import Evidence, RulePack, Terms
from certification.authorities.cycles import day_in
from certification.enums import Format
from certification.models import Accreditation, Activity

INSTANT = timedelta(microseconds=1)
# After an activity's end feedback still counts, a live event's test too, and credit can be taken. Then it closes.
SETTLING = timedelta(weeks=8)


def terms_of(accreditation: Accreditation) -> Terms:
    """Reads activity, lesson, course and programme. Days without one of their own are those of the activity."""
    activity = accreditation.activity
    starts_on, ends_on = window_days(activity)
    ends_on = accreditation.valid_until or ends_on
    is_enduring = activity.format == Format.ENDURING
    return Terms(
        credits=accreditation.credits,
        minutes=activity.minutes or 0,
        format=activity.format,
        approval_code=accreditation.approval_code,
        council=accreditation.council,
        starts_on=accreditation.valid_from or starts_on,
        ends_on=ends_on,
        done_by=ends_on + SETTLING if ends_on else None,
        released_on=starts_on if is_enduring else None,
        reviewed_on=activity.reviewed_on,
        parameters=accreditation.parameters,
    )


def window_days(activity: Activity) -> tuple[date | None, date | None]:
    """First and last day of an activity in its zone. One that ends at midnight ends on the day before."""
    zone = zone_of(activity)
    first = day_in(activity.starts_at, zone) if activity.starts_at else None
    last = day_in(activity.ends_at - INSTANT, zone) if activity.ends_at else None
    return first, last


def zone_of(activity: Activity) -> str:
    """The programme's home: everybody's days are counted on that wall."""
    return activity.lesson.course.programme.timezone


def rules_for(accreditation: Accreditation, *, evidence: Evidence, terms: Terms, now: datetime) -> RulePack:
    """Those of the day that counts, which the rules know. Raises NoPackError and ParameterError."""
    known = pack_for(accreditation, on=evidence.took_part_on, now=now)
    return pack_for(accreditation, on=known.day_of(evidence, terms), now=now)


def is_settled(activity: Activity, *, now: datetime) -> bool:
    """Its time is over, also that of what may follow on it."""
    return activity.ends_at is not None and activity.ends_at + SETTLING <= now


def pack_for(accreditation: Accreditation, *, on: date | None, now: datetime) -> RulePack:
    """The rules of the day of taking part; before that of today. Raises NoPackError."""
    day = on or day_in(now, zone_of(accreditation.activity))
    return pack_of(accreditation.authority, on=day)
