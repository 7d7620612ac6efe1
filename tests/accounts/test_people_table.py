"""Reading what spreadsheets save. No database."""

import csv
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import people_table
from accounts.domain.people_table import PeopleTable, UnreadableTableError, read_people

HEADER = "email,title,first name,last name,country,phone\n"
ROW = "meera@example.org,Dr,Meera,Nair,IN,+91 98765 43210\n"
MEERA = {
    "email": "meera@example.org",
    "title": "Dr",
    "first_name": "Meera",
    "last_name": "Nair",
    "country": "IN",
    "phone": "+919876543210",
    "timezone": "Asia/Kolkata",
}


def read(text: str) -> PeopleTable:
    return read_people(text.encode())


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.column) for problem in read(text).problems]


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + ROW).encode(),
        (HEADER + ROW).encode("utf-8-sig"),
        (HEADER + ROW).encode("utf-16"),
        (HEADER + ROW).encode("utf-16-le"),
        (HEADER + ROW).encode("utf-16-be"),
        (HEADER + ROW).replace(",", ";").encode(),
        (HEADER + ROW).replace(",", "\t").encode(),
        (HEADER + ROW).replace("\n", "\r\n").encode(),
        (HEADER + ROW).replace("\n", "\r").encode(),
        ("\n\n" + HEADER + "\n" + ROW + "\n,,,,,\n").encode(),
        (HEADER.replace("email", "E-Mail Address").replace("first name", "Prénom").upper() + ROW).encode(),
        (HEADER + '"meera@example.org","Dr","Meera","Nair","IN","+91 98765 43210"\n').encode(),
        (HEADER + "\u200bMEERA@Example.org\u00a0,Dr, Meera ,Nair,India,0091 98765 43210\n").encode(),
        (HEADER + ROW.replace("IN", "ind").replace("+91 ", "")).encode(),
    ],
    ids=[
        "UTF-8", "with BOM", "UTF-16", "UTF-16 LE without BOM", "UTF-16 BE without BOM", "semicolons", "tabs", "CRLF",
        "old Mac", "blank lines", "other headers", "quotes", "invisible signs", "three letters, national number",
    ],
)  # fmt: skip
def test_every_way_a_spreadsheet_saves_is_read(content: bytes) -> None:
    table = read_people(content)

    assert [candidate.values for candidate in table.candidates] == [MEERA]
    assert table.problems == []


def test_windows_text_is_read_and_said_to_be_a_guess() -> None:
    table = read_people("email,name\nzoe@example.org,Zoë Müller\n".encode("cp1252"))

    assert [candidate.values["last_name"] for candidate in table.candidates] == ["Müller"]
    assert [note.line for note in table.notes] == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (b"PK\x03\x04 workbook", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0 old workbook", "Excel workbook"),
        (b"%PDF-1.4", "not a CSV"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "not a CSV"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "CSV"),
        (b"name,country\nMeera,IN\n", "email"),
        (b"email,name\na@example.org,\x81\n", "line 2"),
        (b"\xff\xfee\x00m\x00a", "cannot be read"),
        (b'email,name\na@example.org,"Meera\nb@example.org,Ana\n', "line 2"),
        (b'email,name\na@example.org,"Meera"x\n', "line 2"),
        (b"email,name\na@example.org," + b"A" * 10 * 1024 * 1024 + b"\n", "line 2"),
        (b'email,name\na@example.org,"' + b"A\n" * 5 * 1024 * 1024, "line 2"),
        (b"email\n" + b"a" * (people_table.MOST_BYTES + 1), "25 MB"),
    ],
    ids=[
        "nothing", "white", "xlsx", "xls", "pdf", "UTF-32", "picture", "no address column", "unreadable letter",
        "half a letter", "open quote", "broken quote", "10 MB field", "10 MB field in quotes", "huge",
    ],
)  # fmt: skip
def test_a_file_of_no_use_says_what_to_do(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableTableError, match=words):
        read_people(content)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_table, "MOST_ROWS", 3)
    with pytest.raises(UnreadableTableError, match="more than 3 rows"):
        read("email\n" + "".join(f"p{number}@example.org\n" for number in range(4)))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",Dr,Meera,Nair,IN,", "email"),
        ("meera.example.org,Dr,Meera,Nair,IN,", "email"),
        ("a@b@example.org,Dr,Meera,Nair,IN,", "email"),
        ("meera@example.org,Dr,=HYPERLINK(1),Nair,IN,", "first name"),
        ("meera@example.org,Dr,@SUM(1),Nair,IN,", "first name"),
        ("meera@example.org,Dr,+1+1,Nair,IN,", "first name"),
        ("meera@example.org,Dr,-2,Nair,IN,", "first name"),
        ("=meera@example.org,Dr,Meera,Nair,IN,", "email"),
        ("meera@example.org,Dr,Meera,Nair,Atlantis,", "country"),
        ("meera@example.org,Dr,Meera,Nair,IN,12", "phone"),
        ("meera@example.org,Dr,Meera,Nair,,98765 43210", "phone"),
        ("meera@example.org,Dr,Meera,Nair,IN,9.19877E+11", "phone"),
        ("meera@example.org,Dr,Meera,Nair,IN,=1+1", "phone"),
        (f"meera@example.org,{'D' * 31},Meera,Nair,IN,", "title"),
        (f"meera@example.org,Dr,{'M' * 5000},Nair,IN,", "first name"),
    ],
)
def test_a_bad_cell_names_its_line_and_column(row: str, column: str) -> None:
    found = read(HEADER + ROW.replace("meera", "first") + row + "\n").problems

    assert {(problem.line, problem.column) for problem in found} == {(3, column)}
    assert all(problem.message for problem in found)


