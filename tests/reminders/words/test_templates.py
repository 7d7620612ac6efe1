"""The words of messages as rows: built in, copied, changed without changing what was sent, found for a language."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from reminders.domain.builtin_words import built_in_set, renew
from reminders.domain.templates import TemplateError, copy_set, library, mark_used, save_template, template_for
from reminders.enums import Channel, Kind
from reminders.models import MessageTemplate, TemplateSet
from reminders.rendering.builtin import all_words
from tests.reminders.factories import NOW, MessageTemplateFactory, TemplateSetFactory

pytestmark = pytest.mark.django_db
PLACE = {"kind": Kind.LIVE, "channel": Channel.EMAIL, "language": "en"}
WORDS = {"subject": "Live", "preheader": "", "body": "Dear {{ doctor.name }},\n\nnow.", "button": "Join"}


@pytest.fixture
def own() -> TemplateSet:
    made: TemplateSet = TemplateSetFactory.create()
    return made


def save(template_set: TemplateSet, **values: Any) -> MessageTemplate:
    place = {name: values.pop(name, value) for name, value in PLACE.items()}
    return save_template(template_set=template_set, **place, values={**WORDS, **values}, now=NOW)


class TestBuiltIn:
    def test_all_words_become_rows_once(self) -> None:
        made = built_in_set()
        assert built_in_set() == made
        assert renew() == 0
        rows = Counter(made.templates.values_list("kind", "channel", "language", "version", "is_current"))
        assert rows == Counter((one.kind, one.channel, one.language, 1, True) for one in all_words())

    def test_words_that_changed_replace_what_nobody_was_sent(self) -> None:
        row = built_in_set().templates.get(**PLACE)
        before = row.body
        MessageTemplate.objects.filter(pk=row.pk).update(body="of the last release")
        assert renew() == 1
        row.refresh_from_db()
        assert (row.body, row.version) == (before, 1)

    def test_words_that_were_sent_stay_and_the_new_ones_are_the_next_version(self) -> None:
        row = built_in_set().templates.get(**PLACE)
        MessageTemplate.objects.filter(pk=row.pk).update(body="of the last release", used_at=NOW)
        assert renew() == 1
        row.refresh_from_db()
        assert (row.body, row.is_current) == ("of the last release", False)
        new = built_in_set().templates.get(**PLACE, is_current=True)
        assert new.version == 2

    def test_a_title_that_somebody_took_is_left_to_them(self) -> None:
        TemplateSetFactory.create(title="Built-in")
        assert built_in_set().title == "Built-in 2"

    def test_a_command_renews_them_after_a_release(self) -> None:
        said = StringIO()
        for _ in range(2):
            call_command("builtin_words", stdout=said)
        assert said.getvalue().splitlines() == [
            f"{len(all_words())} built-in messages written.",
            "Nothing has changed.",
        ]

    def test_nobody_changes_them(self) -> None:
        made = built_in_set()
        with pytest.raises(TemplateError, match="Make a copy"):
            save(made)
        assert made.templates.get(**PLACE).subject == "We are live: {{ webinar.title }}"


class TestSaving:
    def test_words_are_written_for_a_place_and_told_to_the_audit_trail(self, own: TemplateSet) -> None:
        row = save(own)
        assert (row.subject, row.version, row.is_current, row.used_at) == ("Live", 1, True, None)
        (event,) = AuditEvent.objects.filter(action="message_template.saved")
        assert event.details == {
            "set": own.title, "kind": "live", "channel": "email", "language": "en", "version": 1,
        }  # fmt: skip

    def test_unsent_words_are_changed_where_they_stand(self, own: TemplateSet) -> None:
        first, second = save(own), save(own, subject="On air")
        assert (second.pk, second.version, second.subject) == (first.pk, 1, "On air")

    def test_sent_words_stay_as_they_were(self, own: TemplateSet) -> None:
        first = save(own)
        mark_used([first.pk], now=NOW)
        second = save(own, subject="On air")
        first.refresh_from_db()
        assert (first.subject, first.is_current) == ("Live", False)
        assert (second.subject, second.version, second.is_current) == ("On air", 2, True)

    def test_the_same_words_again_make_no_version(self, own: TemplateSet) -> None:
        first = save(own)
        mark_used([first.pk], now=NOW)
        assert save(own).pk == first.pk
        assert AuditEvent.objects.filter(action="message_template.saved").count() == 1

    def test_only_the_first_use_is_noted(self, own: TemplateSet) -> None:
        row = save(own)
        mark_used([row.pk], now=NOW)
        mark_used([row.pk], now=NOW.replace(year=2030))
        row.refresh_from_db()
        assert row.used_at == NOW

    @pytest.mark.parametrize(
        ("values", "fields"),
        [
            ({"body": ""}, ["body"]),
            ({"subject": "", "body": ""}, ["subject", "body"]),
            ({"subject": "{{ secret.key }}"}, ["subject"]),
            ({"body": "{% load i18n %}"}, ["body"]),
            ({"button": "{{ doctor.nam }}", "preheader": "{doctor.name}"}, ["preheader", "button"]),
            ({"body": "see https://elsewhere.example"}, ["body"]),
        ],
    )
    def test_what_is_wrong_is_said_by_field_and_nothing_saved(
        self, own: TemplateSet, values: dict[str, str], fields: list[str]
    ) -> None:
        with pytest.raises(TemplateError) as refused:
            save(own, **values)
        assert [field for field, _told in refused.value.problems] == fields
        assert not own.templates.exists()

    def test_whatsapp_wants_its_approved_name_and_known_places(self, own: TemplateSet) -> None:
        with pytest.raises(TemplateError) as refused:
            save(own, channel=Channel.WHATSAPP, approved_places=["doctor.name", "watch.to_go"])
        assert [field for field, _told in refused.value.problems] == ["approved_name", "approved_places"]
        for wrong in ("Live 1", "live/english", "live/en-GB", "HX1", "https://evil.example", "live/en_GB/x"):
            with pytest.raises(TemplateError) as refused:
                save(own, channel=Channel.WHATSAPP, approved_name=wrong)
            assert [field for field, _told in refused.value.problems] == ["approved_name"], wrong
        for name in ("live/en_GB", "live_1/pt", f"HX{'0a' * 16}"):
            assert save(own, channel=Channel.WHATSAPP, approved_name=name).approved_name == name
        row = save(own, channel=Channel.WHATSAPP, approved_name="live_1", approved_places=["doctor.name"])
        assert (row.approved_name, row.approved_places, row.subject) == ("live_1", ["doctor.name"], "")


class TestCopying:
    def test_a_copy_has_the_current_words_and_is_ones_own(self) -> None:
        made = built_in_set()
        old = made.templates.get(**PLACE)
        MessageTemplate.objects.filter(pk=old.pk).update(used_at=NOW, body="old")
        renew()
        copy = copy_set(template_set=made, title="Society", now=NOW)
        assert not copy.is_builtin
        rows = copy.templates.all()
        assert {(row.kind, row.channel, row.body) for row in rows} == {
            (one.kind, one.channel, one.body) for one in all_words()
        }
        assert {(row.version, row.is_current, row.used_at) for row in rows} == {(1, True, None)}
        save(copy, subject="Ours")
        assert made.templates.get(**PLACE, is_current=True).subject == "We are live: {{ webinar.title }}"

    def test_a_title_is_given_once(self, own: TemplateSet) -> None:
        with pytest.raises(TemplateError) as refused:
            copy_set(template_set=own, title=own.title, now=NOW)
        assert [field for field, _told in refused.value.problems] == ["title"]
        assert TemplateSet.objects.filter(title=own.title).count() == 1


class TestFinding:
    @pytest.mark.parametrize(
        ("there", "asked", "found"),
        [
            (["en", "pt", "pt-br"], "pt-br", "pt-br"),
            (["en", "pt"], "pt-br", "pt"),
            (["en", "pt"], "fr", "en"),
            (["en"], "en", "en"),
            (["pt"], "fr", None),
        ],
    )
    def test_the_nearest_language(self, own: TemplateSet, there: list[str], asked: str, found: str | None) -> None:
        for language in there:
            MessageTemplateFactory.create(template_set=own, **{**PLACE, "language": language})
        template = template_for(own, Kind.LIVE, Channel.EMAIL, asked)
        assert (template.language if template else None) == found

    def test_neither_another_set_nor_kind_nor_channel_nor_version(self, own: TemplateSet) -> None:
        MessageTemplateFactory.create(**PLACE)
        MessageTemplateFactory.create(template_set=own, **{**PLACE, "kind": Kind.SOON})
        MessageTemplateFactory.create(template_set=own, **{**PLACE, "channel": Channel.INBOX})
        MessageTemplateFactory.create(template_set=own, **PLACE, is_current=False)
        assert template_for(own, Kind.LIVE, Channel.EMAIL, "en") is None

    def test_one_query_for_all_words_of_several_sets(self, own: TemplateSet) -> None:
        built_in = built_in_set()
        with CaptureQueriesContext(connection) as captured:
            words = library([own.pk, built_in.pk])
            assert words.find(own.pk, Kind.LIVE, Channel.EMAIL, "en") is None
            assert words.find(built_in.pk, Kind.LIVE, Channel.EMAIL, "en") is not None
        assert len(captured) == 1
