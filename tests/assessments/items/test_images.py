"""Pictures of questions: taken in, and shown to nobody who has no business with them."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts.enums import Role
from accounts.models import User
from assessments.domain import images
from assessments.domain.images import LONGEST_SIDE, MOST_BYTES, ImageError, add_image, pictures_of, reencode
from assessments.domain.sheet import sheet_of
from assessments.enums import ItemKind
from assessments.models import Bank, ItemImage, Quiz
from assessments.rules import get_image_for
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.assessments.items.samples import DRAFTS
from tests.assessments.sitting import start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import SINGLE, BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory

pytestmark = pytest.mark.django_db
Encode = Callable[..., bytes]


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings: Any) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    return tmp_path


def encoded(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **how: Any) -> bytes:
    written = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(written, kind, **how)
    return written.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A file that claims to be that large, in 60 bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def files(storage: Path) -> list[Path]:
    return [path for path in storage.rglob("*") if path.is_file()]


class TestTakingIn:
    @pytest.mark.parametrize(
        ("data", "suffix"),
        [
            (encoded("JPEG"), "jpg"),
            (encoded("PNG"), "png"),
            (encoded("PNG", mode="LA"), "png"),
            (encoded("WEBP"), "png"),
            (encoded("GIF", mode="P"), "png"),
        ],
    )
    def test_it_is_stored_once_under_a_name_of_ours(self, storage: Path, data: bytes, suffix: str) -> None:
        bank = BankFactory.create()
        image = add_image(bank=bank, data=data, description=" A follicle\n of 18 mm ")
        assert (image.width, image.height, image.description) == (40, 30, "A follicle of 18 mm")
        [file] = files(storage)
        assert image.key == f"items/{file.name}"
        assert file.suffix == f".{suffix}"
        assert add_image(bank=bank, data=data, description="again") == image
        assert add_image(bank=BankFactory.create(), data=data, description="elsewhere") != image
        assert len(files(storage)) == 2

    def test_sec_23_nothing_but_pixels_comes_along(self, storage: Path) -> None:
        """Neither where it was taken nor what somebody hung on behind it; and it stands upright."""
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = 6, "SECRET patient"  # turned by 90 degrees; description
        data = encoded("JPEG", exif=exif, comment=b"SECRET comment") + b"<script>SECRET</script>"
        assert data.count(b"SECRET") == 3
        add_image(bank=BankFactory.create(), data=data, description="x")
        [file] = files(storage)
        assert b"SECRET" not in file.read_bytes()
        with Image.open(file) as kept:
            assert kept.size == (30, 40)
            assert not kept.getexif()

    @pytest.mark.parametrize("data", [png_header(6_000, 6_000), png_header(60_000, 60_000)])
    def test_sec_23_a_bomb_is_not_decoded(self, storage: Path, data: bytes) -> None:
        assert len(data) < 100
        with pytest.raises(ImageError, match="25 million pixels"):
            add_image(bank=BankFactory.create(), data=data, description="x")
        assert files(storage) == []

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"GIF89a",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"%PDF-1.7",
            b"PK\x03\x04" + b"\0" * 40,
            encoded("TIFF"),
            encoded("BMP"),
            encoded("JPEG")[:200],
            encoded("PNG")[:60],
            png_header(10, 10),
        ],
    )
    def test_sec_23_what_is_no_picture_is_refused_in_words(self, storage: Path, data: bytes) -> None:
        with pytest.raises(ImageError, match="no picture that can be read"):
            add_image(bank=BankFactory.create(), data=data, description="x")
        assert files(storage) == []
        assert not ItemImage.objects.exists()

    def test_sec_23_a_file_that_is_too_large_is_not_looked_at(self) -> None:
        with pytest.raises(ImageError, match="10 MB"):
            reencode(b"\0" * (MOST_BYTES + 1))

    def test_a_large_one_is_made_smaller(self) -> None:
        _data, _suffix, size = reencode(encoded("PNG", size=(LONGEST_SIDE * 2, 100)))
        assert size == (LONGEST_SIDE, 50)


def with_picture(**settings: Any) -> tuple[ItemImage, Quiz]:
    """A test of three questions, the second of which has it."""
    bank: Bank = BankFactory.create(programme=ProgrammeFactory.create())
    image = add_image(bank=bank, data=encoded(), description="An ovary")
    shown = {**SINGLE["shown"], "images": [image.pk]}
    items = [make_item(bank=bank), make_item(bank=bank, shown=shown), make_item(bank=bank)]
    return image, make_quiz(items=items, lesson__course__programme=bank.programme, **settings)


def may_see(user: User, image: ItemImage) -> bool:
    try:
        return get_image_for(user, image.pk) == image
    except Http404:
        return False


class TestDoor:
    def test_only_with_it_on_a_paper_of_ones_own(self) -> None:
        image, quiz = with_picture()
        doctor, other = candidate_of(quiz), candidate_of(quiz)
        assert [may_see(one, image) for one in (doctor, other)] == [False, False]
        start(quiz, doctor)
        assert [may_see(one, image) for one in (doctor, other)] == [True, False]
        Enrolment.objects.filter(user=doctor).update(status=EnrolmentStatus.WITHDRAWN)
        assert not may_see(doctor, image)

    def test_a_paper_without_it_opens_nothing(self) -> None:
        image, quiz = with_picture()
        doctor = candidate_of(quiz)
        other = make_quiz(items=[make_item(bank=image.bank)], lesson__course__programme=image.bank.programme)
        start(other, doctor)
        assert not may_see(doctor, image)

    def test_staff_of_its_programme_and_of_no_other(self) -> None:
        image, _quiz = with_picture()
        programme = image.bank.programme
        seen = {
            role: may_see(RoleGrantFactory.create(role=role, programme=programme).user, image)
            for role in (Role.MODERATOR, Role.OPERATOR, Role.PRESENTER, Role.SPONSOR, Role.AUDITOR)
        }
        assert [role for role, may in seen.items() if may] == [Role.MODERATOR, Role.OPERATOR, Role.PRESENTER]
        assert not may_see(RoleGrantFactory.create(role=Role.MODERATOR).user, image)

    def test_sec_29_no_looking_ahead_where_there_is_no_way_back(self) -> None:
        image, quiz = with_picture(is_one_way=True)
        doctor = candidate_of(quiz)
        attempt = start(quiz, doctor)
        assert not may_see(doctor, image)
        attempt.reached = 1
        attempt.save()
        assert may_see(doctor, image)

    def test_that_of_a_story_and_that_of_a_picture_to_point_into(self) -> None:
        bank: Bank = BankFactory.create()
        first, second = (add_image(bank=bank, data=encoded(size=(20, side)), description="x") for side in (20, 30))
        story = make_item(bank=bank, kind=ItemKind.VIGNETTE, shown={"images": [first.pk]}, key={})
        shown, key = DRAFTS["hotspot"]
        make_item(bank=bank, vignette=story, position=1, kind="hotspot", shown={**shown, "image": second.pk}, key=key)
        quiz = make_quiz(items=[story], lesson__course__programme=bank.programme)
        doctor = candidate_of(quiz)
        assert not may_see(doctor, first)
        attempt = start(quiz, doctor)
        assert may_see(doctor, first)
        assert may_see(doctor, second)
        assert list(sheet_of(attempt=attempt).lines[0].story_images) == [first.pk]


class TestPage:
    def test_the_file_is_kept_in_no_cache(self, client: Client) -> None:
        image, quiz = with_picture()
        doctor = candidate_of(quiz)
        start(quiz, doctor)
        client.force_login(doctor)
        response = client.get(f"/tests/images/{image.pk}/")
        assert response.status_code == 200
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert set(response["Cache-Control"].split(", ")) >= {"private", "no-store"}
        with Image.open(BytesIO(response.content)) as sent:
            assert sent.size == (40, 30)

    def test_a_stranger_cannot_tell_whether_it_exists(self, client: Client) -> None:
        image, _quiz = with_picture()
        client.force_login(UserFactory.create())
        answers = [client.get(f"/tests/images/{pk}/") for pk in (image.pk, image.pk + 1, 2**70)]
        assert [answer.status_code for answer in answers] == [404, 404, 404]

    def test_a_lost_file_is_as_absent(self, client: Client, storage: Path) -> None:
        image, _quiz = with_picture()
        (storage / image.key).unlink()
        client.force_login(RoleGrantFactory.create(role=Role.MODERATOR, programme=image.bank.programme).user)
        assert client.get(f"/tests/images/{image.pk}/").status_code == 404

    def test_a_question_shows_it_with_what_it_shows(self, client: Client) -> None:
        image, quiz = with_picture()
        doctor = candidate_of(quiz)
        attempt = start(quiz, doctor)
        client.force_login(doctor)
        page = client.get(f"/attempts/{attempt.pk}/?at=2").content.decode()
        assert page.count(f'src="/tests/images/{image.pk}/" alt="An ovary" width="40" height="30"') == 1

    def test_what_pages_tell_of_pictures_is_asked_once(self) -> None:
        image, _quiz = with_picture()
        images._kept.clear()
        with CaptureQueriesContext(connection) as queries:
            found = [pictures_of([image.pk, 10**9])[0].description for _ in range(3)]
        assert found == ["An ovary"] * 3
        assert len(queries) == 3  # for the one that does not exist: nobody knows whether it will
        with CaptureQueriesContext(connection) as queries:
            pictures_of([image.pk])
        assert len(queries) == 0
