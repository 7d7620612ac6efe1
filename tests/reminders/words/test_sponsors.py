"""Messages without sponsors: refused where words are written, looked at once more at sending, named in a line apart."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.enums import Role
from certification.models import Discloser, Disclosure
from courses.models import Programme
from reminders.domain import sponsors
from reminders.domain.builtin_words import built_in_set
from reminders.domain.campaigns import CampaignError, not_ready, save_campaign
from reminders.domain.composing import compose
from reminders.domain.journeys import PolicyError, save_policy
from reminders.domain.templates import TemplateError, save_template
from reminders.enums import Channel, Kind, SkipReason
from reminders.models import Campaign, Delivery, InboxItem, MessagePolicy, MessageTemplate, TemplateSet
from reminders.rendering.placeholders import COMMON, GROUPS, check
from reminders.rendering.sponsors import label_of, named_in, sought
from reminders.transports.base import Outgoing
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.reminders.factories import (
    NOW,
    CampaignFactory,
    DeliveryFactory,
    MessagePolicyFactory,
    MessageTemplateFactory,
    Scene,
    TemplateSetFactory,
    scene,
)
from tests.signing_in import signed_in


class TestNames:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("With thanks to Northlight Diagnostics.", "Northlight Diagnostics"),
            ("with thanks to NORTHLIGHT diagnostics®", "Northlight Diagnostics Ltd."),
            ("North-Light Diagnostics brings you", "Northlight Diagnostics"),
            ("Northlight\u200b Diag\u00adnostics", "Northlight Diagnostics"),
            ("N\u00f6rthlight Diagnostics", "Northlight Diagnostics"),
            ("\uff22\uff41\uff59\uff45\uff52 pays", "Bayer AG"),
            ("BAYER's stand", "Bayer"),
            ("Besuchen Sie MSD!", "MSD"),
            ("由北光公司赞助", "北光公司"),
            ("برعاية شركة نور", "نور"),
        ],
    )
    def test_however_it_is_written(self, text: str, name: str) -> None:
        assert named_in([text, "and more"], [name]) == [name]

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("A bay error", "Bayer"),
            ("Bayern Munich", "Bayer"),
            ("Nothing to declare, none at all", "None"),
            ("n/a: nothing", "n/a"),
            ("a b c", "A"),
            ("The company of friends", "Company"),
            ("Light from the north", "Northlight"),
            ("", "Bayer"),
        ],
    )
    def test_what_is_another_word(self, text: str, name: str) -> None:
        assert named_in([text], [name]) == []

    def test_a_name_of_nothing_but_a_legal_form_is_left_alone(self) -> None:
        assert (sought("Ltd"), sought("  "), sought("–"), sought("GmbH & Co. KG")) == ("", "", "", "")

    def test_the_line(self) -> None:
        assert label_of([]) == ""
        assert label_of(["A", "B", "C"]) == "Supported by A, B and C."


@pytest.mark.parametrize(
    "text",
    [
        "See example.com",
        "example.com/offer?x=1",
        "Write to a@example.com",
        "Join ex\u00adample.com now",
        "ex\u200bample.\u200bcom",
        "пример.рф",
        "{{ doctor.name }}.com",
        "詳細はexample。com",
        '<img src="x">',
        "<a href='/x'>here</a>",
        "<b>bold</b>",
        "![logo](/logo.png)",
        "[here](/x)",
    ],
)
def test_sec_25_words_have_no_way_to_elsewhere_and_no_pictures(text: str) -> None:
    assert [one.line for one in check(f"good\n{text}", Kind.LIVE)][:1] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "Take 2.5 mg, i.e. half. At 19.30 o'clock (U.S.A.).",
        "First. Second! Third?\nFourth.",
        "今日は晴れ。明日も晴れ。",
        "AMH < 1.1 and > 0.5 [see below] (or above)",
        "Dear {{ doctor.name }}.",
    ],
)
def test_sentences_and_doses_are_words(text: str) -> None:
    assert check(text, Kind.LIVE) == []


def test_no_placeholder_says_who_pays() -> None:
    names = {one.name for group in (COMMON, *GROUPS.values()) for one in group}
    assert [name for name in names if "sponsor" in name or "support" in name or "fund" in name] == []


NAME = "Northlight Diagnostics"


def own_set(**policy: Any) -> tuple[TemplateSet, MessagePolicy]:
    words = TemplateSetFactory.create()
    return words, MessagePolicyFactory.create(template_set=words, **policy)


def save(words: TemplateSet, body: str, channel: Channel = Channel.EMAIL) -> MessageTemplate:
    values = {"subject": "Tomorrow", "body": body}
    return save_template(
        template_set=words, kind=Kind.DAY_BEFORE, channel=channel, language="en", values=values, now=NOW
    )


def disclosed(programme: Programme, company: str, *, made_at: Any = NOW, email: str = "l@example.org") -> None:
    person, _ = Discloser.objects.get_or_create(programme=programme, email=email, defaults={"name": "Lars Holm"})
    Disclosure.objects.create(
        person=person,
        interests=[{"company": company, "relationship": "consulting", "ended": False}],
        covers_from="2025-01-01",
        covers_until="2027-01-01",
        signed_name="Lars Holm",
        made_at=made_at,
    )


@pytest.mark.django_db
class TestWritten:
    @pytest.mark.parametrize("is_on", [False, True])
    @pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.INBOX, Channel.PUSH])
    def test_words_name_no_sponsor_of_a_programme_that_uses_them(self, channel: Channel, is_on: bool) -> None:
        words, policy = own_set(sponsors=f"Another\n {NAME} Ltd. \n", may_name_sponsors=is_on)
        with pytest.raises(TemplateError) as refused:
            save(words, f"Good day.\nThanks to {NAME.upper()}!", channel)
        ((field, told),) = refused.value.problems
        assert field == "body"
        assert told == (
            f"Please leave out “{NAME} Ltd.”, a sponsor of “{policy.programme.title}”. Who supports a programme stands"
            " in a line of its own, apart from the words, if the programme allows it."
        )
        assert not MessageTemplate.objects.exists()

    def test_other_programmes_are_no_reason(self) -> None:
        words, _policy = own_set()
        own_set(sponsors=NAME)
        assert save(words, f"Thanks to {NAME}.").body == f"Thanks to {NAME}."

    def test_people_with_the_role_of_a_sponsor_and_companies_in_disclosures_count(self) -> None:
        words, policy = own_set()
        person = UserFactory.create(first_name="Claire", last_name="Dubois")
        RoleGrantFactory.create(user=person, role=Role.SPONSOR, programme=policy.programme)
        everywhere = UserFactory.create(first_name="Carl", last_name="Everyman")
        RoleGrantFactory.create(user=everywhere, role=Role.SPONSOR, programme=None)
        elsewhere = UserFactory.create(first_name="Else", last_name="Where")
        RoleGrantFactory.create(user=elsewhere, role=Role.SPONSOR, programme=ProgrammeFactory.create())
        RoleGrantFactory.create(
            user=UserFactory.create(first_name="Mo", last_name="Derator"), programme=policy.programme
        )
        disclosed(policy.programme, "Old Company", made_at=NOW.replace(year=2026))
        disclosed(policy.programme, NAME)
        disclosed(ProgrammeFactory.create(), "Elsewhere Inc")
        found = sponsors.unwanted_of_set(words)
        assert {(one.name, one.source.value) for one in found} == {
            ("Claire Dubois", "supports"), ("Carl Everyman", "supports"), (NAME, "disclosed"),
        }  # fmt: skip
        with pytest.raises(TemplateError, match="has disclosed an interest in it"):
            save(words, f"A word from {NAME}.")
        save(words, "A word from Old Company, Else Where and Mo Derator.")

    def test_the_editor_says_so_while_it_is_written(self) -> None:
        words, _policy = own_set(sponsors=NAME)
        row = MessageTemplateFactory.create(template_set=words)
        browser = signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)
        address = reverse("admin:reminders_template_look")
        given = {"set": words.pk, "kind": row.kind, "channel": "email", "language": "en", "subject": "x", "doctor": ""}
        page = browser.post(address, {**given, "body": f"By {NAME}"}).content.decode()
        assert f"Please leave out “{NAME}”" in page
        assert "Please leave out" not in browser.post(address, {**given, "body": "By us"}).content.decode()

    def test_a_campaign_names_nobody_either_nor_later(self) -> None:
        policy = MessagePolicyFactory.create(sponsors=NAME, programme__status="published")
        actor = UserFactory.create()
        values = {"title": "T", "path": "/", "channels": ["email"], "audience": {},
                  "texts": {"en": {"email": {"subject": "x", "body": f"By {NAME}."}}}}  # fmt: skip
        with pytest.raises(CampaignError) as refused:
            save_campaign(campaign=None, programme=policy.programme, values=values, actor=actor, now=NOW)
        assert [field for field, _told in refused.value.problems] == ["texts.en.email.body"]
        assert not Campaign.objects.exists()
        written = CampaignFactory.create(programme=policy.programme, texts=values["texts"])
        assert [told[:20] for told in not_ready(written)] == ["Please leave out “No"]
        fine = CampaignFactory.create(programme=policy.programme)
        assert not_ready(fine) == []


@pytest.mark.django_db
class TestPolicy:
    def test_it_is_off_from_the_start(self) -> None:
        policy = MessagePolicyFactory.create()
        assert (policy.may_name_sponsors, policy.sponsors) == (False, "")

    def test_it_is_not_saved_with_words_that_name_one(self) -> None:
        words, policy = own_set()
        save(words, f"Good day from {NAME}.")
        policy.sponsors = NAME
        with pytest.raises(PolicyError) as refused:
            save_policy(policy=policy, actor=None, now=NOW)
        assert [field for field, _told in refused.value.problems] == ["template_set"]
        assert MessagePolicy.objects.get().sponsors == ""

    @pytest.mark.parametrize("values", [{"sender_name": f"{NAME} Academy"}, {"reply_to": "desk@bayer.example"}])
    def test_nor_with_a_sender_who_is_one(self, values: dict[str, str]) -> None:
        policy = MessagePolicyFactory.create()
        for name, value in {**values, "sponsors": f"{NAME}\nBayer AG"}.items():
            setattr(policy, name, value)
        with pytest.raises(PolicyError) as refused:
            save_policy(policy=policy, actor=None, now=NOW)
        assert [field for field, _told in refused.value.problems] == list(values)

    def test_a_line_without_names_says_nothing(self) -> None:
        policy = MessagePolicyFactory.create(sponsors=" \n")
        policy.may_name_sponsors = True
        with pytest.raises(PolicyError) as refused:
            save_policy(policy=policy, actor=None, now=NOW)
        assert refused.value.problems == [
            ("sponsors", "Write who supports the programme: the line in its messages says it.")
        ]

    def test_the_page_says_it_beside_the_field(self) -> None:
        words, policy = own_set()
        save(words, f"Good day from {NAME}.")
        browser = signed_in(RoleGrantFactory.create(programme=policy.programme).user)
        form = {
            "is_on": "on", "template_set": words.pk, "sender_name": "Office", "reply_to": "", "quiet_from": "21:00",
            "quiet_until": "08:00", "most_a_day": 3, "most_a_week": 8, "sponsors": NAME,
        }  # fmt: skip
        address = reverse("admin:reminders_messagepolicy_change", args=(policy.pk,))
        page = browser.post(address, form)
        assert page.status_code == 200
        assert "A day before · E-mail · en: Please leave out" in page.content.decode()
        assert browser.post(address, {**form, "template_set": built_in_set().pk}).status_code == 302
        assert MessagePolicy.objects.get().sponsors == NAME


def ready(**policy: Any) -> Scene:
    made = scene()
    MessagePolicy.objects.filter(pk=made.policy.pk).update(template_set=built_in_set(), **policy)
    return made


def composed(made: Scene, channel: Channel = Channel.EMAIL, **values: Any) -> Outgoing | SkipReason:
    given = {"kind": Kind.LIVE, "subject": f"webinar/{made.webinar.pk}", **values}
    row = DeliveryFactory.create(programme=made.programme, user=made.doctors[0], channel=channel, **given)
    beside = ("user", "programme__message_policy", "campaign", "template", "fallback_of")
    fetched = Delivery.objects.select_related(*beside).get(pk=row.pk)
    return compose([fetched], now=NOW)[row.pk]


@pytest.mark.django_db
class TestSent:
    def test_words_that_name_one_by_now_are_not_sent(self) -> None:
        """Written before the office knew of the sponsor."""
        words = TemplateSetFactory.create()
        MessageTemplateFactory.create(template_set=words, kind=Kind.LIVE, body=f"Live with {NAME}.")
        made = ready(sponsors="Another\nNorthlight Diagnostics GmbH")
        MessagePolicy.objects.update(template_set=words)
        assert composed(made) == SkipReason.SPONSOR
        MessagePolicy.objects.update(may_name_sponsors=True)
        assert composed(made, slot="2") == SkipReason.SPONSOR
        MessagePolicy.objects.update(sponsors="Another")
        assert isinstance(composed(made, slot="3"), Outgoing)

    def test_a_campaigns_too(self) -> None:
        made = ready(sponsors=NAME)
        texts = {"en": {"email": {"subject": f"{NAME} calls", "body": "News."}}}
        sent = CampaignFactory.create(programme=made.programme, texts=texts)
        found = composed(made, kind=Kind.CAMPAIGN, subject=f"campaign/{sent.pk}", campaign=sent)
        assert found == SkipReason.SPONSOR

    def test_a_title_and_a_name_are_what_they_are(self) -> None:
        made = ready(sponsors="Northlight")
        made.webinar.lesson.title = "Northlight and other lights"
        made.webinar.lesson.save()
        found = composed(made)
        assert isinstance(found, Outgoing)
        assert "Northlight and other lights" in found.text

    def test_off_nobody_is_named_and_on_a_line_apart_says_it(self) -> None:
        made = ready(sponsors=f"{NAME}\nA <b> & evil.example")
        off = composed(made)
        assert isinstance(off, Outgoing)
        assert NAME not in off.text + off.html + off.subject
        MessagePolicy.objects.update(may_name_sponsors=True)
        on = composed(made, slot="2")
        assert isinstance(on, Outgoing)
        line = f"Supported by {NAME} and A <b> & evil. example."
        before, _, after = on.text.partition("\n– – –\n")
        assert NAME not in before
        assert after.startswith(f"{line}\n\n-- \n")
        card, _, foot = on.html.partition("Supported by ")
        assert NAME not in card
        assert foot.startswith(f"{NAME} and A &lt;b&gt; &amp; evil. example.")
        assert on.subject == off.subject

    @pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP, Channel.PUSH])
    def test_short_messages_name_nobody(self, channel: Channel) -> None:
        from tests.reminders.factories import PushSubscriptionFactory

        made = ready(sponsors=NAME, may_name_sponsors=True)
        type(made.doctors[0]).objects.update(phone="+919876543210")
        PushSubscriptionFactory.create(user=made.doctors[0])
        found = composed(made, channel)
        assert isinstance(found, Outgoing)
        assert "Northlight" not in found.text + found.subject + " ".join(found.places)

    def test_on_the_site_it_stands_below_the_message(self) -> None:
        from reminders.domain.sending import send_some

        made = ready(sponsors=NAME, may_name_sponsors=True)
        found = composed(made, Channel.INBOX, slot="x")
        assert isinstance(found, Outgoing)
        assert found.places == ("Join now", f"Supported by {NAME}.")
        assert NAME not in found.text
        words = MessageTemplate.objects.get(template_set__is_builtin=True, kind=Kind.LIVE, channel=Channel.INBOX)
        Delivery.objects.all().delete()
        DeliveryFactory.create(
            programme=made.programme, user=made.doctors[0], channel=Channel.INBOX, kind=Kind.TEST, template=words,
            subject=f"template/{words.pk}/0",
        )  # fmt: skip
        send_some(channel=Channel.INBOX, clock=lambda: NOW)
        item = InboxItem.objects.get()
        assert item.label == f"Supported by {NAME}."
        page = signed_in(made.doctors[0]).get("/messages/").content.decode()
        assert f'<p class="inbox-label soft small" dir="auto">Supported by {NAME}.</p>' in page
