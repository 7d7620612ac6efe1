"""What a certificate says (`CertificateFacts`) and how it looks (`Look`): plain values, nothing of the database.

Both are kept with the certificate as JSON (`freeze`, `thaw_facts`, `thaw_look`), words included: a translation or a
template that is changed later changes no certificate that was issued before.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

from certification.printing.text import clean

Json = dict[str, Any]
Paper = Literal["a4", "letter"]
Direction = Literal["auto", "ltr", "rtl"]
Format = Literal["", "live", "enduring"]

COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
PICTURE_BYTES = 2_000_000
PICTURE_SIDE = 4_000  # pixels
PICTURE_KINDS = {"PNG": "image/png", "JPEG": "image/jpeg"}
# PDF/A has sRGB as its output intent: four-colour and 16-bit pictures have no place in it.
PICTURE_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}
RIGHT_TO_LEFT = {"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
MOST_SIGNATORIES = 4
MOST_CREDITS = 6


class FactError(ValueError):
    """These facts, or this look, cannot make a document. `field` is where, the text says what to do.

    `template` and `values` are the same text for whoever translates it: nothing here knows of languages.
    """

    def __init__(self, template: str, *, field: str = "", **values: int) -> None:
        super().__init__(template % values if values else template)
        self.template = template
        self.values = values
        self.field = field


def gettext_noop(text: str) -> str:
    """For `makemessages`, which collects by this name."""
    return text


EMPTY = gettext_noop("This must not be empty.")
TOO_MANY_SIGNATURES = gettext_noop("There is room for %(number)d signatures.")
TOO_MANY_CREDITS = gettext_noop("There is room for %(number)d kinds of credit.")
NO_COLOUR = gettext_noop("A colour looks like #0a6b5e.")
TOO_LIGHT = gettext_noop("This colour is too light to read on white paper.")
TOO_LARGE = gettext_noop("The picture is larger than 2 MB.")
NO_PICTURE = gettext_noop("This is no PNG or JPEG picture.")
OTHER_COLOURS = gettext_noop("Save the picture in RGB with 8 bits a colour.")
TOO_WIDE = gettext_noop("The picture is more than %(number)d pixels wide or high.")


@dataclass(frozen=True, slots=True)
class Signatory:
    name: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """`amount` is printed as it stands ("0.75"): who rounds, rounds before."""

    amount: str
    unit: str
    approval_code: str = ""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Empty texts are left out of the page. `place` empty means online; `statements` are printed word by word."""

    holder: str
    title: str
    number: str
    public_id: str
    verify_address: str
    issued_on: date
    council: str = ""
    registration_number: str = ""
    programme: str = ""
    provider: str = ""
    format: Format = ""
    began_on: date | None = None
    ended_on: date | None = None
    place: str = ""
    credits: tuple[Credit, ...] = ()
    statements: tuple[str, ...] = ()
    edition: int = 1
    replaces: str = ""  # the number of the certificate that this one stands for
    signatories: tuple[Signatory, ...] = ()

    def __post_init__(self) -> None:
        for name in ("holder", "title", "number", "verify_address"):
            if not clean(getattr(self, name)):
                raise FactError(EMPTY, field=name)
        if len(self.signatories) > MOST_SIGNATORIES:
            raise FactError(TOO_MANY_SIGNATURES, field="signatories", number=MOST_SIGNATORIES)
        if len(self.credits) > MOST_CREDITS:
            raise FactError(TOO_MANY_CREDITS, field="credits", number=MOST_CREDITS)


@dataclass(frozen=True, slots=True)
class Labels:
    """The small words, in the certificate's language. The first three write one day, two of a month, any two."""

    date: str = "{day} {month} {year}"
    days: str = "{first}–{last} {month} {year}"
    dates: str = "{first} – {last}"
    months: tuple[str, ...] = (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )  # fmt: skip
    took_place: str = "Date"
    format: str = "Format"
    live: str = "Live activity"
    enduring: str = "On demand (enduring material)"
    place: str = "Place"
    online: str = "Online"
    council: str = "Medical council"
    registration_number: str = "Registration number"
    approval_code: str = "Approval code"
    number: str = "Certificate number"
    issued_on: str = "Issued on"
    edition: str = "Edition"
    replaces: str = "{edition}, replaces {number}"
    verify: str = "Check this certificate"
    verify_alt: str = "QR code that leads to {address}"

    def __post_init__(self) -> None:
        if len(self.months) != 12:
            raise FactError("A year has twelve months.", field="months")


