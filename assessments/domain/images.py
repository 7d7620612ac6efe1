"""Pictures of questions: taken in, re-encoded, kept in the private storage, and told of on pages."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import IO
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from assessments.items.shapes import storable
from assessments.models import Bank, ItemImage
from core.logging import get_logger
from media.storages import media_storage

log = get_logger("assessments")
MIB = 2**20
MOST_BYTES = 10 * MIB
MOST_PIXELS = 25_000_000  # 100 MB while it is decoded
LONGEST_SIDE = 2_400  # what is larger is made smaller: doctors load it on a phone
JPEG_QUALITY = 88
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
MOST_KEPT = 4_096
KEPT_SECONDS = 60.0  # so long after a change a description may still be shown as before


class ImageError(ValueError):
    """The file cannot be a picture of a question; the text says to an author why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page has to know of one."""

    id: int
    width: int
    height: int
    description: str


def add_image(*, bank: Bank, data: bytes, description: str) -> ItemImage:
    """The picture as it will be shown. The same one again is the one that the bank has. Raises ImageError.

    A file that was left by a crash between storing and noting it has a name that nobody knows.
    """
    content, suffix, (width, height) = reencode(data)
    digest = hashlib.sha256(content).hexdigest()
    same = ItemImage.objects.filter(bank=bank, sha256=digest)
    if found := same.first():
        return found
    file = ContentFile(content)
    file.content_type = CONTENT_TYPES[suffix]  # type: ignore[attr-defined]  # read by S3Storage
    key = media_storage().save(f"items/{uuid4().hex}.{suffix}", file)
    try:
        with transaction.atomic():
            return ItemImage.objects.create(
                bank=bank,
                key=key,
                sha256=digest,
                width=width,
                height=height,
                description=" ".join(description.split())[:500],
            )
    except IntegrityError:  # somebody uploaded the same one in this moment
        media_storage().delete(key)
        return same.get()


def describe_image(*, image: ItemImage, description: str) -> None:
    """Other processes go on with the old words for a minute."""
    text = " ".join(storable(description).split())[:500]
    if text == image.description:
        return
    image.description = text
    image.save(update_fields=["description"])
    with _guard:
        _kept.pop(image.pk, None)


def open_image(image: ItemImage) -> tuple[IO[bytes], str]:
    """The file, which is never large, and its content type. Raises FileNotFoundError."""
    return media_storage().open(image.key), CONTENT_TYPES[image.key.rpartition(".")[2]]


def reencode(data: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """Decoded and written anew: nothing of the file but its pixels comes along. Raises ImageError.

    The size is looked at before a pixel is decoded.
    """
    if len(data) > MOST_BYTES:
        raise ImageError(_("The file is larger than %(most)d MB.") % {"most": MOST_BYTES // MIB})
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as opened:
            _check_size(opened)
            is_photograph = opened.format == "JPEG"
            upright = ImageOps.exif_transpose(opened)
            has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
            picture = upright.convert("RGBA" if has_alpha else "RGB")
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except ImageError:
        raise
    except Exception as error:  # a decoder fails on a broken file in many ways, and each means the same to an author
        log.info("assessments.image_refused", error=type(error).__name__)
        raise ImageError(_("This is no picture that can be read. Use JPEG, PNG, WebP or GIF.")) from error
    picture.info.clear()
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    written = BytesIO()
    if is_photograph:
        picture.save(written, "JPEG", quality=JPEG_QUALITY, optimize=True)
    else:
        picture.save(written, "PNG", optimize=True)
    return written.getvalue(), "jpg" if is_photograph else "png", picture.size


def _check_size(opened: Image.Image) -> None:
    if opened.width * opened.height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> ImageError:
    return ImageError(_("The picture has more than %(most)d million pixels.") % {"most": MOST_PIXELS // 1_000_000})


# What pages tell of them. Only a description ever changes, so every process keeps them for a while.

_kept: OrderedDict[int, tuple[Picture, float]] = OrderedDict()
_guard = Lock()


def pictures_of(ids: Collection[int]) -> Sequence[Picture]:
    """In the order of `ids`, without those that do not exist any more. No query while all are known, otherwise one."""
    moment = time.monotonic()
    with _guard:
        known = {one: _kept[one][0] for one in ids if one in _kept and moment < _kept[one][1]}
    missing = set(ids) - known.keys()
    if missing:
        rows = ItemImage.objects.filter(pk__in=missing).values_list("pk", "width", "height", "description")
        read = {pk: Picture(pk, width, height, description) for pk, width, height, description in rows}
        with _guard:
            _kept.update({pk: (picture, moment + KEPT_SECONDS) for pk, picture in read.items()})
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
        known |= read
    return [known[one] for one in ids if one in known]
