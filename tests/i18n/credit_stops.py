"""The stops of the tour at a doctor's own credit."""

from datetime import timedelta
from decimal import Decimal

from django.utils.timezone import now

from certification.domain.claiming import claim, correct_claim, revoke_claim
from certification.models import Accreditation, Activity
from tests.factories.deeds import accredit, doctor_of, feedback_form, make_enduring, make_live, watch
from tests.i18n.tour import GREEK, Tour, doctors_browser, write_greek


def credits_of_a_doctor(tour: Tour) -> None:
    """Nothing, then every state there is, then what was changed afterwards."""
    began = now() - timedelta(hours=3)
    live = make_live(starts_at=began)
    doctor = doctor_of(live)
    write_greek()
    tour.read(doctors_browser(doctor), "/credits/", "credits: none")
    course = live.lesson.course
    accreditations = [
        accredit(live),
        accredit(live, authority="eaccme"),
        accredit(live, authority="attendance", credits=0),
    ]
    accreditations.append(accredit(live, authority="india", council="gujarat"))
    feedback_form(live)
    watch(live, doctor, minutes=50)
    granted = make_live(starts_at=began - timedelta(days=30), course=course)
    watch(granted, doctor)
    council = accredit(granted, authority="india", council="gujarat")
    accreditations += [accredit(granted), council, accredit(granted, authority="attendance", credits=0)]
    enduring = make_enduring(starts_at=began)
    accreditations.append(accredit(enduring, parameters={}))
    write_greek()
    doctor.refresh_from_db()
    doctor.medical_council = "Gujarat Medical Council"
    doctor.save()
    Activity.objects.update(title=GREEK)
    Accreditation.objects.update(approval_code="4711")
    browser = doctors_browser(doctor)
    tour.read(browser, "/credits/", "credits: ready and missing")
    for one in accreditations[4:7]:
        tour.read(browser, f"/credits/{one.pk}/claim/", f"credit: taken, {one.authority}", data={"x": ""})
    tour.read(browser, f"/credits/{accreditations[4].pk}/claim/", "credit: taken before", data={"x": ""})
    tour.read(browser, f"/credits/{accreditations[0].pk}/claim/", "credit: no such amount", data={"credits": "9"})
    tour.read(browser, f"/credits/{accreditations[1].pk}/claim/", "credit: nothing to take", data={"x": ""})
    Activity.objects.filter(pk=live.pk).update(ends_at=now() + timedelta(hours=1))
    tour.read(browser, "/credits/", "credits: more by watching on")
    for one in accreditations[:4]:
        tour.read(browser, f"/credits/{one.pk}/", f"credit: {one.authority}")
    taken = claim(accreditation=council, user=doctor, now=now()).claim
    correct_claim(claim_id=taken.pk, credit=Decimal("0.5"), reason=GREEK, actor=doctor, now=now())
    tour.read(browser, "/credits/", "credits: granted")
    revoke_claim(claim_id=taken.pk, reason=GREEK, actor=doctor, now=now())
    tour.read(browser, f"/credits/{council.pk}/", "credit: revoked")
    tour.read(browser, "/credits/transcript.pdf", "credits: the transcript is being made")
    tour.read(browser, "/credits/", "credits: revoked")


CREDIT_STOPS = (credits_of_a_doctor,)