@dataclass(frozen=True, slots=True)
class Look:
    """`logo` and `signatures` are PNG or JPEG. Signatures stand in the order of the signatories, empty for none."""

    paper: Paper = "a4"
    accent: str = "#0a6b5e"
    heading: str = "Certificate of Completion"
    above: str = "This is to certify that"
    below: str = "has successfully completed"
    language: str = "en"
    direction: Direction = "auto"
    logo: bytes = b""
    logo_alt: str = ""
    signatures: tuple[bytes, ...] = ()
    labels: Labels = field(default_factory=Labels)

    def __post_init__(self) -> None:
        if self.paper not in ("a4", "letter"):
            raise FactError("Paper is “a4” or “letter”.", field="paper")
        if self.direction not in ("auto", "ltr", "rtl"):
            raise FactError("Direction is “auto”, “ltr” or “rtl”.", field="direction")
        if not COLOUR.fullmatch(self.accent):
            raise FactError(NO_COLOUR, field="accent")
        if contrast_with_white(self.accent) < 3:
            raise FactError(TOO_LIGHT, field="accent")
        if not LANGUAGE.fullmatch(self.language):
            raise FactError("A language looks like “en” or “pt-BR”.", field="language")
        for name, picture in [("logo", self.logo), *(("signatures", picture) for picture in self.signatures)]:
            if picture:
                picture_kind(picture, field=name)

    @property
    def is_right_to_left(self) -> bool:
        if self.direction == "auto":
            return self.language.partition("-")[0] in RIGHT_TO_LEFT
        return self.direction == "rtl"


def contrast_with_white(colour: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def picture_kind(picture: bytes, *, field: str = "") -> tuple[str, int, int]:
    """Media type, width and height of a picture that can stand on a certificate. Raises FactError.

    Pillow looks at the header only; the picture goes into the document as it was uploaded.
    """
    if len(picture) > PICTURE_BYTES:
        raise FactError(TOO_LARGE, field=field)
    try:
        with Image.open(BytesIO(picture), formats=list(PICTURE_KINDS)) as image:
            (width, height), kind, mode = image.size, str(image.format), image.mode
            if kind == "PNG":
                image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FactError(NO_PICTURE, field=field) from error
    if mode not in PICTURE_MODES:
        raise FactError(OTHER_COLOURS, field=field)
    if max(width, height) > PICTURE_SIDE:
        raise FactError(TOO_WIDE, field=field, number=PICTURE_SIDE)
    return PICTURE_KINDS[kind], width, height


def freeze(value: CertificateFacts | Look) -> Json:
    """As JSON, for keeping. Dates are ISO, pictures base64; `thaw_…` gives an equal object."""
    frozen = freeze_any(value)
    assert isinstance(frozen, dict)  # noqa: S101
    return frozen


def freeze_any(value: Any) -> Any:
    """The same of any value made of dataclasses, tuples, texts, numbers, dates and bytes."""
    if is_dataclass(value):
        return {entry.name: freeze_any(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, tuple):
        return [freeze_any(part) for part in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def thaw_facts(frozen: Mapping[str, Any]) -> CertificateFacts:
    values = _known(CertificateFacts, frozen)
    for name in ("issued_on", "began_on", "ended_on"):
        if values.get(name):
            values[name] = date.fromisoformat(values[name])
    values["credits"] = tuple(Credit(**_known(Credit, row)) for row in values.get("credits", ()))
    values["signatories"] = tuple(Signatory(**_known(Signatory, row)) for row in values.get("signatories", ()))
    values["statements"] = tuple(values.get("statements", ()))
    return CertificateFacts(**values)


def thaw_look(frozen: Mapping[str, Any]) -> Look:
    values = _known(Look, frozen)
    values["logo"] = base64.b64decode(values.get("logo", ""))
    values["signatures"] = tuple(base64.b64decode(picture) for picture in values.get("signatures", ()))
    labels = _known(Labels, values.get("labels", {}))
    if "months" in labels:
        labels["months"] = tuple(labels["months"])
    values["labels"] = Labels(**labels)
    return Look(**values)


def _known(kind: type, frozen: Mapping[str, Any]) -> Json:
    """Fields that this version does not know are left alone: an older version may read what a newer one wrote."""
    names = {entry.name for entry in fields(kind)}
    return {name: value for name, value in frozen.items() if name in names}
