"""Certificate templates in the office: written, looked at while they are written, fixed by the first certificate."""

import base64
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_redis import get_redis_connection
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from accounts.enums import Role
from certification.domain.issuing import issue
from certification.domain.templates import Signature, TemplateError, drawing_of, picture_of, save_template, small
from certification.models import CertificateTemplate
from courses.models import Programme
from tests.certification.earned import NOW, claim_of, issuing_programme
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
LOOK = {
    "heading": "Diploma",
    "above_name": "",
    "below_name": "",
    "paper": "letter",
    "accent": "#0a6b5e",
    "language": "en",
}
TEMPLATES = "/admin/certification/certificatetemplate/"
PICTURE = f"{TEMPLATES}picture/"
COUNTS = {"signatories-TOTAL_FORMS": 4, "signatories-INITIAL_FORMS": 0}
FIRST = {"signatories-0-name": "Prof. Sam Sample", "signatories-0-role": "Chair"}


def png(colour: str = "#0a6b5e", **options: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(written, "PNG", **options)
    return written.getvalue()


def upload(colour: str = "#0a6b5e") -> SimpleUploadedFile:
    return SimpleUploadedFile("p.png", png(colour))


def form(programme: Programme, **values: Any) -> dict[str, Any]:
    return {"programme": programme.pk, **LOOK, **COUNTS, **FIRST, **values}


def rows(*names: str) -> dict[str, Any]:
    """The rows of a template with these signatures, as the form shows them."""
    given: dict[str, Any] = {"signatories-TOTAL_FORMS": 4, "signatories-INITIAL_FORMS": len(names)}
    for at, name in enumerate(names):
        given |= {f"signatories-{at}-name": name, f"signatories-{at}-role": "", f"signatories-{at}-was": at}
        given |= {f"signatories-{at}-ORDER": at + 1}
    return given


def colours_of(template: CertificateTemplate) -> dict[int, Any]:
    """Of the signatures' pictures, by place."""
    found = {}
    for one in template.images.all():
        with Image.open(io.BytesIO(bytes(one.image))) as opened:
            found[one.position] = opened.convert("RGB").getpixel((5, 5))
    return found


RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    get_redis_connection("default").flushdb()


@pytest.fixture
def programme() -> Programme:
    made: Programme = ProgrammeFactory.create()
    return made


@pytest.fixture
def browser(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(programme=programme).user)


@pytest.fixture
def signed(programme: Programme) -> CertificateTemplate:
    """With two signatures and a logo."""
    signatures = [Signature("A", image=png("#ff0000")), Signature("B", image=png("#0000ff"))]
    return save_template(now=NOW, programme=programme, template=None, values=LOOK, signatures=signatures, logo=png())


def change(browser: Client, template: CertificateTemplate, **values: Any) -> Any:
    given = {**form(template.programme), **rows("A", "B"), **values}
    return browser.post(f"{TEMPLATES}{template.pk}/change/", given)


class TestSaving:
    def test_the_first_one_is_written_with_its_pictures(self, programme: Programme, browser: Client) -> None:
        files = {"logo": upload(), "signatories-0-image": upload()}
        assert browser.post(f"{TEMPLATES}add/", {**form(programme), **files}).status_code == 302
        row = CertificateTemplate.objects.get()
        assert (row.version, row.heading, row.paper) == (1, "Diploma", "letter")
        assert row.signatories == [{"name": "Prof. Sam Sample", "role": "Chair"}]
        assert Image.open(io.BytesIO(bytes(row.logo or b""))).size == (40, 20)
        assert row.images.get().position == 0

    def test_a_used_one_stays_and_the_next_version_takes_its_pictures_along(self) -> None:
        programme = issuing_programme()
        first = save_template(
            now=NOW,
            programme=programme,
            template=None,
            values=LOOK,
            signatures=[Signature("A", "B", png())],
            logo=png(),
        )
        issue(of=claim_of(programme), now=NOW)
        second = save_template(
            now=NOW,
            programme=programme,
            template=first,
            values={**LOOK, "heading": "Next"},
            signatures=[Signature("A", was=0)],
        )
        first.refresh_from_db()
        assert (first.heading, second.heading) == ("Diploma", "Next")
        assert (second.version, second.logo) == (first.version + 1, bytes(first.logo or b""))
        assert [bytes(one.image) for one in second.images.all()] == [bytes(one.image) for one in first.images.all()]

    def test_an_unused_one_is_changed_in_place(self, signed: CertificateTemplate, browser: Client) -> None:
        assert change(browser, signed, heading="X").status_code == 302
        row = CertificateTemplate.objects.get()
        assert (row.pk, row.heading, colours_of(row)) == (signed.pk, "X", {0: RED, 1: BLUE})

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"accent": "#ffffee"}, "Colour</strong>: This colour is too light to read on white paper."),
            ({"accent": "red"}, "valid value"),
            ({"logo": SimpleUploadedFile("l.png", b"<svg onload=alert(1)>")}, "Logo</strong>: This is no picture"),
            ({"heading": "Diploma \U0001f3c6"}, "No font has these characters: \U0001f3c6"),
            ({"signatories-0-name": "\U0001f3c6"}, "Signatures: No font has these characters"),
            ({"signatories-0-name": ""}, "Signature 1</strong>: Type the name, or remove this signature."),
        ],
    )
    def test_what_cannot_be_printed_is_told_beside_the_picture_and_not_saved(
        self, programme: Programme, browser: Client, values: dict[str, Any], words: str
    ) -> None:
        page = browser.post(f"{TEMPLATES}add/", form(programme, **values)).content.decode()
        assert words in page.partition("data-picture")[2]
        assert CertificateTemplate.objects.count() == 0

    def test_nothing_of_a_picture_but_its_pixels_comes_along(self, programme: Programme) -> None:
        secret = PngInfo()
        secret.add_text("Location", "4711 Secret Street")
        row = save_template(
            now=NOW, programme=programme, template=None, values=LOOK, signatures=[], logo=png(pnginfo=secret)
        )
        assert b"Secret Street" not in bytes(row.logo or b"")

    def test_a_picture_that_is_none_is_refused(self, programme: Programme) -> None:
        with pytest.raises(TemplateError):
            save_template(
                now=NOW, programme=programme, template=None, values=LOOK, signatures=[], logo=b"GIF89a nothing"
            )

    def test_another_programme_is_no_choice(self, browser: Client) -> None:
        assert browser.post(f"{TEMPLATES}add/", form(ProgrammeFactory.create())).status_code == 200
        assert CertificateTemplate.objects.count() == 0


