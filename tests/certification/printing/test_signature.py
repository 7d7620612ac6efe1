"""A sealed document is one file and no other: pyHanko, which did not build the container, says so too."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from certification.printing.document import Look, render
from certification.printing.signature import Seal, SealError, certificate_of, fingerprint, frame_of, inspect, seal
from tests.certification.printing.samples import FACTS, KEY, OTHER_KEY, SAMPLES, page_text, pages, rastered

SOCIETY = "European Society for Primary Care Cardiology"


@cache
def unsealed() -> bytes:
    return render(FACTS, Look())


def sealed(pdf: bytes | None = None, *, on: date = FACTS.issued_on, key: Any = KEY, by: str = SOCIETY) -> bytes:
    return seal(unsealed() if pdf is None else pdf, key=key, organisation=by, sealed_on=on)


def read_by_pyhanko(pdf: bytes, *, key: Any = KEY) -> Any:
    """The status that pyHanko's own validation gives, with nothing trusted but this key's certificate."""
    root = asn1_x509.Certificate.load(certificate_of(key, SOCIETY).public_bytes(Encoding.DER))
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    trusted = ValidationContext(trust_roots=[root], moment=moment, allow_fetching=False)
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    return validate_pdf_signature(signature, trusted)


def bringing(certificate: x509.Certificate) -> bytes:
    """No document, but a container with this certificate and another one's signature."""
    pdf = sealed()
    start = pdf.rindex(b"/Contents <") + 11
    container = cms.ContentInfo.load(bytes.fromhex(pdf[start : pdf.index(b">", start)].decode()))
    loaded = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    container["content"]["certificates"] = [cms.CertificateChoices("certificate", loaded)]
    given = b"<" + container.dump(force=True).hex().encode() + b">"
    return b"%PDF-1.7 " + given + b"/ByteRange [0 9 " + str(9 + len(given)).encode() + b" 5]"


class TestSeal:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_pyhanko_finds_it_valid_trusted_and_whole(self, name: str) -> None:
        status = read_by_pyhanko(sealed(render(*SAMPLES[name])))

        assert (status.intact, status.valid, status.trusted, status.bottom_line) == (True, True, True, True)
        assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
        assert status.docmdp_ok is True
        assert status.signer_reported_dt == datetime(2026, 11, 22, tzinfo=UTC)

    def test_pyhanko_does_not_trust_another_key(self) -> None:
        assert read_by_pyhanko(sealed(), key=OTHER_KEY).trusted is False

    def test_the_page_is_the_same(self) -> None:
        assert rastered(sealed()).tobytes() == rastered(unsealed()).tobytes()
        assert page_text(sealed()) == page_text(unsealed())
        assert pages(sealed()) == 1
        assert sealed().startswith(unsealed())

    def test_the_standards_are_still_said(self) -> None:
        described = PdfFileReader(io.BytesIO(sealed())).root["/Metadata"].data

        assert described == PdfFileReader(io.BytesIO(unsealed())).root["/Metadata"].data
        assert b"<pdfaid:part>2</pdfaid:part>" in described

    def test_what_is_no_pdf_is_not_sealed(self) -> None:
        with pytest.raises(SealError):
            sealed(b"no document")


class TestBytes:
    def test_the_same_bytes_again_and_in_threads(self) -> None:
        samples = [render(*sample) for sample in SAMPLES.values()]
        wanted = [sealed(pdf) for pdf in samples]
        with ThreadPoolExecutor(2) as pool:
            again = list(pool.map(sealed, samples * 3))

        assert again == wanted * 3

    async def test_under_an_event_loop(self) -> None:
        assert sealed() == seal(unsealed(), key=KEY, organisation=SOCIETY, sealed_on=FACTS.issued_on)

    def test_another_document_day_key_or_name_gives_other_bytes(self) -> None:
        other = render(replace(FACTS, holder="Dr. Somebody Else"), Look())
        made = {
            sealed(), sealed(other), sealed(on=date(2026, 11, 23)), sealed(key=OTHER_KEY), sealed(by="Another society"),
        }  # fmt: skip

        assert len(made) == 5

    def test_the_certificate_of_a_key_is_always_the_same(self) -> None:
        certificate_of.cache_clear()
        first = certificate_of(KEY, SOCIETY)
        certificate_of.cache_clear()

        assert certificate_of(KEY, SOCIETY).public_bytes(Encoding.DER) == first.public_bytes(Encoding.DER)
        assert certificate_of(OTHER_KEY, SOCIETY).serial_number != first.serial_number


