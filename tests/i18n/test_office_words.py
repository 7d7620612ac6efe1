"""What is refused about certificates is read by the office: in its language, whatever the certificate's is."""

from typing import Any

import pytest
from django.utils import translation

from certification.domain.facts import NotPrintableError, design_of
from certification.domain.issuing import NoTemplateError, ReasonError, issue, issue_batch, revoke
from certification.domain.keys import NoKeyError, newest_key
from tests.certification.earned import NOW, claim_of, doctor, issuing_programme
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import ProgrammeFactory
from tests.i18n.catalogue import CODE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("made_up_language")]


def is_translated(told: object) -> bool:
    text = str(told)
    return text.startswith("⟦") and text.endswith("⟧")


def test_what_hinders_issuing_is_translated() -> None:
    with pytest.raises(NoTemplateError) as none:
        issue(of=claim_of(ProgrammeFactory.create()), now=NOW)
    programme = issuing_programme()
    nameless = claim_of(programme, user=doctor(first_name="", last_name=""))
    unwritten = claim_of(programme, user=doctor(last_name="\U0001f3c6"))
    refused = issue_batch(programme=programme, sources=[nameless, unwritten], now=NOW).refused
    told = [none.value, *refused.values()]
    with pytest.raises(ReasonError) as reason:
        revoke(certificate=issue(of=claim_of(programme), now=NOW), reason=" ", actor=None, now=NOW)
    assert [is_translated(one) for one in (*told, reason.value)] == [True] * 4


def test_what_is_wrong_with_a_template_is_told_in_the_office_s_language_not_in_the_document_s() -> None:
    with pytest.raises(NotPrintableError) as error:
        design_of(CertificateTemplateFactory.create(accent="#ffffee", language="en"))
    assert (error.value.field, is_translated(error.value.plain)) == ("accent", True)
    with translation.override("en"):
        with pytest.raises(NotPrintableError) as error:
            design_of(CertificateTemplateFactory.create(accent="#ffffee", language=CODE))
        assert str(error.value) == "Colour: This colour is too light to read on white paper."


def test_a_missing_key_is_told_too(settings: Any) -> None:
    settings.CERTIFICATE_KEYS = ()
    with pytest.raises(NoKeyError) as error:
        newest_key()
    assert is_translated(error.value)
