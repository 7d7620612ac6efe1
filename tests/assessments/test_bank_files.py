"""Files into banks and back: good rows whole, bad ones not at all, the same file again nothing."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from accounts.models import AuditEvent
from assessments.domain.authoring import AuthoringError, Content, save_item, set_state
from assessments.domain.bank_files import ImportReport, drafts_of, export_bank, import_bank
from assessments.domain.formats import FORMATS, Reading
from assessments.domain.keys import current_key
from assessments.enums import ItemKind, ItemState
from assessments.items.base import Draft, ItemError
from assessments.models import Bank, Item, ItemImage, ItemVersion, KeyRevision
from tests.assessments.formats.drafts import EXAMPLES, picture
from tests.factories.accounts import UserFactory
from tests.factories.assessments import SINGLE, BankFactory

pytestmark = pytest.mark.django_db
ALL = list(EXAMPLES.values())


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": local}


@pytest.fixture
def bank() -> Bank:
    return BankFactory.create()


def take(bank: Bank, drafts: list[Draft], *, dry_run: bool = False) -> ImportReport:
    reading = Reading(drafts=drafts, places=list(range(1, len(drafts) + 1)))
    return import_bank(bank=bank, reading=reading, actor=None, now=now(), dry_run=dry_run)


def content(**changes: Any) -> Content:
    fields: dict[str, Any] = {"kind": ItemKind.SINGLE, "name": "One", "stem": "<p>Which?</p>", **SINGLE}
    return Content(**{**fields, **changes})


class TestSaving:
    def test_only_a_changed_content_makes_a_version(self, bank: Bank) -> None:
        author = UserFactory.create()
        item = save_item(bank=bank, content=content(), actor=author, now=now()).item

        same = save_item(bank=bank, content=content(), item=item, actor=author, now=now())
        filed = save_item(bank=bank, content=content(tags=("new",), name="Other"), item=item, actor=author, now=now())
        other = save_item(bank=bank, content=content(stem="<p>What?</p>"), item=item, actor=author, now=now())

        assert (same.is_changed, same.has_new_version) == (False, False)
        assert (filed.is_changed, filed.has_new_version) == (True, False)
        assert (other.is_changed, other.has_new_version) == (True, True)
        versions = ItemVersion.objects.filter(item=item).values_list("number", "stem", "made_by")
        assert list(versions) == [(1, "<p>Which?</p>", author.pk), (2, "<p>What?</p>", author.pk)]
        assert Item.objects.get(pk=item.pk).version_id == other.item.version_id

    def test_the_state_stays(self, bank: Bank) -> None:
        item = save_item(bank=bank, content=content(), actor=None, now=now()).item
        assert item.state == ItemState.DRAFT
        set_state(item=item, state=ItemState.READY)

        saved = save_item(bank=bank, content=content(stem="<p>New</p>"), item=item, actor=None, now=now())

        assert Item.objects.get(pk=item.pk).state == ItemState.READY
        assert saved.item.version is not None
        assert saved.item.version.number == 2

    def test_what_the_kind_refuses_is_not_saved(self, bank: Bank) -> None:
        bad = content(key={**SINGLE["key"], "right": "z"})

        with pytest.raises(ItemError):
            save_item(bank=bank, content=bad, actor=None, now=now())

        assert list(Item.objects.all()) == []

    def test_a_name_is_taken_once_and_a_kind_stays(self, bank: Bank) -> None:
        item = save_item(bank=bank, content=content(), actor=None, now=now()).item

        with pytest.raises(AuthoringError, match="another question called"):
            save_item(bank=bank, content=content(), actor=None, now=now())
        truth = content(kind=ItemKind.TRUE_FALSE, shown={}, key={"right": True})
        with pytest.raises(AuthoringError, match="another kind"):
            save_item(bank=bank, content=truth, item=item, actor=None, now=now())

        assert [one.name for one in Item.objects.all()] == ["One"]

    def test_pictures_are_of_the_same_bank(self, bank: Bank) -> None:
        foreign = ItemImage.objects.create(bank=BankFactory.create(), key="x", sha256="x", width=1, height=1)

        shown = {**SINGLE["shown"], "images": [foreign.pk]}

        with pytest.raises(ItemError, match="pictures of this"):
            save_item(bank=bank, content=content(shown=shown), actor=None, now=now())

    def test_a_vignette_is_ready_with_its_questions(self, bank: Bank) -> None:
        empty = save_item(
            bank=bank, content=content(kind=ItemKind.VIGNETTE, shown={}, key={}, name="Case"), actor=None, now=now()
        ).item
        with pytest.raises(AuthoringError, match="without questions"):
            set_state(item=empty, state=ItemState.READY)

        parts = [
            save_item(bank=bank, content=content(name=name), vignette=empty, actor=None, now=now()).item
            for name in ("a", "b")
        ]
        set_state(item=empty, state=ItemState.READY)

        rows = Item.objects.filter(vignette=empty).order_by("position").values_list("pk", "position", "state")
        assert list(rows) == [(parts[0].pk, 1, "ready"), (parts[1].pk, 2, "ready")]


class TestImporting:
    def test_every_kind_arrives_and_comes_back_as_it_was(self, bank: Bank) -> None:
        report = take(bank, ALL)

        assert report.errors == []
        assert report.created == [one.name for one in ALL]
        back = {one.name: one for one in drafts_of(bank, Item.objects.all())}
        for draft in ALL:
            assert replace(back[draft.name], images={}, parts=()) == replace(draft, images={}, parts=())
            assert list(back[draft.name].images) == list(draft.images)
            assert [one.name for one in back[draft.name].parts] == [one.name for one in draft.parts]

    def test_the_same_again_changes_nothing(self, bank: Bank) -> None:
        take(bank, ALL)
        before = (ItemVersion.objects.count(), ItemImage.objects.count())

        report = take(bank, ALL)

        assert report.unchanged == [one.name for one in ALL]
        assert (ItemVersion.objects.count(), ItemImage.objects.count()) == before

    @pytest.mark.parametrize("name", ["moodle", "qti"])
    def test_what_was_exported_is_the_same_bank(self, bank: Bank, name: str) -> None:
        photograph = replace(EXAMPLES["single"], name="Photo", images={"A scan.png": picture(900, 700)})
        take(bank, [*ALL, photograph])

        writing = export_bank(bank=bank, form=FORMATS[name], actor=None, now=now())
        reading = FORMATS[name].read(writing.data)
        again = import_bank(bank=bank, reading=reading, actor=None, now=now())

        assert writing.losses == []
        assert (again.errors, again.created, again.changed) == ([], [], [])
        assert len(again.unchanged) == len(ALL) + 1

    def test_a_dry_run_says_the_same_and_leaves_nothing(self, bank: Bank, tmp_path: Path) -> None:
        bad = replace(EXAMPLES["single"], name="Bad", images={"x.png": b"no picture"})

        rehearsed = take(bank, [*ALL, bad], dry_run=True)
        nothing = (Item.objects.count(), ItemImage.objects.count(), AuditEvent.objects.count())
        done = take(bank, [*ALL, bad])

        assert nothing == (0, 0, 0)
        assert rehearsed == done
        assert [one.name for one in done.errors] == ["Bad"]

    def test_a_vignette_with_a_bad_question_is_not_there_at_all(self, bank: Bank) -> None:
        vignette = EXAMPLES["vignette"]
        broken = replace(vignette.parts[1], images={"x.png": b"no picture"})

        report = take(bank, [replace(vignette, parts=(vignette.parts[0], broken)), EXAMPLES["single"]])

        assert [one.name for one in report.errors] == [vignette.name]
        assert [one.name for one in Item.objects.all()] == [EXAMPLES["single"].name]

    def test_a_question_of_a_vignette_is_not_taken_out_of_it(self, bank: Bank) -> None:
        take(bank, [EXAMPLES["vignette"]])

        report = take(bank, [replace(EXAMPLES["single"], name="First of it")])

        assert [one.text for one in report.errors] == [
            "“First of it” is already a question of the vignette “The vignette one”: give this one another name."
        ]

    def test_a_corrected_key_goes_out_and_does_not_come_back_as_a_change(self, bank: Bank) -> None:
        take(bank, [EXAMPLES["single"]])
        version = ItemVersion.objects.get()
        key = {**version.key, "right": "a"}
        KeyRevision.objects.create(
            version=version, number=1, key=key, reason="Wrong key", made_by=UserFactory.create(), made_at=now()
        )

        [draft] = drafts_of(bank, Item.objects.all())

        assert current_key(version)["right"] == draft.key["right"] == "a"
        assert take(bank, [draft]).unchanged == [draft.name]

    def test_areas_follow_a_picture_that_is_made_smaller(self, bank: Bank) -> None:
        hotspot = EXAMPLES["hotspot"]
        areas = [{"id": "1", "shape": "rect", "at": [0, 0, 1_500, 150]}]
        large = replace(
            hotspot,
            shown={**hotspot.shown, "size": [3_000, 300], "grid": [8, 2], "points": 1},
            key={**hotspot.key, "areas": areas, "rule": "all"},
            images={"Large.png": picture(3_000, 300)},
        )

        assert take(bank, [large]).errors == []

        version = ItemVersion.objects.get()
        assert version.shown["size"] == [2_400, 240]
        assert version.key["areas"][0]["at"] == [0, 0, 1_200, 120]

    def test_files_of_keys_are_audited(self, bank: Bank) -> None:
        author = UserFactory.create()
        reading = Reading(drafts=[EXAMPLES["single"]], places=[1])

        import_bank(bank=bank, reading=reading, actor=author, now=now())
        export_bank(bank=bank, form=FORMATS["gift"], actor=author, now=now())

        events = AuditEvent.objects.order_by("pk").values_list("action", "actor", "subject_id")
        assert list(events) == [("bank.imported", author.pk, str(bank.pk)), ("bank.exported", author.pk, str(bank.pk))]


class TestCommands:
    def run(self, *words: str) -> tuple[str, str, int]:
        out, err, code = StringIO(), StringIO(), 0
        try:
            call_command(*words, stdout=out, stderr=err, no_color=True)
        except SystemExit as ended:
            code = int(str(ended.code))
        return out.getvalue(), err.getvalue(), code

    def test_in_again_and_out(self, bank: Bank, tmp_path: Path) -> None:
        path, slug = tmp_path / "bank.zip", bank.programme.slug
        path.write_bytes(FORMATS["qti"].write(ALL).data)

        rehearsed = self.run("import_items", slug, "New bank", str(path), "--dry-run")
        left = Bank.objects.filter(title="New bank").count()
        first = self.run("import_items", slug, "New bank", str(path))
        second = self.run("import_items", slug, "New bank", str(path))
        written = self.run("export_items", slug, "New bank", str(tmp_path / "out.csv"), "--format", "csv")

        total = len(ALL)
        assert rehearsed[0].startswith(f"Dry run, nothing was changed. IMS QTI 2.1, {total} questions: {total} new")
        assert left == 0
        assert first == (
            f"IMS QTI 2.1, {total} questions: {total} new, 0 changed, 0 the same, 0 left out. A new bank.\n",
            "",
            0,
        )
        assert second[0] == f"IMS QTI 2.1, {total} questions: 0 new, 0 changed, {total} the same, 0 left out.\n"
        assert "The hotspot one" in written[1]
        assert FORMATS["csv"].read((tmp_path / "out.csv").read_bytes()).errors == []

    def test_bad_rows_are_told_and_the_exit_code_is_1(self, bank: Bank, tmp_path: Path) -> None:
        path = tmp_path / "questions.txt"
        path.write_text("Good?\nA. yes\nB. no\nANSWER: A\n\nBad?\nA. yes\nB. no\nANSWER: C\n")

        out, err, code = self.run("import_items", bank.programme.slug, bank.title, str(path))

        assert (code, out) == (1, "Aiken, 2 questions: 1 new, 0 changed, 0 the same, 1 left out.\n")
        assert err == "left out: 6 “Bad?”: Its line “ANSWER: …” has to name one letter of its answers.\n"
        assert [one.name for one in Item.objects.all()] == ["Good?"]

    def test_what_is_not_there_is_named(self, bank: Bank, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="No programme is called"):
            call_command("import_items", "nowhere", "x", str(tmp_path / "x"))
        with pytest.raises(CommandError, match="No such file"):
            call_command("import_items", bank.programme.slug, "x", str(tmp_path / "x"))
        with pytest.raises(CommandError, match=f"There is: {bank.title}"):
            call_command("export_items", bank.programme.slug, "x", str(tmp_path / "x"))
