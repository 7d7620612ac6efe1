"""Files of questions: one module a format, found by its name or by how a file is called and begins."""

from assessments.domain.formats.aiken import AIKEN
from assessments.domain.formats.base import Format, FormatError, Reading, Remark, Writing
from assessments.domain.formats.csv_table import CSV
from assessments.domain.formats.gift import GIFT
from assessments.domain.formats.moodle import MOODLE
from assessments.domain.formats.qti import QTI

FORMATS: dict[str, Format] = {one.name: one for one in (GIFT, AIKEN, MOODLE, QTI, CSV)}

__all__ = ["FORMATS", "Format", "FormatError", "Reading", "Remark", "Writing", "guess"]


def guess(file_name: str, data: bytes) -> Format:
    """By what is in it; a text by its ending, and where that says nothing, by its answer lines."""
    start = data[:4000].lstrip(b"\xef\xbb\xbf \t\r\n")
    ending = file_name.rpartition(".")[2].lower()
    if data[:2] == b"PK":
        return QTI
    if start.startswith(b"<"):
        return QTI if b"assessmentItem" in start else MOODLE
    if ending in {"csv", "tsv"}:
        return CSV
    if ending != "gift" and b"\nANSWER:" in data.replace(b"\r", b"\n"):
        return AIKEN
    return GIFT