class TestInspection:
    def test_what_it_says_of_an_untouched_file(self) -> None:
        assert inspect(sealed()) == Seal(
            is_sealed=True, is_intact=True, covers_all=True, fingerprint=fingerprint(KEY.public_key()),
            sealed_on=date(2026, 11, 22),
        )  # fmt: skip

    def test_what_it_was_made_for_is_sealed_with_it(self) -> None:
        """No name beside it can look like it; a certificate, which has none, keeps the bytes that it always had."""
        made = seal(unsealed(), key=KEY, organisation=SOCIETY, sealed_on=FACTS.issued_on, purpose="Transcript")
        named = sealed(by="/Reason (Transcript)")

        assert (inspect(made).purpose, inspect(made).is_intact) == ("Transcript", True)
        assert inspect(made.replace(b"(Transcript)", b"(Transcribe)")).is_intact is False
        assert (inspect(named).purpose, inspect(named).is_intact) == ("", True)
        assert b"/Reason" not in sealed()
        assert read_by_pyhanko(made).bottom_line is True
        with pytest.raises(SealError):
            seal(unsealed(), key=KEY, organisation=SOCIETY, sealed_on=FACTS.issued_on, purpose="a) /Name (b")

    def test_a_key_of_an_unknown_kind_is_no_seal_and_no_error(self) -> None:
        ed25519, unknown = b"06032B6570", b"06032B657F"
        made = sealed()
        assert ed25519 in made
        assert inspect(made.replace(ed25519, unknown)) == Seal(is_sealed=True)

    def test_who_signed_is_told_apart(self) -> None:
        assert inspect(sealed(key=OTHER_KEY)).fingerprint == fingerprint(OTHER_KEY.public_key())
        assert fingerprint(KEY.public_key()) != fingerprint(OTHER_KEY.public_key())

    def test_an_altered_byte_anywhere_is_noticed(self) -> None:
        """Three hundred places, every fourth in the container, where padding or spelling could hide."""
        dice = random.Random(2026)
        pdf = sealed()
        start = pdf.rindex(b"/Contents <")
        end = pdf.index(b">", start)
        places = [dice.randrange(len(pdf)) if number % 4 else dice.randrange(start, end) for number in range(300)]
        unnoticed = []
        for place in places:
            changed = bytearray(pdf)
            changed[place] ^= 1 << dice.randrange(8)
            if inspect(bytes(changed)).is_intact:
                unnoticed.append(place)

        assert len(set(places)) > 250
        assert unnoticed == []

    def test_of_a_certificate_that_is_no_seals_nothing_is_remembered(self) -> None:
        """Anybody may bring files, each with another certificate of some megabytes."""
        frame_of.cache_clear()
        ours = bringing(certificate_of(KEY, SOCIETY))
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 60)] * 60)
        days = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC))
        builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, *days)
        found = [inspect(file) for file in (ours, bringing(builder.sign(KEY, algorithm=None)))]

        assert found == [Seal(is_sealed=True)] * 2
        assert frame_of.cache_info().currsize == 1

    def test_letters_of_the_container_in_lower_case_are_noticed(self) -> None:
        pdf = sealed()
        start = pdf.rindex(b"/Contents <") + 11
        place = next(at for at in range(start, len(pdf)) if pdf[at : at + 1] in b"ABCDEF")

        assert inspect(pdf[:place] + pdf[place : place + 1].lower() + pdf[place + 1 :]).is_intact is False

    def test_something_added_behind_is_noticed(self) -> None:
        for added in (b"\n", b"%%EOF\n", sealed()[len(unsealed()) :]):
            found = inspect(sealed() + added)
            assert (found.is_sealed, found.is_intact) == (True, False)

    def test_another_name_written_over_by_an_update_is_noticed(self) -> None:
        """What an editor does: append a changed page. The seal inside is untouched, the file is not what was issued."""
        update = IncrementalPdfFileWriter(io.BytesIO(sealed()))
        page = update.root["/Pages"]["/Kids"][0].get_object()
        page["/Rotate"] = page["/MediaBox"][2]
        update.update_container(page)
        output = io.BytesIO()
        update.write(output)  # type: ignore[no-untyped-call]

        assert inspect(output.getvalue()).covers_all is False
        assert inspect(output.getvalue()).is_intact is False

    def test_cutting_off_is_noticed(self) -> None:
        assert inspect(sealed()[:-1]).is_intact is False
        assert inspect(unsealed()) == Seal()

    def test_a_second_seal_by_somebody_else_shows_their_key(self) -> None:
        again = sealed(sealed(by="Forger", key=OTHER_KEY)[: len(unsealed())], key=OTHER_KEY)

        assert inspect(again).fingerprint == fingerprint(OTHER_KEY.public_key())

    @pytest.mark.parametrize(
        "file",
        [b"", b"%PDF-1.7", b"/ByteRange [0 1 2 3]", b"/ByteRange [0 5 10 999999]", b"/ByteRange [9 5 3 1]" * 50,
         b"/ByteRange [0 12 26 12]<3003020101>/", b"\x00" * 1000],
    )  # fmt: skip
    def test_it_never_fails(self, file: bytes) -> None:
        assert inspect(file).is_intact is False