def test_all_problems_of_a_row_are_told_at_once() -> None:
    assert problems(HEADER + "x,Dr,=1,Nair,Atlantis,12\n") == [
        (2, "first name"),
        (2, "email"),
        (2, "country"),
        (2, "phone"),
    ]


def test_a_separator_in_a_name_is_noticed() -> None:
    assert problems(HEADER + "a@example.org,Dr,Nair, Meera,IN,,,and more\n") == [(2, "")]


def test_a_row_that_ends_early_is_complete() -> None:
    assert [candidate.values for candidate in read(HEADER + "a@example.org\n").candidates] == [
        {"email": "a@example.org"}
    ]


def test_lines_are_counted_as_the_spreadsheet_shows_them() -> None:
    text = 'email,name\n"a@example.org","two\nlines"\nbroken,x\n'

    assert problems(text) == [(4, "email")]


def test_the_same_person_twice() -> None:
    table = read("email,name\na@example.org,Ana Lima\nA@example.org,Ana Lima\na@example.org,Bob Stone\n")

    assert [candidate.line for candidate in table.candidates] == [2]
    assert [note.line for note in table.notes] == [3]
    assert [problem.line for problem in table.problems] == [4]


def test_columns_nobody_knows_are_named() -> None:
    assert [note.column for note in read("email,Shoe size\na@example.org,44\n").notes] == ["Shoe size"]


@pytest.mark.parametrize(
    ("column", "given", "field", "value"),
    [
        ("timezone", "asia/kolkata", "timezone", "Asia/Kolkata"),
        ("timezone", "Europe/Berlin", "timezone", "Europe/Berlin"),
        ("Time zone", "America/Sao Paulo", "timezone", "America/Sao_Paulo"),
        ("timezone", "Asia/Calcutta", "timezone", "Asia/Kolkata"),
        ("country", "Germany", "timezone", "Europe/Berlin"),
        ("country", "Brazil", "timezone", None),
        ("country", "France", "timezone", "Europe/Paris"),
        ("country", "UK", "country", "GB"),
        ("country", "usa", "country", "US"),
        ("language", "French", "language", "fr"),
        ("language", "العربية", "language", "ar"),
        ("language", "PT", "language", "pt"),
        ("name", "Ana Maria Lima", "first_name", "Ana Maria"),
        ("name", "Madonna", "last_name", "Madonna"),
        ("cohort", "Asia", "cohort", "Asia"),
        ("title", "n/a", "title", None),
        ("title", "-", "title", None),
    ],
)
def test_what_cells_are_taken_to_mean(column: str, given: str, field: str, value: str | None) -> None:
    (candidate,) = read(f"email,{column}\na@example.org,{given}\n").candidates

    assert candidate.values.get(field) == value


@pytest.mark.parametrize(("column", "given"), [("timezone", "Mars/Olympus"), ("language", "Klingon")])
def test_what_is_not_offered_is_refused(column: str, given: str) -> None:
    assert problems(f"email,{column}\na@example.org,{given}\n") == [(2, column)]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        table = read_people(content)
    except UnreadableTableError:
        return
    assert len(table.candidates) <= table.rows


@given(st.lists(st.text(max_size=20), min_size=2, max_size=2))
def test_any_cell_is_taken_or_refused_with_its_line(cells: list[str]) -> None:
    import io

    sheet = io.StringIO()
    csv.writer(sheet).writerows([["email", "name"], ["a@example.org", cells[0]], ["b@example.org", cells[1]]])

    try:
        table = read_people(sheet.getvalue().encode("utf-8", "surrogatepass"))
    except UnreadableTableError:
        return

    assert len(table.candidates) + len({problem.line for problem in table.problems}) == 2
    for candidate in table.candidates:
        assert all(value.isprintable() for value in candidate.values.values())


def test_the_cost_grows_with_the_rows_and_no_faster() -> None:
    """A ratio in one run, of the best of three: ten times the rows may take at most thirty times as long."""

    def seconds(rows: int) -> float:
        text = HEADER + "".join(f"p{n}@example.org,Dr,Meera,Nair,IN,+91 98765 {n:05}\n" for n in range(rows))
        started = time.process_time()
        assert len(read(text).candidates) == rows
        return time.process_time() - started

    seconds(50)
    small = min(seconds(200) for _ in range(3))
    assert min(seconds(2_000) for _ in range(3)) < 30 * small