class TestPicturesAndSignatures:
    def test_a_picture_goes_where_its_signature_goes(self, signed: CertificateTemplate, browser: Client) -> None:
        change(browser, signed, **{"signatories-0-ORDER": 2, "signatories-1-ORDER": 1})
        signed.refresh_from_db()
        assert [one["name"] for one in signed.signatories] == ["B", "A"]
        assert colours_of(signed) == {0: BLUE, 1: RED}

    def test_a_signature_is_removed_with_its_picture_and_the_other_keeps_its_own(
        self, signed: CertificateTemplate, browser: Client
    ) -> None:
        change(browser, signed, **{"signatories-0-DELETE": "on"})
        signed.refresh_from_db()
        assert ([one["name"] for one in signed.signatories], colours_of(signed)) == (["B"], {0: BLUE})

    def test_one_is_added_between_the_others(self, signed: CertificateTemplate, browser: Client) -> None:
        new = {"signatories-2-name": "C", "signatories-2-ORDER": 2, "signatories-1-ORDER": 3}
        change(browser, signed, **new)
        signed.refresh_from_db()
        assert [one["name"] for one in signed.signatories] == ["A", "C", "B"]
        assert colours_of(signed) == {0: RED, 2: BLUE}

    def test_pictures_are_removed_and_replaced(self, signed: CertificateTemplate, browser: Client) -> None:
        new = {"signatories-0-remove_image": "on", "signatories-1-image": upload("#ff0000"), "remove_logo": "on"}
        change(browser, signed, **new)
        signed.refresh_from_db()
        assert (colours_of(signed), signed.logo) == ({1: RED}, None)

    def test_a_new_logo_takes_the_place_of_the_old_one(self, signed: CertificateTemplate, browser: Client) -> None:
        before = bytes(signed.logo or b"")
        change(browser, signed, logo=upload("#ff0000"))
        signed.refresh_from_db()
        assert bytes(signed.logo or b"") not in (before, b"")

    def test_the_form_shows_which_pictures_are_there(self, signed: CertificateTemplate, browser: Client) -> None:
        page = browser.get(f"{TEMPLATES}{signed.pk}/change/").content.decode()
        assert page.count("The present picture of this signature") == 2
        assert page.count("The present logo") == 1
        assert page.count("data:image/png;base64,") == 3

    def test_a_fifth_signature_has_no_room(self, programme: Programme, browser: Client) -> None:
        many = {f"signatories-{at}-name": f"N{at}" for at in range(5)} | {"signatories-TOTAL_FORMS": 5}
        assert browser.post(f"{TEMPLATES}add/", form(programme, **many)).status_code == 200
        assert CertificateTemplate.objects.count() == 0

    def test_what_is_shown_of_a_picture_is_small(self) -> None:
        written = io.BytesIO()
        Image.effect_noise((2000, 2000), 90).convert("RGB").save(written, "JPEG")
        with Image.open(io.BytesIO(small(written.getvalue()))) as opened:
            assert (opened.format, max(opened.size)) == ("PNG", 120)


