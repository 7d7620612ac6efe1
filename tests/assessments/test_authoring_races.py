"""Real threads and transactions: one question saved by several, one file taken in by several."""

from typing import Any

import pytest
from django.utils.timezone import now

from assessments.domain.authoring import AuthoringError, Content, Saved, save_item
from assessments.domain.bank_files import ImportReport, import_bank
from assessments.domain.formats import Reading
from assessments.domain.writing import Filing, write_question
from assessments.enums import ItemKind
from assessments.models import Item, ItemVersion
from tests.assessments.formats.drafts import EXAMPLES
from tests.assessments.test_races import at_once
from tests.factories.assessments import SINGLE, BankFactory

pytestmark = pytest.mark.django_db(transaction=True)


def content(stem: str, name: str = "One") -> Content:
    return Content(ItemKind.SINGLE, name, stem, SINGLE["shown"], SINGLE["key"])


def test_versions_saved_at_once_have_numbers_of_their_own() -> None:
    bank = BankFactory.create()
    item = save_item(bank=bank, content=content("0"), actor=None, now=now()).item

    def save(stem: str) -> Any:
        return lambda: save_item(bank=bank, content=content(stem), item=item, actor=None, now=now())

    different = at_once(*[save(str(number)) for number in range(1, 5)])
    same = at_once(*[save("the same") for _ in range(4)])

    assert [type(one) for one in different + same] == [Saved] * 8
    assert [one.has_new_version for one in different] == [True] * 4
    assert sum(one.has_new_version for one in same) == 1
    assert list(ItemVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert Item.objects.get().version == ItemVersion.objects.get(number=6)


def test_a_name_is_given_once() -> None:
    bank = BankFactory.create()

    found = at_once(*[lambda: save_item(bank=bank, content=content("x"), actor=None, now=now()) for _ in range(4)])

    assert sorted(type(one).__name__ for one in found) == ["AuthoringError"] * 3 + ["Saved"]
    assert all(isinstance(one, AuthoringError | Saved) for one in found)
    assert ItemVersion.objects.count() == 1


def test_the_same_file_by_two_at_once_is_there_once() -> None:
    bank = BankFactory.create()
    drafts = [EXAMPLES[kind] for kind in ("single", "matching", "essay")]

    def take() -> ImportReport:
        reading = Reading(drafts=list(drafts), places=[1, 2, 3])
        return import_bank(bank=bank, reading=reading, actor=None, now=now())

    first, second = at_once(take, take)

    assert first.errors == second.errors == []
    assert sorted(first.created + second.created) == sorted(draft.name for draft in drafts)
    assert sorted(first.unchanged + second.unchanged) == sorted(draft.name for draft in drafts)
    assert ItemVersion.objects.count() == len(drafts)


def test_of_two_who_began_with_the_same_version_one_is_told() -> None:
    bank = BankFactory.create()
    item = save_item(bank=bank, content=content("0"), actor=None, now=now()).item

    def write(stem: str) -> Any:
        return lambda: write_question(
            bank=bank, content=content(stem), filing=Filing(), item=item, stand="1.0", actor=None, now=now()
        )

    found = at_once(*[write(str(number)) for number in range(1, 5)])

    assert sorted(type(one).__name__ for one in found) == ["NewerError"] * 3 + ["Saved"]
    assert ItemVersion.objects.count() == 2
