"""Tables as files, written row by row: 15,000 rows are never in memory together.

Spreadsheets run what begins like a formula. In CSV such a cell gets an apostrophe; in XLSX text is marked as text.
"""

import csv
import json
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any
from xml.sax.saxutils import escape

Cell = str | int | float
Table = Iterable[Sequence[Cell]]
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
IN_MEMORY_BYTES = 2_000_000
MOST_SHEET_ROWS = 1_048_576  # what a sheet of Excel has; a longer one is refused as damaged
JSON_ROWS = 200
BLOCK_BYTES = 32_768


class TooManyRowsError(Exception):
    """More rows than a sheet has. CSV and JSON have no limit."""


class _Echo:
    """What csv.writer writes to: hands the line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """UTF-8 with a mark in front: without it Excel reads names as Latin-1."""
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf"
    for row in rows:
        line: str = writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.encode()


def in_blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """For answers over HTTP: each piece that a view yields is sent by itself, and a row alone is a very small one."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def neutral(text: str) -> str:
    clean = UNWRITABLE.sub("", text)
    return f"'{clean}" if clean.lstrip(" ").startswith(DANGEROUS) else clean


def json_chunks(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], *, name: str = "rows") -> Iterator[bytes]:
    """One object: `head`, and after it the rows under `name`. What breaks off before its end is no JSON."""
    start = json.dumps(dict(head), ensure_ascii=False, allow_nan=False)
    yield f"{start[:-1]}{', ' if head else ''}{json.dumps(name)}: [".encode()
    held: list[str] = []
    glue = "\n"
    for row in rows:
        held.append(json.dumps(row, ensure_ascii=False, allow_nan=False))
        if len(held) == JSON_ROWS:
            yield (glue + ",\n".join(held)).encode()
            held, glue = [], ",\n"
    yield ((glue + ",\n".join(held) if held else "") + "\n]}\n").encode()


def xlsx_file(rows: Table, *, sheet: str, more: Sequence[tuple[str, Table]] = (), header: str = "") -> IO[bytes]:
    """A sheet, and `more` behind it. In memory while small, else in a temporary file that goes away with the handle.

    `header` is printed at the top of every page. Raises TooManyRowsError.
    """
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # the caller closes it
    sheets = [(sheet, rows), *more]
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in _parts([_sheet_name(title) for title, _ in sheets]).items():
                archive.writestr(name, text)
            for number, (_, table) in enumerate(sheets, 1):
                with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as part:
                    _write_sheet(part, table, header)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _write_sheet(part: IO[bytes], rows: Table, header: str) -> None:
    part.write(_SHEET_HEAD)
    for number, row in enumerate(rows, 1):
        if number > MOST_SHEET_ROWS:
            raise TooManyRowsError(f"An Excel sheet has {MOST_SHEET_ROWS:,} rows at most.")
        part.write(f"<row>{''.join(map(_cell, row))}</row>".encode())
    part.write(b"</sheetData>")
    if header:
        text = escape(UNWRITABLE.sub("", header).replace("&", "&&"))[:255]
        part.write(f"<headerFooter><oddHeader>&amp;C{text}</oddHeader></headerFooter>".encode())
    part.write(b"</worksheet>")


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(UNWRITABLE.sub("", value))}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _sheet_name(text: str) -> str:
    """Excel allows 31 signs, and not these."""
    return re.sub(r"[\[\]:*?/\\]", " ", UNWRITABLE.sub("", text)).strip().strip("'")[:31] or "Sheet"


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_HEAD = f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode()


def _parts(names: Sequence[str]) -> dict[str, str]:
    """The small files around the sheets."""
    numbers = range(1, len(names) + 1)
    return {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_MIME}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_MIME}.worksheet+xml"/>' for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        + "</Relationships>",
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, names, strict=True)
        )
        + "</sheets></workbook>",
    }
