"""pyHanko's update of a PDF, with a place for a seal. Read only where something is sealed: its imports are many."""

import hashlib
import io
from datetime import datetime
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject


class _Update(IncrementalPdfFileWriter):
    """pyHanko's update of a document without its clock and its dice: no new modification date, a derived identifier."""

    def _update_meta(self) -> None:
        """The document's metadata says when it was issued; sealing it the same day is no change of it."""

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        prev.stream.seek(0)
        second = hashlib.sha256(b"sealed" + prev.stream.read()).digest()[:16]
        first = bytes(prev.trailer["/ID"][0].original_bytes) if "/ID" in prev.trailer else b""
        return generic.ArrayObject([generic.ByteStringObject(first or second), generic.ByteStringObject(second)])


def begin(
    pdf: bytes, *, field: str, digest: str, room: int, at: datetime, by: str, why: str
) -> tuple[Any, io.BytesIO, bytes]:
    """What waits for the container of `room` bytes, where the whole will stand then, and the digest to sign."""
    output = io.BytesIO()
    update = _Update(io.BytesIO(pdf), strict=False)
    steps: Any = PdfCMSEmbedder(SigFieldSpec(sig_field_name=field)).write_cms(field, update)
    next(steps)
    placeholder = SignatureObject(
        timestamp=at,
        subfilter=SigSeedSubFilter.PADES,
        name=by or None,
        reason=why or None,
        bytes_reserved=2 * room,
    )
    rights = SigMDPSetup(md_algorithm=digest, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
    steps.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=rights))
    prepared, _ = steps.send(SigIOSetup(md_algorithm=digest, output=output))
    return steps, output, prepared.document_digest