class TestThePicture:
    def drawn(self, page: str) -> tuple[int, int]:
        found = re.search(r'class="ct-picture" src="data:image/png;base64,([^"]+)"', page)
        assert found is not None
        size: tuple[int, int] = Image.open(io.BytesIO(base64.b64decode(found[1]))).size
        return size

    def test_without_a_script_a_button_shows_it_and_saves_nothing(self, programme: Programme, browser: Client) -> None:
        page = browser.post(f"{TEMPLATES}add/", form(programme, _preview="1")).content.decode()
        width, height = self.drawn(page)
        assert (width > height > 500, CertificateTemplate.objects.count()) == (True, 0)
        assert 'value="Prof. Sam Sample"' in page

    def test_while_somebody_types_it_is_drawn_and_nothing_is_kept(
        self, programme: Programme, browser: Client, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(30) as asked:
            page = browser.post(PICTURE, form(programme)).content.decode()
        assert self.drawn(page)[0] > 500
        assert "<form" not in page
        wrote = [one["sql"] for one in asked if re.match("(INSERT|UPDATE|DELETE)", one["sql"])]
        assert (wrote, CertificateTemplate.objects.count()) == ([], 0)

    def test_of_a_template_it_has_the_pictures_that_are_kept(
        self, signed: CertificateTemplate, browser: Client
    ) -> None:
        given = {**form(signed.programme), **rows("A", "B"), "template": signed.pk}
        with_pictures = browser.post(PICTURE, given).content
        gone = {"signatories-0-remove_image": "on", "signatories-1-remove_image": "on", "remove_logo": "on"}
        without = browser.post(PICTURE, {**given, **gone}).content
        assert with_pictures != without
        assert signed.images.count() == 2

    def test_what_is_wrong_stands_in_its_place(self, programme: Programme, browser: Client) -> None:
        page = browser.post(PICTURE, form(programme, accent="#ffffee")).content.decode()
        assert ("<img" in page, "This colour is too light" in page) == (False, True)

    def test_too_long_for_a_page_is_told_in_plain_words(self, programme: Programme) -> None:
        given: dict[str, Any] = {"programme": programme, "template": None, "signatures": []}
        with pytest.raises(TemplateError) as error:
            picture_of(values={**LOOK, "below_name": "Wherever " * 900}, **given)
        assert str(error.value) == "These texts are too long for one page. Please shorten them."

    def test_only_so_many_a_minute(self, browser: Client) -> None:
        answers = [browser.post(PICTURE, {}) for _ in range(41)]
        assert [one.status_code for one in answers] == [200] * 40 + [429]
        assert 1 <= int(answers[-1]["Retry-After"]) <= 60

    def test_it_is_asked_for_by_post(self, browser: Client) -> None:
        assert browser.get(PICTURE).status_code == 405

    def test_sec_28_nobody_draws_with_the_pictures_of_another_programme(self, signed: CertificateTemplate) -> None:
        other = ProgrammeFactory.create()
        elsewhere = signed_in(RoleGrantFactory.create(programme=other).user)
        given = {**form(other), **rows("A", "B"), "template": signed.pk}
        assert elsewhere.post(PICTURE, given).status_code == 404
        assert elsewhere.get(f"{TEMPLATES}add/?from={signed.pk}").status_code == 404
        for role in (Role.PRESENTER, Role.AUDITOR, Role.SPONSOR):
            person = RoleGrantFactory.create(programme=signed.programme, role=role).user
            assert signed_in(person).post(PICTURE, given).status_code in {302, 403}


class TestOnceUsed:
    @pytest.fixture
    def used(self, signed: CertificateTemplate) -> CertificateTemplate:
        issue(of=claim_of(signed.programme), now=NOW)
        signed.refresh_from_db()
        return signed

    def test_it_is_shown_and_cannot_be_typed_into(self, used: CertificateTemplate, browser: Client) -> None:
        page = browser.get(f"{TEMPLATES}{used.pk}/change/").content.decode()
        assert ("ct-picture" in page, 'name="heading"' in page) == (True, False)
        assert "Make version 2 from it" in page

    def test_one_click_begins_the_next_version_with_everything_of_it(
        self, used: CertificateTemplate, browser: Client
    ) -> None:
        page = browser.get(f"{TEMPLATES}{used.pk}/change/").content.decode()
        found = re.search(r'href="([^"]+[?]from=[^"]+)"', page)
        assert found is not None
        begun = browser.get(found[1]).content.decode()
        assert ('value="Diploma"' in begun, begun.count("The present picture")) == (True, 2)
        given = {**form(used.programme), **rows("A", "B"), "heading": "Second"}
        assert browser.post(found[1], given).status_code == 302
        new = CertificateTemplate.objects.get(version=2)
        assert (new.heading, colours_of(new), new.logo) == ("Second", {0: RED, 1: BLUE}, bytes(used.logo or b""))
        used.refresh_from_db()
        assert used.heading == "Diploma"

    def test_what_was_typed_before_somebody_used_it_is_not_lost(
        self, used: CertificateTemplate, browser: Client
    ) -> None:
        assert change(browser, used, heading="Typed").status_code == 302
        assert CertificateTemplate.objects.get(version=2).heading == "Typed"

    def test_the_list_says_which_one_is_in_use(self, used: CertificateTemplate, browser: Client) -> None:
        CertificateTemplateFactory.create(programme=used.programme)
        page = browser.get(TEMPLATES).content.decode()
        assert "Version 2 took its place" in page
        assert page.count("Certificates are issued with it") == 1

    def test_it_is_drawn_with_its_own_pictures(self, used: CertificateTemplate) -> None:
        plain = CertificateTemplateFactory.create(programme=used.programme, heading="Diploma", paper="letter")
        assert drawing_of(used) != drawing_of(plain)
