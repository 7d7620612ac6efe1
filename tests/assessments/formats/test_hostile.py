"""Broken, cut off and hostile files: the format's own error, or remarks about rows. Nothing else, and not for long."""

import io
import stat
import zipfile
from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.domain.formats import FORMATS, FormatError, Reading, package
from assessments.domain.formats.base import MOST_BYTES
from assessments.domain.formats.package import Package, packed
from tests.assessments.formats import golden
from tests.assessments.formats.drafts import EXAMPLES

SOURCES = {
    "gift": golden.GIFT.encode(),
    "aiken": golden.AIKEN.encode(),
    "moodle": golden.MOODLE.encode(),
    "qti": golden.QTI_CHOICE.encode(),
    "csv": golden.CSV.encode(),
}
ENTITIES = b'<!DOCTYPE quiz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><quiz>&b;</quiz>'
OUTSIDE = b'<!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/passwd">]><quiz>&x;</quiz>'
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def read_or_refuse(name: str, data: bytes) -> None:
    """Whatever is kept is whole: it can be written again."""
    found = Reading()
    with suppress(FormatError):
        found = FORMATS[name].read(data)
    FORMATS[name].write(found.drafts[:5])
    assert all(one.text for one in found.errors)


@pytest.mark.parametrize("name", FORMATS)
def test_cut_off_and_changed_files(name: str) -> None:
    random = Random(7)
    whole = [SOURCES[name], FORMATS[name].write(list(EXAMPLES.values())).data]
    for data in whole:
        for _ in range(12):
            read_or_refuse(name, data[: random.randrange(len(data))])
            changed = bytearray(data)
            for _number in range(random.randrange(1, 6)):
                changed[random.randrange(len(data))] = random.randrange(256)
            read_or_refuse(name, bytes(changed))


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
@few
def test_anything_at_all(name: str, data: bytes) -> None:
    read_or_refuse(name, data)


@pytest.mark.parametrize("name", ["gift", "aiken", "csv"])
@given(data=st.text("{}=~#:\\%->A.BNSWER: \n;,\"'[html]", max_size=120))
@few
def test_signs_that_mean_something(name: str, data: str) -> None:
    head = "kind,question,right,option a,units\n" if name == "csv" else ""
    read_or_refuse(name, f"{head}{data}".encode())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("data", [b"", b" \n ", b"\0\0\0\0", b"PK\x03\x04", b"\x81\x8d\x00", b"<a><b></a>"])
def test_what_is_nothing_is_refused_or_has_no_questions(name: str, data: bytes) -> None:
    found = Reading()
    with suppress(FormatError):
        found = FORMATS[name].read(data)

    assert found.drafts == []


@pytest.mark.parametrize("name", ["moodle", "qti"])
@pytest.mark.parametrize("data", [ENTITIES, OUTSIDE], ids=["entities", "outside"])
def test_sec_23_xml_declares_nothing(name: str, data: bytes) -> None:
    with pytest.raises(FormatError, match="document type"):
        FORMATS[name].read(data)


@pytest.mark.parametrize("name", ["moodle", "qti"])
def test_sec_23_xml_is_not_nested_without_end(name: str) -> None:
    deep = b"<quiz>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</quiz>"

    with pytest.raises(FormatError, match="nested"):
        FORMATS[name].read(deep)


@pytest.mark.parametrize("name", FORMATS)
def test_sec_23_a_file_that_is_too_large(name: str) -> None:
    with pytest.raises(FormatError, match="too large"):
        FORMATS[name].read(b"x" * (MOST_BYTES + 1))


