"""How many people are in a room, added up over processes."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from tests.factories.webinars import WebinarFactory
from webinars.domain.presence import FORGOTTEN, FRESH, People, people_in, process_name, report
from webinars.models import Presence

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_processes_add_up_while_their_numbers_are_fresh() -> None:
    room, other = WebinarFactory.create().pk, WebinarFactory.create().pk
    at = now()
    assert report({room: {1: "IN", 2: "DE", 3: ""}, other: {9: "IN"}}, process="a", now=at) == {room: 3, other: 1}
    assert report({room: {4: "IN"}}, process="b", now=at + SECOND) == {room: 4}
    assert people_in(room, now=at + SECOND) == People(4, {"IN": 2, "DE": 1})
    assert report({room: {4: "IN"}}, process="b", now=at + FRESH) == {room: 1}  # a has died
    assert people_in(room, now=at + FRESH) == People(1, {"IN": 1})


def test_an_emptied_room_counts_nobody_on() -> None:
    room, at = WebinarFactory.create().pk, now()
    report({room: {1: "IN"}}, process="a", now=at)
    assert report({room: {}}, process="a", now=at + SECOND) == {room: 0}
    assert people_in(room, now=at + SECOND) == People()


def test_rows_of_dead_processes_go_and_a_room_that_is_gone_is_left_out() -> None:
    room, at = WebinarFactory.create().pk, now()
    report({room: {1: ""}}, process="dead", now=at)
    report({room: {2: ""}, 10**12: {3: ""}}, process="alive", now=at + FORGOTTEN + SECOND)
    assert list(Presence.objects.values_list("process", "people")) == [("alive", 1)]


def test_a_process_has_one_name_that_fits() -> None:
    assert process_name() == process_name()
    assert len(process_name()) <= (Presence._meta.get_field("process").max_length or 0)
