"""Certificate templates: written, looked at, fixed by the first certificate. A change after it is a new version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from PIL import Image

from accounts.domain import audit
from accounts.models import User
from assessments.domain.images import ImageError, reencode
from certification.domain.facts import Design, NotPrintableError, design_of, no_font_has
from certification.models import CertificateTemplate
from certification.printing import text
from certification.printing.document import DocumentError
from certification.printing.facts import PICTURE_BYTES
from certification.printing.preview import SAMPLE, preview_apart
from core.logging import get_logger
from courses.models import Programme

log = get_logger("certification")
COPIED = ("paper", "accent", "language", "heading", "above_name", "below_name")
WRITTEN = ("heading", "above_name", "below_name")
# What `design_of` calls a part of the look → the field in which it is typed.
TYPED_IN = {"above": "above_name", "below": "below_name", "signatories": "signatures"}
SHOWN = (360, 120)  # pixels, beside the field in which a picture is replaced


class TemplateError(ValueError):
    """Nothing was saved; the text is for whoever edits. `field`: where, empty for the whole of it."""

    def __init__(self, told: str, *, field: str = "") -> None:
        super().__init__(told)
        self.field = field


class NotDrawnError(TemplateError):
    """It may be printable all the same: only the picture of it failed."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`image`: a new picture. `was`: without a new one the picture of that place in the template before; None: none."""

    name: str
    role: str = ""
    image: bytes | None = None
    was: int | None = None


def save_template(
    *, programme: Programme, template: CertificateTemplate | None, values: Mapping[str, Any],
    signatures: Sequence[Signature], logo: bytes | None = None, keeps_logo: bool = True, actor: User | None = None,
    request: HttpRequest | None = None, now: datetime,
) -> CertificateTemplate:  # fmt: skip
    """The template, or its next version where certificates were issued with it. Raises TemplateError.

    Pictures are written anew: nothing of a file but its pixels comes along. `keeps_logo`: where there is no new one.
    """
    with transaction.atomic():
        Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
        before = _fresh(template)
        row = before if before is not None and before.used_at is None else _next_version(programme)
        old = pictures_of(before)
        images = _fill(row, before=before, values=values, signatures=signatures, logo=logo, keeps_logo=keeps_logo)
        _design(row, images)
        row.save()
        if images != old or row is not before:
            row.images.all().delete()
            for position, image in images.items():
                row.images.create(position=position, image=image)
        told = {"programme": programme.title, "version": row.version, "signed_by": [one.name for one in signatures]}
        audit.record("certificate_template.saved", actor=actor, subject=row, request=request, details=told, now=now)
    return row


def picture_of(
    *, programme: Programme, template: CertificateTemplate | None, values: Mapping[str, Any],
    signatures: Sequence[Signature], logo: bytes | None = None, keeps_logo: bool = True,
) -> bytes:  # fmt: skip
    """What `save_template` would make of it, as PNG with an invented doctor. Writes nothing. Raises TemplateError."""
    row = CertificateTemplate(programme=programme, version=0)
    images = _fill(row, before=template, values=values, signatures=signatures, logo=logo, keeps_logo=keeps_logo)
    return _drawn(_design(row, images))


def drawing_of(template: CertificateTemplate) -> bytes:
    """The template as it is, as PNG with an invented doctor. Raises TemplateError."""
    return _drawn(_design(template, pictures_of(template)))


def pictures_of(template: CertificateTemplate | None) -> dict[int, bytes]:
    """Of its signatures, by place."""
    if template is None:
        return {}
    return {one.position: bytes(one.image) for one in template.images.all()}


def small(picture: bytes) -> bytes:
    """To tell which picture is there: PNG, some kilobytes."""
    with Image.open(BytesIO(picture), formats=("PNG", "JPEG")) as opened:
        opened.thumbnail(SHOWN)
        written = BytesIO()
        opened.convert("RGBA").save(written, "PNG")
    return written.getvalue()


def next_version_of(programme: Programme) -> int:
    newest = programme.certificate_templates.order_by("-version").values_list("version", flat=True).first()
    return (newest or 0) + 1


def _fill(
    row: CertificateTemplate, *, before: CertificateTemplate | None, values: Mapping[str, Any],
    signatures: Sequence[Signature], logo: bytes | None, keeps_logo: bool,
) -> dict[int, bytes]:  # fmt: skip
    """The pictures of the signatures, by place: each goes where its signature goes."""
    for name in COPIED:
        setattr(row, name, values[name])
    old = pictures_of(before)
    row.logo = _picture(logo, field="logo") if logo else before.logo if before is not None and keeps_logo else None
    row.signatories = [{"name": one.name, "role": one.role} for one in signatures]
    images: dict[int, bytes] = {}
    for at, one in enumerate(signatures):
        if one.image:
            images[at] = _picture(one.image, field="signatures")
        elif one.was is not None and one.was in old:
            images[at] = old[one.was]
    return images


def _design(row: CertificateTemplate, images: Mapping[int, bytes]) -> Design:
    for field in WRITTEN:
        if missing := text.missing(getattr(row, field)):
            raise TemplateError(no_font_has(missing), field=field)
    if missing := text.missing("".join(one["name"] + one["role"] for one in row.signatories)):
        raise TemplateError(no_font_has(missing), field="signatures")
    try:
        return design_of(row, images=images)
    except NotPrintableError as error:
        raise TemplateError(error.plain, field=TYPED_IN.get(error.field, error.field)) from error


def _drawn(design: Design) -> bytes:
    try:
        return preview_apart(design.look, facts=replace(SAMPLE, signatories=design.signatories))
    except DocumentError as error:
        if "too long" in str(error):
            raise TemplateError(_("These texts are too long for one page. Please shorten them.")) from error
        log.warning("certification.preview_failed", reason=str(error))
        raise NotDrawnError(_("The picture could not be drawn. Please try again in a moment.")) from error


def _fresh(template: CertificateTemplate | None) -> CertificateTemplate | None:
    """Under its own lock, for which issuing waits: it may have been used since it was read."""
    if template is None:
        return None
    return CertificateTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)


def _next_version(programme: Programme) -> CertificateTemplate:
    return CertificateTemplate(programme=programme, version=next_version_of(programme))


def _picture(data: bytes, *, field: str) -> bytes:
    try:
        content, _kind, _size = reencode(data)
    except ImageError as error:
        raise TemplateError(str(error), field=field) from error
    if len(content) > PICTURE_BYTES:
        raise TemplateError(_("The picture is too large. Save it smaller, or as JPEG."), field=field)
    return content
