"""What comes in between: two connections, of which one stops in the middle while the other does something else."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from certification.domain.files import make_file
from certification.domain.issuing import issue
from certification.domain.retention import Kind, purge
from certification.models import Certificate, CertificateFile
from tests.certification.earned import claim_of, issuing_programme
from tests.certification.meanwhile import in_between

pytestmark = pytest.mark.django_db(transaction=True)
OLD = datetime(2017, 3, 5, 9, 30, tzinfo=UTC)
DUE = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    options = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}
    return tmp_path


class TestPurging:
    @pytest.fixture
    def certificate(self, monkeypatch: pytest.MonkeyPatch) -> Certificate:
        """Its years are over, and its file was not made yet."""
        monkeypatch.setattr("tests.factories.certification.now", lambda: OLD)
        return issue(of=claim_of(issuing_programme()), now=OLD)

    def purge_all(self) -> dict[Kind, int]:
        found: dict[Kind, int] = {}
        for kind, number in purge(until=date(2024, 1, 1), now=DUE):
            found[kind] = found.get(kind, 0) + number
        return found

    def test_a_file_that_was_drawn_while_its_facts_went_is_not_kept(
        self, certificate: Certificate, media: Path
    ) -> None:
        made, gone = in_between(
            lambda: make_file(certificate_id=certificate.pk, now=DUE),
            self.purge_all,
            behind='FROM "certification_certificatefile"',
        )
        assert (made, gone) == (None, {Kind.FACTS: 1})
        assert (CertificateFile.objects.count(), list(media.rglob("*.pdf"))) == (0, [])

    def test_a_file_that_is_being_kept_is_waited_for_and_goes_too(self, certificate: Certificate, media: Path) -> None:
        made, gone = in_between(
            lambda: make_file(certificate_id=certificate.pk, now=DUE), self.purge_all, behind="FOR NO KEY UPDATE"
        )
        assert (made.certificate_id, gone) == (certificate.pk, {Kind.FACTS: 1, Kind.FILE: 1})
        assert (CertificateFile.objects.count(), list(media.rglob("*.pdf"))) == (0, [])
