"""What a certificate says and how it looks, put together once and kept with it, words included.

`Certificate.facts` is {"facts", "look", "logo": SHA-256, "signatures": [SHA-256], "template": version, "engine"}.
Whatever is changed later, a name, a title, a translation, changes no certificate that was issued before.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from certification.authorities import pack_of
from certification.domain.terms import terms_of
from certification.enums import AuthorityKey
from certification.models import CertificateTemplate, Claim, LedgerEntry
from certification.printing import text
from certification.printing.document import engine
from certification.printing.facts import (
    CertificateFacts,
    Credit,
    FactError,
    Labels,
    Look,
    Signatory,
    freeze,
    thaw_facts,
    thaw_look,
)
from courses.models import CourseCompletion, Enrolment, Programme

Source = Claim | CourseCompletion | Enrolment


# What may be wrong, as the person who can put it right knows it.
FIELDS = {
    "holder": gettext_lazy("Name of the doctor"),
    "title": gettext_lazy("Title"),
    "accent": gettext_lazy("Colour"),
    "logo": gettext_lazy("Logo"),
    "signatures": gettext_lazy("Picture of a signature"),
    "signatories": gettext_lazy("Signatures"),
    "credits": gettext_lazy("Credit"),
}


class NotPrintableError(Exception):
    """The facts cannot make a document; the text says why, for whoever can put it right, in their language.

    `field` is that of the facts or the look, and `plain` the text without its name.
    """

    def __init__(self, plain: str, *, field: str = "") -> None:
        label = FIELDS.get(field)
        super().__init__(f"{label}: {plain}" if label else plain)
        self.plain = plain
        self.field = field


@dataclass(frozen=True, slots=True)
class Design:
    """A template, read once for a batch."""

    look: Look
    signatories: tuple[Signatory, ...]
    frozen: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new certificate stands among the others."""

    public_id: str
    number: str
    issued_at: datetime
    edition: int = 1
    replaces: str = ""


def design_of(template: CertificateTemplate, *, images: Mapping[int, bytes] | None = None) -> Design:
    """`images`: of the signatures, by place; those that are kept with it unless given. Raises NotPrintableError."""
    if images is None:
        images = {row.position: bytes(row.image) for row in template.images.all()}
    signatories = tuple(Signatory(one["name"], one.get("role", "")) for one in template.signatories)
    signatures = tuple(images.get(position, b"") for position in range(len(signatories)))
    try:
        with translation.override(template.language):
            look = Look(
                paper="letter" if template.paper == "letter" else "a4",
                accent=template.accent,
                heading=template.heading or _("Certificate of Completion"),
                above=template.above_name or _("This is to certify that"),
                below=template.below_name or _("has successfully completed"),
                language=template.language,
                logo=bytes(template.logo or b""),
                signatures=signatures,
                labels=labels(),
            )
    except FactError as error:
        raise _not_printable(error) from error
    frozen = freeze(look)
    del frozen["logo"], frozen["signatures"]
    pictures = {"logo": _digest(look.logo), "signatures": [_digest(one) for one in look.signatures]}
    return Design(look, signatories, {"look": frozen, "template": template.version, **pictures, "engine": engine()})


def labels() -> Labels:
    """The small words, in the language that is active."""
    return Labels(
        date=_("{day} {month} {year}"),
        days=_("{first}–{last} {month} {year}"),
        dates=_("{first} – {last}"),
        months=tuple(str(MONTHS[number]) for number in range(1, 13)),
        took_place=_("Date"),
        format=_("Format"),
        live=_("Live activity"),
        enduring=_("On demand (enduring material)"),
        place=_("Place"),
        online=_("Online"),
        council=_("Medical council"),
        registration_number=_("Registration number"),
        approval_code=_("Approval code"),
        number=_("Certificate number"),
        issued_on=_("Issued on"),
        edition=_("Edition"),
        replaces=_("{edition}, replaces {number}"),
        verify=_("Check this certificate"),
        verify_alt=_("QR code that leads to {address}"),
    )


