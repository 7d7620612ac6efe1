"""Credit for the browser tests: a programme of its own, so that no other page changes. One of every state."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

DOCTORS = ("axe", "credits")


def build_credits(people: dict[str, dict[str, str]]) -> dict[str, int]:
    """For the doctors that look at it, else for somebody. Ids of accreditations."""
    from django.utils.timezone import now

    from accounts.models import User
    from certification.domain.claiming import claim, correct_claim, revoke_claim
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import CourseFactory, EnrolmentFactory, ProgrammeFactory
    from tests.factories.deeds import accredit, feedback_form, make_enduring, make_live, watch
    from tests.factories.webinars import WebinarFactory

    doctors = [User.objects.get(pk=people[name]["id"]) for name in DOCTORS if name in people]
    doctors = doctors or [UserFactory.create(registration_number="48213")]
    User.objects.filter(pk__in=[one.pk for one in doctors]).update(medical_council="Maharashtra Medical Council")
    programme = ProgrammeFactory.create(slug="accredited", title="Fertility care, accredited", timezone="Asia/Kolkata")
    course = CourseFactory.create(programme=programme, title="Ovarian stimulation")
    lately = now() - timedelta(hours=4)

    def live(title: str, starts_at: datetime = lately) -> Any:
        made = make_live(starts_at=starts_at, course=course)
        made.title = made.lesson.title = title
        made.save()
        made.lesson.save()
        return made

    granted = live("Individualised stimulation: which dose for whom?", lately - timedelta(days=40))
    ready = live("Trigger and luteal phase support")
    missing = live("Ovarian hyperstimulation: prevention before treatment")
    revoked = live("Add-ons: what the evidence says", lately - timedelta(days=400))
    feedback_form(missing)
    lecture = WebinarFactory.create(lesson__course=course, lesson__title="Poor responders, a case discussion")
    recording = make_enduring(starts_at=lately, lesson=lecture.lesson)
    ids = {
        "granted": accredit(granted),
        "ready": accredit(ready),
        "missing": accredit(missing, authority="eaccme"),
        "attended": accredit(granted, authority="attendance", credits=Decimal(0)),
        "council": accredit(granted, authority="india", council="maharashtra", credits=Decimal(2)),
        "recording": accredit(recording),
        "revoked": accredit(revoked),
    }
    for doctor in doctors:
        EnrolmentFactory.create(user=doctor, programme=programme)
        doctor.refresh_from_db()
        for activity, minutes in ((granted, 60), (ready, 47), (missing, 60), (revoked, 60)):
            watch(activity, doctor, minutes=minutes)
        for name in ("granted", "attended", "council", "revoked"):
            then = revoked.ends_at + timedelta(days=1) if name == "revoked" else now()
            taken = claim(accreditation=ids[name], user=doctor, now=then)
            reasoned: dict[str, Any] = {"claim_id": taken.claim.pk, "actor": doctor, "now": now()}
            if name == "granted":
                correct_claim(credit=Decimal("0.75"), reason="The last quarter was an organisational part.", **reasoned)
            if name == "revoked":
                revoke_claim(reason="The accreditation was withdrawn.", **reasoned)
    return {name: one.pk for name, one in ids.items()}
