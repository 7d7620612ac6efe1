"""Certificate templates: written, looked at, fixed by the first certificate. A change after it is a new version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assessments.domain.images import ImageError, reencode
from certification.domain.facts import NotPrintableError, design_of
from certification.models import CertificateTemplate
from certification.printing.document import DocumentError
from certification.printing.facts import PICTURE_BYTES
from certification.printing.preview import SAMPLE, preview
from courses.models import Programme

COPIED = ("paper", "accent", "language", "heading", "above_name", "below_name")


class TemplateError(ValueError):
    """Nothing was saved; the text is for whoever edits."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`image`: a new picture; none: the one that is there stays."""

    name: str
    role: str = ""
    image: bytes | None = None


def save_template(
    *, programme: Programme, template: CertificateTemplate | None, values: Mapping[str, Any],
    signatures: Sequence[Signature], logo: bytes | None = None,
) -> CertificateTemplate:  # fmt: skip
    """The template, or its next version where certificates were issued with it. Raises TemplateError.

    Pictures are written anew: nothing of a file but its pixels comes along.
    """
    with transaction.atomic():
        Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
        before = _fresh(template)
        row = before if before is not None and before.used_at is None else _next_version(programme)
        for name in COPIED:
            setattr(row, name, values[name])
        row.logo = _picture(logo) if logo else before.logo if before is not None else None
        row.signatories = [{"name": one.name, "role": one.role} for one in signatures]
        images = {one.position: bytes(one.image) for one in before.images.all()} if before is not None else {}
        images |= {at: _picture(one.image) for at, one in enumerate(signatures) if one.image}
        row.save()
        row.images.exclude(position__in=range(len(signatures))).delete()
        for position, image in images.items():
            if position < len(signatures):
                row.images.update_or_create(position=position, defaults={"image": image})
        try:
            design_of(row)
        except NotPrintableError as error:
            raise TemplateError(str(error)) from error
    return row


def picture_of(**given: Any) -> bytes:
    """What `save_template` would make of it, as PNG with an invented doctor; nothing is saved. Raises TemplateError."""
    with transaction.atomic():
        design = design_of(save_template(**given))
        transaction.set_rollback(True)
    try:
        return preview(design.look, facts=replace(SAMPLE, signatories=design.signatories))
    except DocumentError as error:
        raise TemplateError(str(error)) from error


def _fresh(template: CertificateTemplate | None) -> CertificateTemplate | None:
    """Under the lock: it may have been used since it was read."""
    return CertificateTemplate.objects.get(pk=template.pk) if template is not None else None


def _next_version(programme: Programme) -> CertificateTemplate:
    newest = programme.certificate_templates.order_by("-version").values_list("version", flat=True).first()
    return CertificateTemplate(programme=programme, version=(newest or 0) + 1)


def _picture(data: bytes) -> bytes:
    try:
        content, _kind, _size = reencode(data)
    except ImageError as error:
        raise TemplateError(str(error)) from error
    if len(content) > PICTURE_BYTES:
        raise TemplateError(_("The picture is too large. Save it smaller, or as JPEG."))
    return content
