"""The stops of the tour about credit."""

from datetime import timedelta

from django.core import mail
from django.utils import translation
from django.utils.timezone import now

from accounts.enums import Role
from certification.domain.disclosure_mail import send_queued
from certification.domain.disclosures import ask, withdraw
from certification.domain.my_data import tell_office
from certification.domain.sheets import refresh_sheet
from certification.enums import ContributorRole, DisclosureStanding, RelationshipKind
from certification.models import DisclosureRequest
from tests.certification.audited import make_audited
from tests.certification.test_disclosure_pages import NONE, ROW
from tests.certification.test_disclosures import token_in
from tests.factories.accounts import UserFactory
from tests.factories.certification import (
    AccreditationFactory,
    ActivityFactory,
    ContributorFactory,
    DiscloserFactory,
    disclose,
)
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.i18n.catalogue import CODE
from tests.i18n.reader import untranslated, untranslated_text
from tests.i18n.tour import GREEK, Tour, doctors_browser, visitor, write_greek

ALL = [{"company": GREEK, "relationship": kind, "ended": True} for kind in RelationshipKind.values]


def stating(tour: Tour) -> None:
    """The request as a mail, the form in its states, the thanks, and links that do not work."""
    person = DiscloserFactory.create(name=GREEK, programme__title=GREEK)
    UserFactory.create(email=person.email, language=CODE)
    ask(person=person, actor=None, now=now())
    send_queued(now=now())
    message = mail.outbox.pop()
    tour.note("disclosure: subject", untranslated_text(str(message.subject)))
    tour.note("disclosure: text", untranslated_text(str(message.body)))
    tour.note("disclosure: HTML", untranslated(str(message.alternatives[0][0])))  # type: ignore[attr-defined]
    path = f"/disclosures/{token_in(message)}/"
    given = {name: GREEK if name == "signed_name" else value for name, value in NONE.items()}
    row = {**ROW, "row-1-company": GREEK, "has_any": "yes"}
    browser = visitor()
    tour.read(browser, path, "disclosure: asked")
    tour.read(browser, path, "disclosure: nothing said", 422, data={**given, "has_any": "", "signed_name": ""})
    tour.read(browser, path, "disclosure: yes, but none", 422, data={**given, "has_any": "yes"})
    tour.read(browser, path, "disclosure: no, but some", 422, data={**given, **row, "has_any": "no"})
    tour.read(browser, path, "disclosure: half a row", 422, data={**given, **row, "row-1-company": ""})
    tour.read(browser, path, "disclosure: other half", 422, data={**given, **row, "row-1-relationship": ""})
    tour.read(browser, path, "disclosure: none", data=given)
    tour.read(browser, path, "disclosure: some", data={**given, **row})
    disclose(person, interests=ALL, days=0)
    tour.read(browser, path, "disclosure: anew")
    tour.read(browser, f"{path}thanks/", "disclosure: all kinds")
    DisclosureRequest.objects.update(created_at=now() - timedelta(days=90), expires_at=now() - timedelta(days=1))
    tour.read(browser, path, "disclosure: too old", 410)
    DisclosureRequest.objects.update(expires_at=now() + timedelta(days=1))
    withdraw(person=person, actor=None, now=now())
    tour.read(browser, path, "disclosure: withdrawn", 410)
    tour.read(browser, "/disclosures/nobodys/", "disclosure: unknown", 404)


def reading(tour: Tour) -> None:
    webinar = WebinarFactory.create(lesson__title=GREEK, lesson__course__programme__title=GREEK)
    lesson = webinar.lesson
    activity = ActivityFactory.create(lesson=lesson, format="enduring", title=GREEK, objectives=GREEK, sources=GREEK)
    told = {"provider": GREEK, "approval_code": "4711", "valid_until": activity.ends_at.date()}
    for authority, council in (("accme", ""), ("eaccme", ""), ("india", "gujarat"), ("attendance", "")):
        AccreditationFactory.create(activity=activity, authority=authority, council=council, **told)
    paid, free = DiscloserFactory.create_batch(2, name=GREEK, programme=lesson.course.programme)
    disclose(paid, interests=ALL, decision="mitigated", mitigation=GREEK)
    for role in ContributorRole:
        ContributorFactory.create(activity=activity, person=paid, role=role)
    ContributorFactory.create(activity=activity, person=free)
    refresh_sheet(activity=activity, now=now())
    doctor = EnrolmentFactory.create(programme=lesson.course.programme).user
    write_greek()
    browser = doctors_browser(doctor)
    tour.read(browser, f"/webinars/{webinar.pk}/", "disclosures before the start")
    tour.read(browser, f"/activities/{activity.pk}/disclosures/", "disclosures changed", data={"shown": ""})
    with translation.override(CODE):
        tour.note("standings", [word for one in DisclosureStanding for word in untranslated(f"<p>{one.label}</p>")])


def own_data(tour: Tour) -> None:
    """The page before and after asking, what erasing leaves, the office's mail, and who still has work."""
    mine = make_audited()
    RoleGrantFactory.create(role=Role.OPERATOR, programme=None, user__email="ηρα@example.org", user__language=CODE)
    write_greek()
    browser = doctors_browser(mine.doctor)
    tour.read(browser, "/account/data/", "my data")
    tour.read(browser, "/account/data/erasure/", "my data: erasure")
    tour.read(browser, "/account/data/erasure/", "my data: asked", data={"x": ""})
    tell_office(now=now())
    message = mail.outbox.pop()
    tour.note("erasure: subject", untranslated_text(str(message.subject)))
    tour.note("erasure: text", untranslated_text(str(message.body)))
    tour.note("erasure: HTML", untranslated(str(message.alternatives[0][0])))  # type: ignore[attr-defined]
    tour.read(browser, "/account/data/erasure/withdraw/", "my data: withdrawn", data={"x": ""})
    RoleGrantFactory.create(user=mine.doctor)
    tour.read(doctors_browser(mine.doctor), "/account/data/erasure/", "my data: work to hand over")


CERTIFICATION_STOPS = (stating, reading, own_data)