def facts_of(source: Source, *, entry: LedgerEntry | None, design: Design, place: Place) -> dict[str, Any]:
    """For `Certificate.facts`. `entry`: the newest line about a claim. Raises NotPrintableError."""
    user, programme = source.user, programme_of(source)
    issued_on = place.issued_at.astimezone(ZoneInfo(programme.timezone)).date()
    values: dict[str, Any] = {
        "holder": _name_of(user),
        "number": place.number,
        "public_id": place.public_id,
        "verify_address": verify_address(place.public_id),
        "issued_on": issued_on,
        "council": user.medical_council,
        "registration_number": user.registration_number,
        "edition": place.edition,
        "replaces": place.replaces,
        "signatories": design.signatories,
        **_about(source, entry, design.look),
    }
    try:
        facts = CertificateFacts(**values)
    except FactError as error:
        raise _not_printable(error) from error
    if missing := text.missing(facts.holder + facts.title):
        raise NotPrintableError(no_font_has(missing))
    return {"facts": freeze(facts), **design.frozen}


def no_font_has(signs: Sequence[str]) -> str:
    return _("No font has these characters: %(signs)s") % {"signs": " ".join(signs)}


def _not_printable(error: FactError) -> NotPrintableError:
    """Outside of the language of the document: this is read by the office."""
    return NotPrintableError(_(error.template) % error.values, field=error.field)


def programme_of(source: Source) -> Programme:
    if isinstance(source, CourseCompletion):
        return source.course.programme
    return source.programme


def verify_address(public_id: str) -> str:
    return f"{settings.SITE_URL}/verify/{public_id}/"


def thaw(facts: Mapping[str, Any], *, template: CertificateTemplate) -> tuple[CertificateFacts, Look]:
    """What is printed. Raises NotPrintableError where the template's pictures are not those that were signed."""
    logo = bytes(template.logo or b"")
    images = {row.position: bytes(row.image) for row in template.images.all()}
    signatures = [images.get(position, b"") for position in range(len(facts["signatures"]))]
    if [_digest(logo), *map(_digest, signatures)] != [facts["logo"], *facts["signatures"]]:
        raise NotPrintableError(_("The template’s pictures are not those with which this was issued."))
    look = thaw_look(facts["look"])
    values = {name: getattr(look, name) for name in Look.__dataclass_fields__}
    return thaw_facts(facts["facts"]), Look(**values | {"logo": logo, "signatures": tuple(signatures)})


def thaw_printed(facts: Mapping[str, Any]) -> CertificateFacts:
    return thaw_facts(facts["facts"])


def _name_of(user: User) -> str:
    """Never the e-mail address, which stands in for a name elsewhere."""
    if not (user.first_name.strip() or user.last_name.strip()):
        raise NotPrintableError(_("The name is missing."))
    return user.get_full_name()


def _about(source: Source, entry: LedgerEntry | None, look: Look) -> dict[str, Any]:
    if isinstance(source, Claim):
        return _about_claim(source, entry, look)
    programme = programme_of(source)
    on = _day(source.completed_at, programme)
    provider = programme.society or settings.SITE_NAME
    if isinstance(source, CourseCompletion):
        return {"title": source.course.title, "programme": programme.title, "provider": provider, "ended_on": on}
    return {"title": programme.title, "provider": provider, "ended_on": on}


def _about_claim(claim: Claim, entry: LedgerEntry | None, look: Look) -> dict[str, Any]:
    """Credit is certified once: here, not on the certificates of course and programme."""
    accreditation, programme = claim.accreditation, claim.programme
    activity = accreditation.activity
    rules = pack_of(accreditation.authority, on=claim.took_part_on)
    provider = accreditation.provider or programme.society or settings.SITE_NAME
    days = _written(claim.took_part_on, look)
    statement = rules.statement(terms_of(accreditation), provider=provider, title=activity.title, days=days)
    granted: Sequence[Credit] = ()
    if accreditation.authority != AuthorityKey.ATTENDANCE and entry is not None:
        granted = (Credit(f"{entry.credits:.2f}", rules.unit, accreditation.approval_code),)
    return {
        "title": activity.title,
        "programme": programme.title,
        "provider": provider,
        "format": activity.format,
        "began_on": claim.took_part_on,
        "credits": tuple(granted),
        "statements": (statement,) if statement else (),
    }


def _day(at: datetime | None, programme: Programme) -> date | None:
    return at.astimezone(ZoneInfo(programme.timezone)).date() if at else None


def _written(on: date, look: Look) -> str:
    written = look.labels.date.replace("{day}", str(on.day)).replace("{year}", str(on.year))
    return written.replace("{month}", look.labels.months[on.month - 1])


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest() if picture else ""
