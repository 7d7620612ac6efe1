"""Writing questions in the office: every kind, rows, pictures, versions, two authors at once, the preview."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from accounts.enums import Role
from assessments.domain.keys import current_key
from assessments.enums import ItemKind, ItemState
from assessments.forms.writing.differences import differences
from assessments.forms.writing.editor import Editor
from assessments.forms.writing.tables import Table
from assessments.items import type_of
from assessments.models import Bank, Board, Item, ItemImage, ItemVersion
from courses.enums import LessonKind
from courses.models import Programme
from tests.assessments.items.samples import DRAFTS
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.assessments import BankFactory, candidate_of, make_item, make_quiz
from tests.factories.courses import LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": local}


@pytest.fixture
def programme() -> Programme:
    return ProgrammeFactory.create()


@pytest.fixture
def bank(programme: Programme) -> Bank:
    return BankFactory.create(programme=programme, title="Ovulation")


@pytest.fixture
def browser(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(role=Role.MODERATOR, programme=programme).user)


def png(width: int = 80, height: int = 60) -> SimpleUploadedFile:
    written = BytesIO()
    Image.new("RGB", (width, height), (10, 90, 90)).save(written, "PNG")
    return SimpleUploadedFile("scan.png", written.getvalue(), content_type="image/png")


def writing(item: Item) -> str:
    return reverse("admin:assessments_item_write", args=(item.pk,))


def begin(bank: Bank, kind: str, **more: Any) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"bank": bank.pk, "kind": kind, **more}.items())
    return f"{reverse('admin:assessments_item_add')}?{query}"


def rows(table: str, *given: dict[str, Any]) -> dict[str, Any]:
    fields = {f"{table}-{index}-{name}": value for index, row in enumerate(given) for name, value in row.items()}
    return {f"{table}-count": str(len(given)), **fields}


def as_sent(editor: Editor) -> dict[str, Any]:
    """What a browser sends of a form nobody touched."""
    data: dict[str, Any] = {"stand": editor.stand}

    def take(field: Any) -> None:
        value, name = field.value(), field.html_name
        if value is True:
            found = name.rpartition("-")[0].rpartition("-")
            data[f"{found[0]}-right" if field.widget_type == "oneofrows" else name] = (
                found[2] if field.widget_type == "oneofrows" else "on"
            )
        elif isinstance(value, list | tuple):
            data[name] = [str(one) for one in value]
        elif value not in (None, False):
            data[name] = str(value)

    for field in (*editor.general, *editor.details):
        take(field)
    for table in editor.tables.values():
        data[f"{table.of.name}-count"] = str(len(table.rows))
        for row in table:
            for field in row:
                take(field)
    return data


SINGLE = {
    "stem": "Which hormone surges\nbefore ovulation?",
    **rows(
        "options",
        {"text": "FSH", "why": "It rises a little."},
        {"text": "LH", "why": "The surge begins 36 hours before."},
        {"text": ""},
    ),
    "options-right": "1",
    "rationale": "LH it is.\n\nAlways.",
    "references": "NEJM 2024\n\nLancet 2023",
    "tags": "ovulation, hcg ,",
    "difficulty": "2",
}


class TestSaving:
    def test_a_new_question_with_all_that_belongs_to_it(
        self, browser: Client, bank: Bank, programme: Programme
    ) -> None:
        lecture = LessonFactory.create(course__programme=programme, kind=LessonKind.WEBINAR)
        topic = Board.objects.create(title="EFOG").topics.create(code="1.2", title="Cycle")
        extra = {"watch_lesson": lecture.pk, "watch_seconds": "12:30", "topics": [topic.pk], "exposure_percent": "20"}

        response = browser.post(begin(bank, "single"), {**SINGLE, **extra})

        item = Item.objects.get()
        version = item.version
        assert version is not None
        assert (response.status_code, response["Location"]) == (302, writing(item))
        assert (item.name, item.state, item.bank, item.tags, item.difficulty) == (
            "Which hormone surges before ovulation?", ItemState.DRAFT, bank, ["ovulation", "hcg"], 2,
        )  # fmt: skip
        assert version.stem == "Which hormone surges<br>before ovulation?"
        assert version.shown == {"options": [{"id": "a", "text": "FSH"}, {"id": "b", "text": "LH"}]}
        assert version.key == {
            "right": "b",
            "rationale": "<p>LH it is.</p><p>Always.</p>",
            "rationales": {"a": "It rises a little.", "b": "The surge begins 36 hours before."},
            "references": ["NEJM 2024", "Lancet 2023"],
        }
        assert (version.watch_lesson, version.watch_seconds, item.exposure_percent) == (lecture, 750, 20)
        assert list(item.topics.all()) == [topic]
        assert version.made_by is not None

    @pytest.mark.parametrize("kind", ItemKind.values)
    def test_saving_an_untouched_form_of_any_kind_changes_nothing(self, bank: Bank, browser: Client, kind: str) -> None:
        image = ItemImage.objects.create(
            bank=bank, key="items/x.png", sha256="x", width=800, height=600, description="A"
        )
        shown, key = type_of(kind).clean(shown=DRAFTS[kind][0], key=DRAFTS[kind][1])
        shown |= {"image": image.pk} if "image" in shown else {}
        shown |= {"images": [image.pk]} if "images" in shown else {}
        table = "<table><tbody><tr><td>x</td></tr></tbody></table>"
        stem = f"<p>What is it?</p><ul><li>one &lt; two</li><li>two</li></ul>{table}"
        item = make_item(bank=bank, kind=kind, shown=shown, key=key, stem=stem, tags=["x"], difficulty=3)
        sent = as_sent(Editor(bank=bank, kind=kind, item=item))

        response = browser.post(writing(item), sent, follow=True)

        assert "Nothing was changed." in response.content.decode()
        assert ItemVersion.objects.filter(item=item).count() == 1

    def test_what_a_key_was_corrected_to_is_what_one_edits(self, bank: Bank, browser: Client) -> None:
        item = make_item(bank=bank)
        assert item.version is not None
        corrected = {**item.version.key, "right": "c"}
        by = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
        item.version.revisions.create(number=1, key=corrected, reason="Wrong", made_by=by, made_at=item.version.made_at)
        sent = as_sent(Editor(bank=bank, kind="single", item=item)) | {"stem": "Now another?"}

        browser.post(writing(item), sent)

        newest = item.versions.get(number=2)
        assert (newest.stem, current_key(newest)["right"]) == ("Now another?", "c")

    def test_ready_at_once_and_a_vignette_only_with_its_questions(self, browser: Client, bank: Bank) -> None:
        told = browser.post(begin(bank, "vignette"), {"stem": "A woman of 30.", "do": "ready"}).content.decode()
        assert "is a vignette without questions" in told
        assert not Item.objects.exists()

        browser.post(begin(bank, "vignette"), {"stem": "A woman of 30.", "name": "Story"})
        story = Item.objects.get()
        part = f"{reverse('admin:assessments_item_add')}?vignette={story.pk}&kind=single"
        page = browser.get(part).content.decode()
        browser.post(part, {**SINGLE, "do": "ready"})
        browser.post(writing(story), {"stem": "A woman of 30.", "name": "Story", "stand": "1.0", "do": "ready"})

        assert "exposure_percent" not in page
        assert [(one.name, one.state) for one in Item.objects.order_by("pk")] == [
            ("Story", "ready"),
            ("Which hormone surges before ovulation?", "ready"),
        ]
        assert Item.objects.latest("pk").vignette == story
        assert "Which hormone surges" in browser.get(writing(story)).content.decode()

    def test_the_questions_of_a_vignette_are_put_in_order(self, browser: Client, bank: Bank) -> None:
        story = make_item(bank=bank, kind="vignette", shown={}, key={}, stem="Story")
        parts = [make_item(bank=bank, vignette=story, position=place, name=f"Part {place}") for place in (1, 2, 3)]
        foreign = make_item(bank=bank, name="Elsewhere")
        places = {f"place-{part.pk}": text for part, text in zip(parts, ("3", "1", "x"), strict=True)}

        browser.post(writing(story), {"do": "order", f"place-{foreign.pk}": "1", **places})

        assert list(story.parts.order_by("position").values_list("name", "position")) == [
            ("Part 2", 1), ("Part 1", 2), ("Part 3", 3),
        ]  # fmt: skip
        assert story.versions.count() == 1

    def test_the_form_asks_a_fixed_number_of_questions(self, browser: Client, bank: Bank) -> None:
        costs = []
        for count in (1, 3):
            story = make_item(bank=bank, kind="vignette", shown={}, key={}, stem="Story")
            for place in range(1, count + 1):
                make_item(bank=bank, vignette=story, position=place, tags=["x"] * count)
                Board.objects.create(title=f"Board {count}.{place}").topics.create(code="1", title="Cycle")
                LessonFactory.create(course__programme=bank.programme, kind=LessonKind.WEBINAR)
            browser.get(writing(story))
            with CaptureQueriesContext(connection) as asked:
                assert browser.get(writing(story)).status_code == 200
            costs.append(len(asked))
        assert costs[0] == costs[1]
        assert costs[0] <= 30

    def test_papers_keep_the_text_they_have(self, browser: Client, programme: Programme) -> None:
        quiz = make_quiz(items=1, lesson__course__programme=programme, attempts_allowed=None)
        item = Item.objects.get()
        done, still_open = candidate_of(quiz), candidate_of(quiz)
        hand_in(start(quiz, done))
        choose(start(quiz, still_open), 0, "b")
        sent = as_sent(Editor(bank=item.bank, kind="single", item=item)) | {"stem": "Another text?"}

        page = browser.get(writing(item)).content.decode()
        browser.post(writing(item), sent)

        assert "This question is on 2 papers. They keep the old text" in page
        assert set(quiz.attempts.values_list("paper__items__0__v", flat=True)) == {item.version_id}


class TestRows:
    def test_more_rows_keep_what_was_typed_and_save_nothing(self, browser: Client, bank: Bank) -> None:
        page = browser.post(begin(bank, "single"), {**SINGLE, "adds": "options"})

        table: Table = page.context["editor"].tables["options"]
        assert [row["text"].value() for row in table][:2] == ["FSH", "LH"]
        assert (len(table.rows), [row["name"].value() for row in table]) == (5, list("abcde"))
        assert "Not saved yet" not in page.content.decode()
        assert not Item.objects.exists()

    def test_order_and_removal(self, browser: Client, bank: Bank) -> None:
        given = rows(
            "entries",
            {"text": "third", "place": "3"},
            {"text": "first", "place": "1"},
            {"text": "gone", "place": "2", "gone": "on"},
            {"text": "second", "place": "2"},
        )
        browser.post(begin(bank, "ordering"), {"stem": "In order?", **given})

        version = ItemVersion.objects.get()
        texts = {one["id"]: one["text"] for one in version.shown["entries"]}
        assert [texts[name] for name in version.key["right"]] == ["first", "second", "third"]

    @pytest.mark.parametrize(
        ("kind", "sent", "told"),
        [
            ("single", {"options-right": ""}, "Say which answer is right."),
            ("single", {"stem": ""}, "It has no question text."),
            ("single", {"watch_seconds": "soon"}, "Write a time like 4:30"),
            ("single", {"watch_seconds": "4:30"}, "Choose the lecture, or take the minute away."),
            ("multiple", {"options-1-right": "on", "kind-rule": "partial"}, "Say how many may be chosen"),
            ("hotspot", {}, "Choose the picture."),
            ("numeric", rows("answers", {"right": "about five"}), "Give a number, with a point"),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_typed_is_lost(
        self, browser: Client, bank: Bank, kind: str, sent: dict[str, Any], told: str
    ) -> None:
        page = browser.post(begin(bank, kind), {**SINGLE, "name": "KEPT-NAME", **sent}).content.decode()

        assert told in page
        assert "Not saved yet. Please mend what is marked." in page
        assert ("KEPT-NAME" in page, "LH it is." in page) == (True, True)
        assert not Item.objects.exists()

    def test_a_name_that_is_taken(self, browser: Client, bank: Bank) -> None:
        make_item(bank=bank, name="Taken")
        page = browser.post(begin(bank, "single"), {**SINGLE, "name": "Taken"}).content.decode()
        assert "The bank has another question called “Taken”." in page


class TestPictures:
    def test_a_picture_survives_a_form_that_is_refused(self, browser: Client, bank: Bank) -> None:
        sent = {**SINGLE, **rows("pictures", {"description": "An ovary"}), "options-right": ""}
        refused = browser.post(begin(bank, "single"), {**sent, "pictures-0-file": png()})
        image = ItemImage.objects.get()
        kept = refused.context["editor"].tables["pictures"].rows[0]
        assert kept["image"].value() == str(image.pk)

        again = {**sent, "options-right": "1", "pictures-0-image": image.pk, "pictures-0-description": "Two ovaries"}
        browser.post(begin(bank, "single"), again)

        version = ItemVersion.objects.get()
        image.refresh_from_db()
        assert (version.shown["images"], image.description) == ([image.pk], "Two ovaries")

    def test_without_words_or_of_another_bank_it_is_refused(self, browser: Client, bank: Bank) -> None:
        foreign = ItemImage.objects.create(
            bank=BankFactory.create(), key="k", sha256="s", width=8, height=6, description="FOREIGN"
        )
        blank = {**SINGLE, **rows("pictures", {"description": ""}), "pictures-0-file": png()}
        stolen = {**SINGLE, **rows("pictures", {"description": "Mine now", "image": foreign.pk})}

        told = browser.post(begin(bank, "single"), blank).content.decode()
        browser.post(begin(bank, "single"), stolen)

        foreign.refresh_from_db()
        assert "Say what the picture shows" in told
        assert [one.shown.get("images") for one in ItemVersion.objects.all()] == [None]
        assert foreign.description == "FOREIGN"

    def test_areas_are_fields_of_the_grid_and_drawn_ones_stay(self, browser: Client, bank: Bank) -> None:
        sent = {
            "stem": "Where?",
            "kind-columns": "8",
            "kind-rows": "6",
            **rows("target", {"description": "A scan"}),
            **rows("areas", {"first": "C3", "last": "D4", "why": "There."}, {"first": "h6"}),
            "kind-points": "2",
        }
        browser.post(begin(bank, "hotspot"), {**sent, "target-0-file": png(800, 600)})

        item = Item.objects.get()
        assert item.version is not None
        assert item.version.shown == {
            "image": ItemImage.objects.get().pk, "size": [800, 600], "points": 2, "grid": [8, 6],
        }  # fmt: skip
        assert [one["at"] for one in item.version.key["areas"]] == [[200, 200, 399, 399], [700, 500, 800, 600]]
        page = browser.get(writing(item)).content.decode()
        assert ('value="C3"' in page, 'value="D4"' in page, page.count('class="right"')) == (True, True, 5)


class TestTwoAuthors:
    def test_the_second_one_sees_what_changed_and_loses_nothing(self, browser: Client, bank: Bank) -> None:
        item = make_item(bank=bank)
        mine = as_sent(Editor(bank=bank, kind="single", item=item)) | {"rationale": "MINE"}
        theirs = as_sent(Editor(bank=bank, kind="single", item=item)) | {"options-0-text": "THEIRS"}
        browser.post(writing(item), theirs)

        told = browser.post(writing(item), mine)
        page = told.content.decode()
        assert ("Somebody was faster" in page, "MINE" in page, "Answers 1 · Answer" in page) == (True, True, True)
        assert [(one.before, one.after) for one in told.context["newer_changes"]] == [("Option A", "THEIRS")]
        assert item.versions.count() == 2

        browser.post(writing(item), {**mine, "stand": told.context["editor"].stand})
        newest = item.versions.get(number=3)
        assert (newest.key["rationale"], newest.shown["options"][0]["text"]) == ("MINE", "Option A")

    def test_another_order_is_a_difference_of_its_own(self, browser: Client, bank: Bank) -> None:
        item = make_item(bank=bank)
        places = {f"options-{index}-place": place for index, place in enumerate(("2", "1", "3", "4"))}
        browser.post(writing(item), as_sent(Editor(bank=bank, kind="single", item=item)) | places)

        old, new = item.versions.order_by("number")
        assert [(one.where, one.before, one.after) for one in differences(kind="single", old=old, new=new)] == [
            (
                "Answers: order",
                "Option A · Option B · Option C · Option D",
                "Option B · Option A · Option C · Option D",
            )
        ]

    def test_versions_are_listed_with_what_they_changed(
        self, browser: Client, bank: Bank, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        item = make_item(bank=bank)
        for text in ("One", "Two", "Three"):
            sent = as_sent(Editor(bank=bank, kind="single", item=Item.objects.get())) | {"stem": f"{text}?"}
            browser.post(writing(item), sent)

        with django_assert_max_num_queries(24):
            page = browser.get(reverse("admin:assessments_item_versions_page", args=(item.pk,)))

        listed = page.context["listed"]
        assert [version.number for version, _changes in listed] == [4, 3, 2, 1]
        assert [(one.where, one.before, one.after) for one in listed[0][1]] == [("Question", "Two?", "Three?")]
        assert listed[3][1] is None


class TestPreview:
    def look(self, browser: Client, bank: Bank, kind: str, **sent: Any) -> str:
        address = reverse("admin:assessments_item_look", args=(bank.pk, kind))
        response = browser.post(address, sent)
        assert (response.status_code, response["X-Frame-Options"]) == (200, "SAMEORIGIN")
        return response.content.decode()

    def test_it_is_the_doctors_own_template_and_says_how_it_is_marked(self, browser: Client, bank: Bank) -> None:
        page = self.look(browser, bank, "single", **SINGLE)

        assert '<input type="radio" name="choice" value="b">' in page
        assert 'The right answer: <bdi>LH</bdi></span> <span class="chip good">gives 1 of 1' in page
        assert 'A wrong answer: <bdi>FSH</bdi></span> <span class="chip">gives 0 of 1' in page
        assert "The surge begins 36 hours before." in page
        assert not Item.objects.exists()

    @pytest.mark.parametrize("kind", ItemKind.values)
    def test_every_kind_is_shown_and_its_right_answer_has_full_marks(
        self, browser: Client, bank: Bank, kind: str
    ) -> None:
        image = ItemImage.objects.create(
            bank=bank, key="items/x.png", sha256="x", width=800, height=600, description="A"
        )
        shown, key = type_of(kind).clean(shown=DRAFTS[kind][0], key=DRAFTS[kind][1])
        shown |= {"image": image.pk} if "image" in shown else {}
        shown |= {"images": [image.pk]} if "images" in shown else {}
        item = make_item(bank=bank, kind=kind, shown=shown, key=key, stem="UNIQUE-STEM?")
        sent = as_sent(Editor(bank=bank, kind=kind, item=item))

        page = self.look(browser, bank, kind, item=item.pk, **sent)

        assert page.count("UNIQUE-STEM?") == 1
        assert "Not finished yet" not in page
        assert ("gives 1 of 1" in page) == (kind not in ("essay", "vignette"))

    @pytest.mark.parametrize("kind", ItemKind.values)
    def test_an_unfinished_one_is_shown_as_far_as_it_goes(self, browser: Client, bank: Bank, kind: str) -> None:
        odd = {
            "kind-most": "many",
            "kind-points": "x",
            "kind-least_words": "y",
            "kind-columns": "999",
            "difficulty": "9",
        }
        tables = {**rows("options", {"text": "One"}), **rows("stems", {"text": "Case", "right": "z?", "most": "q"})}
        more = {**rows("answers", {"right": "1e999"}), **rows("units", {"unit": "mg", "factor": "?"})}
        broken = {**rows("areas", {"drawn": "[1"}, {"drawn": '{"at": 5}'}), **rows("accepted", {"text": "*"})}

        page = self.look(browser, bank, kind, stem="Half a", **odd, **tables, **more, **broken, **rows("entries", {}))

        assert ("Half a" in page) == (kind != "hotspot")
        assert ("Not finished yet" in page) == (kind not in ("short", "vignette"))

    def test_sec_22_what_is_typed_is_cleaned(self, browser: Client, bank: Bank) -> None:
        evil = {
            name: f"{value}{SCRIPT}<img src=x onerror=alert(1)>" for name, value in SINGLE.items() if "text" in name
        }
        texts = dict.fromkeys(("stem", "rationale", "references"), SCRIPT + "<img src=x onerror=alert(1)>")
        page = self.look(browser, bank, "single", **{**SINGLE, **evil, **texts, "stem": f"Stem {SCRIPT}"})
        saved = browser.post(
            begin(bank, "single"), {**SINGLE, **evil, "stem": f"Stem {SCRIPT}", "name": SCRIPT}, follow=True
        )

        for text in (page, saved.content.decode()):
            assert SCRIPT not in text
            assert "<img src=x" not in text

    def test_a_part_stands_under_its_story(self, browser: Client, bank: Bank) -> None:
        story = make_item(bank=bank, kind="vignette", shown={}, key={}, stem="THE-STORY")
        page = self.look(browser, bank, "single", vignette=story.pk, **SINGLE)
        assert page.index("THE-STORY") < page.index("Which hormone surges")


class TestDoors:
    def test_banks_and_questions_of_another_programme_do_not_exist(self, browser: Client) -> None:
        foreign = BankFactory.create(title="FOREIGN")
        item = make_item(bank=foreign)
        story = make_item(bank=foreign, kind="vignette", shown={}, key={}, stem="SECRET-STORY")

        start_page = browser.get(begin(foreign, "single"))
        look = browser.post(reverse("admin:assessments_item_look", args=(foreign.pk, "single")), SINGLE)
        part = browser.get(f"{reverse('admin:assessments_item_add')}?vignette={story.pk}&kind=single")

        assert "FOREIGN" not in start_page.content.decode()
        assert (look.status_code, part.status_code) == (404, 404)
        assert [browser.get(writing(item)).status_code, browser.post(writing(item), SINGLE).status_code] == [403, 403]
        assert item.versions.count() == 1

    def test_sec_21_the_preview_wants_the_token(self, browser: Client, bank: Bank) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = browser.cookies
        address = reverse("admin:assessments_item_look", args=(bank.pk, "single"))
        assert strict.post(address, SINGLE).status_code == 403
        assert browser.get(address).status_code == 405

    def test_choosing_a_bank_and_a_kind_comes_first(self, browser: Client, bank: Bank) -> None:
        page = browser.get(reverse("admin:assessments_item_add")).content.decode()
        assert [page.count(f'name="kind" value="{kind}"') for kind in ItemKind.values] == [1] * 10
        assert "Ovulation" in page
        BankFactory.create(programme=bank.programme, title="Another")
        listed = f"?_changelist_filters=bank__id__exact%3D{bank.pk}%26kind%3Dx"
        page = browser.get(reverse("admin:assessments_item_add") + listed).content.decode()
        assert f'<option value="{bank.pk}" selected>' in page
        assert browser.get(begin(bank, "poem")).status_code == 404
