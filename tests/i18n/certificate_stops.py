"""The stops of the tour at certificates and ledgers."""

from dataclasses import replace
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from certification.domain.chain import NewEntry, append, lock_chain
from certification.domain.files import make_file, pdf_of
from certification.domain.issuing import issue, reissue, revoke
from certification.domain.publishing import publish_heads
from certification.domain.transcript_file import make_transcript
from certification.enums import EntryKind
from certification.models import Activity, Certificate, Claim
from core.clock import now
from media.storages import media_storage
from tests.certification.earned import claim_of, completed_course, completed_programme, doctor, issuing_programme
from tests.certification.ledgers import grant_many, purge, tamper
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory
from tests.i18n.catalogue import CODE
from tests.i18n.tour import DAY, GREEK, Tour, doctors_browser, visitor


def ledger(tour: Tour) -> None:
    tour.read(visitor(), "/ledger/", "ledger: nothing published")
    grant_many(ProgrammeFactory.create(), 1)
    for number in range(51):
        publish_heads(now=now() + number * DAY)
    tour.read(visitor(), "/ledger/?page=1", "ledger: published")


def own(tour: Tour) -> None:
    """None, one of each kind, without a name, while the file is made, and when it is gone."""
    me = doctor(title="", first_name=GREEK, last_name=GREEK, language=CODE, timezone="UTC")
    browser = doctors_browser(me)
    tour.read(browser, "/certificates/", "certificates: none")
    programme = issuing_programme(slug="greek-certificates", title=GREEK, society=GREEK)
    course = completed_course(programme, user=me)
    course.course.title = GREEK
    first = issue(of=_greek(claim_of(programme, user=me)), now=now())
    revoke(certificate=issue(of=course, now=now()), reason=GREEK, actor=None, now=now())
    issue(of=completed_programme(programme, user=me), now=now())
    tour.read(browser, "/certificates/", "certificates: of each kind")
    tour.read(browser, f"/certificates/{first.public_id}/", "certificates: being made")
    purge()
    tour.read(browser, "/certificates/", "certificates: purged")
    tour.read(browser, f"/certificates/{first.public_id}/", "certificates: purged file", 410)
    tour.read(visitor(), f"/verify/{first.public_id}/", "verify: purged")
    nameless = UserFactory.create(
        title="", first_name="", last_name="", email="ελενη@example.org", language=CODE, timezone="UTC"
    )
    tour.read(doctors_browser(nameless), "/certificates/", "certificates: nameless")


def _greek(claim: Claim) -> Claim:
    Activity.objects.filter(pk=claim.accreditation.activity_id).update(title=GREEK)
    return Claim.objects.get(pk=claim.pk)


def _issued(slug: str) -> Certificate:
    me = doctor(title="", first_name=GREEK, last_name=GREEK, language=CODE, timezone="UTC")
    programme = issuing_programme(slug=slug, title=GREEK, society=GREEK)
    return issue(of=_greek(claim_of(programme, user=me)), now=now())


def _transcript(certificate: Certificate) -> bytes:
    name = make_transcript(user_id=certificate.user_id, language="en", now=now())
    assert name is not None
    with media_storage().open(name) as file:
        data: bytes = file.read()
    return data


def verifying(tour: Tour) -> None:
    browser = visitor()
    tour.read(browser, "/verify/")
    tour.read(browser, "/verify/?code=", "verify: nothing typed")
    tour.read(browser, f"/verify/{'A' * 26}/", "verify: unknown", 404)
    valid, replaced, revoked, altered = (_issued(f"greek-{number}") for number in range(4))
    tour.read(browser, f"/verify/{valid.public_id}/", "verify: valid")
    publish_heads(now=now())
    entry = NewEntry(
        EntryKind.CREDIT_CORRECTED, valid.user_id, claim_id=valid.claim_id, credits=Decimal("0.5"), reason=GREEK
    )
    append(chain=lock_chain(valid.programme), entries=[entry], now=now())
    tour.read(browser, f"/verify/{valid.public_id}/", "verify: corrected and published")
    nothing = replace(entry, credits=Decimal(0))
    append(chain=lock_chain(valid.programme), entries=[nothing], now=now())
    tour.read(browser, f"/verify/{valid.public_id}/", "verify: corrected to nothing")
    tour.read(doctors_browser(valid.user), "/certificates/", "certificates: corrected to nothing")
    with override_settings(CERTIFICATE_KEYS=(bytes(32),)):
        tour.read(browser, f"/verify/{revoked.public_id}/", "verify: key unknown")
        tour.read(doctors_browser(revoked.user), "/certificates/", "certificates: key unknown")
    reissue(certificate=replaced, reason=GREEK, actor=None, now=now())
    tour.read(browser, f"/verify/{replaced.public_id}/", "verify: replaced")
    make_file(certificate_id=revoked.pk, now=now())
    revoke(certificate=revoked, reason=GREEK, actor=None, now=now())
    tour.read(browser, f"/verify/{revoked.public_id}/", "verify: revoked")
    tamper("DELETE FROM certification_ledgerentry WHERE certificate_id = %s", altered.pk)
    tour.read(browser, f"/verify/{altered.public_id}/", "verify: altered")
    pdf = pdf_of(revoked)
    pdf_of_valid = pdf_of(Certificate.objects.select_related("template").get(pk=valid.pk))
    for label, data in (
        ("issued", pdf),
        ("altered", pdf + b" "),
        ("sealed", pdf_of_valid),
        ("transcript", _transcript(valid)),
        ("foreign", b"%PDF"),
    ):
        file = SimpleUploadedFile("c.pdf", data)
        tour.read(browser, "/verify/check/", f"verify: file {label}", data={"file": file})
    with override_settings(CERTIFICATE_KEYS=(bytes(32),)):
        file = SimpleUploadedFile("c.pdf", pdf_of_valid)
        tour.read(browser, "/verify/check/", "verify: file sealed by another key", data={"file": file})
    tour.read(browser, "/verify/check/", "verify: no file", 400, data={"file": ""})


CERTIFICATE_STOPS = (ledger, own, verifying)
