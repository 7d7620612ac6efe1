"""The stops of the tour at a doctor's own credit."""

from datetime import timedelta
from decimal import Decimal

from django.utils.timezone import now

from certification.domain.claiming import claim, correct_claim, revoke_claim
from certification.domain.issuing import issue, revoke
from certification.models import Accreditation, Activity, CertificateFile, Claim
from courses.models import Course
from tests.certification.ledgers import purge, tamper
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import CourseFactory
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
    _on_the_way(tour)


def _on_the_way(tour: Tour) -> None:
    """Certificates to come and there, a council that is not known, disclosures that were read too late."""
    live = make_live(starts_at=now() - timedelta(hours=3))
    doctor, course = doctor_of(live), live.lesson.course
    CertificateTemplateFactory.create(programme=course.programme)
    CourseFactory.create(programme=course.programme)
    watch(live, doctor)
    late, council = accredit(live, parameters={}), accredit(live, authority="india", council="gujarat")
    granted = make_live(starts_at=now() - timedelta(days=3), course=course)
    watch(granted, doctor)
    first, second = accredit(granted), accredit(granted, authority="attendance", credits=0)
    for one in (first, second):
        claim(accreditation=one, user=doctor, now=now())
    write_greek()
    doctor.refresh_from_db()
    Activity.objects.update(title=GREEK)
    browser = doctors_browser(doctor)
    tour.read(browser, "/credits/", "credits: certificates to come")
    for one in (late, council):
        tour.read(browser, f"/credits/{one.pk}/", f"credit: on the way, {one.authority}")
    certificates = [issue(of=each, now=now()) for each in Claim.objects.filter(user=doctor)]
    tour.read(browser, "/credits/", "credits: certificates being made")
    file = {"sha256": b"f" * 32, "size_bytes": 1, "stored_as": "x", "made_at": now()}
    CertificateFile.objects.create(certificate=certificates[0], **file)
    revoke(certificate=certificates[1], reason=GREEK, actor=None, now=now())
    type(doctor).objects.filter(pk=doctor.pk).update(medical_council=GREEK, first_name="", last_name="")
    Course.objects.filter(programme=course.programme).update(opens_at=now() + timedelta(days=1))
    tour.read(browser, "/credits/", "credits: certificates there")
    tamper("DELETE FROM certification_certificatefile")
    purge(user=doctor)
    tour.read(browser, f"/credits/{first.pk}/", "credit: certificate not kept")


CREDIT_STOPS = (credits_of_a_doctor,)