LISTS, TRUTH, PICTURES = b"<ul><li>" * 100_000, b"::a:: {T}\n\n", b"&lt;img src='" * 100_000
ESSAY = b"<quiz><question type='essay'><questiontext><text>%s</text></questiontext></question></quiz>"
FLOODS = {
    "gift": [TRUTH * 40_000, b"{" * 300_000, b"::a::" + LISTS + b" {T}", b"a {T}\n\n" * 4_000],
    "aiken": [b"A. " * 300_000, b"Q?\nA. x\nB. y\nANSWER: A\n" * 4_000],
    "moodle": [
        b"<quiz>" + b"<question/>" * 100_000 + b"</quiz>",
        ESSAY % PICTURES,
        b"<quiz><question type='description'>" + b"<file name='a'>AAAA</file>" * 50_000 + b"</question></quiz>",
    ],
    "qti": [b"<assessmentItem><itemBody>" + b"<p/>" * 100_000 + b"</itemBody></assessmentItem>"],
    "csv": [
        b"kind,question,right\nnumeric,x,1 \xc2\xb1 " + b" " * 50_000 + b"\n",
        b"kind,question,right\nshort,x,1" + b" " * 50_000 + b"x\n",
        b"kind,question\n" + b"essay,x\n" * 4_000,
        b"kind,question," + b"option a," * 50_000,
        b'kind,question\nessay,"' + b"x" * 300_000,
    ],
}


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, some in FLOODS.items() for data in some])
def test_floods_are_over_soon(name: str, data: bytes) -> None:
    """What takes the square of its length would be ended by the clock of the tests."""
    read_or_refuse(name, data)


def zipped(*entries: tuple[str, bytes, int]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return memory.getvalue()


PLAIN = stat.S_IFREG | 0o644


@pytest.mark.parametrize("name", ["../out.xml", "/etc/passwd", "a/../../b", "c:/x", "..\\x"])
def test_sec_23_no_name_leads_out_of_a_zip(name: str) -> None:
    with pytest.raises(FormatError, match="lead out"):
        FORMATS["qti"].read(zipped((name, b"x", PLAIN)))


def test_sec_23_no_links_in_a_zip() -> None:
    with pytest.raises(FormatError, match="links"):
        FORMATS["qti"].read(zipped(("imsmanifest.xml", b"/etc/passwd", stat.S_IFLNK | 0o777)))


def test_sec_23_no_bombs_in_a_zip() -> None:
    with pytest.raises(FormatError, match="unpacks"):
        FORMATS["qti"].read(zipped(("imsmanifest.xml", b"\0" * 20_000_000, PLAIN)))


def test_sec_23_real_sizes_count_and_not_only_claimed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST_UNPACKED_BYTES", 1_000)
    opened = Package(packed({"a": b"x" * 600, "b": b"y" * 300}))

    assert len(opened.read("a", most=700)) == 600
    with pytest.raises(FormatError, match="too large"):
        opened.read("a", most=700)


def test_sec_23_not_too_many_files_in_a_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST_ENTRIES", 3)

    with pytest.raises(FormatError, match="too many"):
        FORMATS["qti"].read(packed({str(n): b"" for n in range(4)}))


def test_a_bad_item_of_a_package_does_not_harm_the_others() -> None:
    """And a vignette of which one question is bad is left out whole."""
    form = FORMATS["qti"]
    with zipfile.ZipFile(io.BytesIO(form.write([EXAMPLES["single"], EXAMPLES["vignette"]]).data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["items/item-2-1.xml"] = b"<assessmentItem><itemBody/></assessmentItem>"

    found = form.read(packed(files))

    assert [one.name for one in found.drafts] == ["The single one"]
    assert [one.name for one in found.errors] == ["The vignette one"]
    assert "First of it" in found.errors[0].text


def test_a_bad_question_of_a_vignette_leaves_all_of_it_out() -> None:
    for name in ("gift", "moodle", "csv"):
        written = FORMATS[name].write([EXAMPLES["single"], EXAMPLES["vignette"]]).data
        broken = {
            "gift": (b"{FALSE#", b"{MAYBE#"),
            "moodle": (b'<question type="truefalse">', b'<question type="calculated">'),
            "csv": (b"true_false", b"riddle"),
        }[name]
        assert broken[0] in written

        found = FORMATS[name].read(written.replace(*broken))

        assert [one.name for one in found.drafts] == ["The single one"], name
        assert [one.name for one in found.errors] == ["The vignette one"], name
