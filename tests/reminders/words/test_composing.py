"""A planned message becomes what is handed over."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from accounts.domain.invitations import invite, revoke
from accounts.domain.people import update_profile
from accounts.domain.sign_in import LinkError
from accounts.models import SignInRequest, User
from reminders.domain.builtin_words import built_in_set
from reminders.domain.composing import compose
from reminders.domain.links import look
from reminders.domain.preferences import wording
from reminders.domain.unsubscribing import unsubscribe_url
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Campaign, Delivery, MessagePolicy, MessageTemplate
from reminders.transports.base import Outgoing
from tests.reminders.factories import (
    NOW,
    DeliveryFactory,
    MessageTemplateFactory,
    PushSubscriptionFactory,
    Scene,
    ScheduleRevisionFactory,
    scene,
)
from tests.reminders.person.phones import OTHER, proved

pytestmark = pytest.mark.django_db


def ready(**values: Any) -> Scene:
    """A programme that uses the built-in words, and its doctors."""
    made = scene(**values)
    MessagePolicy.objects.filter(pk=made.policy.pk).update(template_set=built_in_set(), reply_to="office@example.org")
    for doctor in made.doctors:
        User.objects.filter(pk=doctor.pk).update(
            title="Dr", first_name="Meera", last_name="Nair", phone="+919876543210"
        )
    return made


def planned(made: Scene, kind: Kind = Kind.DAY_BEFORE, channel: Channel = Channel.EMAIL, **values: Any) -> Delivery:
    given = {"user": made.doctors[0], "subject": f"webinar/{made.webinar.pk}", **values}
    row: Delivery = DeliveryFactory.create(programme=made.programme, kind=kind, channel=channel, **given)
    return row


def fetched(*rows: Delivery) -> Sequence[Delivery]:
    """As the outbox reads them."""
    beside = ("user", "programme__message_policy", "campaign", "template", "fallback_of")
    return list(Delivery.objects.filter(pk__in=[one.pk for one in rows]).select_related(*beside).order_by("pk"))


def composed(*rows: Delivery) -> list[Outgoing | SkipReason]:
    found = fetched(*rows)
    words = compose(found, now=NOW)
    return [words[one.pk] for one in found]


def one_of(row: Delivery) -> Outgoing:
    (found,) = composed(row)
    assert isinstance(found, Outgoing)
    return found


def path_of(url: str) -> str:
    assert url.startswith(f"{settings.SITE_URL}/")
    return urlsplit(url).path


def test_an_email_is_worded_addressed_and_can_be_ended() -> None:
    made = ready()
    row = planned(made)
    found = one_of(row)
    title = made.webinar.lesson.title
    assert found.key == row.key
    assert found.address == made.doctors[0].email
    assert found.subject == f"Tomorrow, 17:30 (Kolkata): {title}"
    assert found.text.startswith(f"Dear Dr Meera Nair,\n\n{title}\nWednesday 13 January, 17:30 (Kolkata, UTC+5:30)\n")
    assert (found.sender_name, found.reply_to, found.language) == ("Fertility Office", "office@example.org", "en")
    end = unsubscribe_url(made.doctors[0].pk, Channel.EMAIL)
    assert dict(found.headers) == {
        "List-Unsubscribe": f"<{end}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert end in found.html
    assert end in found.text
    assert found.url in found.html


def test_its_link_signs_in_the_doctor_to_the_page_it_is_about() -> None:
    made = ready()
    found = one_of(planned(made))
    opened = look(token=path_of(found.url).strip("/").rpartition("/")[2], now=NOW)
    assert (opened.user, opened.path) == (made.doctors[0], f"/webinars/{made.webinar.pk}/")


def test_it_has_no_part_that_a_header_could_not_carry() -> None:
    made = ready()
    made.webinar.lesson.title = "A\r\nBcc: all@evil.example"
    made.webinar.lesson.save()
    User.objects.filter(pk=made.doctors[0].pk).update(first_name="Eve\r\nX: y", last_name="https://evil.example")
    found = one_of(planned(made))
    assert "\n" not in found.subject + found.sender_name + found.reply_to
    assert "\r" not in found.text
    assert "https://evil" not in found.text + found.html
    assert "evil.example" not in found.text + found.html + found.subject


@pytest.mark.parametrize(
    ("kind", "method"), [(Kind.REGISTERED, "REQUEST"), (Kind.WEEK_BEFORE, "REQUEST"), (Kind.MOVED, "REQUEST"),
                         (Kind.CANCELLED, "CANCEL"), (Kind.DAY_BEFORE, None)],
)  # fmt: skip
def test_which_emails_bring_a_calendar_file(kind: Kind, method: str | None) -> None:
    made = ready()
    values = {"number": 3, "is_cancelled": kind == Kind.CANCELLED}
    ScheduleRevisionFactory.create(webinar=made.webinar, **values)
    if kind == Kind.CANCELLED:
        type(made.webinar).objects.filter(pk=made.webinar.pk).update(cancelled_at=NOW)
    found = one_of(planned(made, kind)).attachments
    if method is None:
        assert found == ()
        return
    (file,) = found
    assert file.content_type == f"text/calendar; method={method}; charset=utf-8"
    calendar = Calendar.from_ical(file.content)
    assert calendar["METHOD"] == method
    (event,) = calendar.walk("VEVENT")
    assert event["SEQUENCE"] == 3


def test_a_nudge_lets_the_invited_in_until_the_invitation_is_taken_back() -> None:
    made = ready()
    doctor = made.doctors[0]
    User.objects.filter(pk=doctor.pk).update(last_login=None)
    invitation, _token = invite(user=doctor, created_by=None, now=NOW)
    row = planned(made, Kind.INVITATION_NUDGE, subject=f"programme/{made.programme.pk}")
    token = path_of(one_of(row).url).strip("/").rpartition("/")[2]
    opened = look(token=token, now=NOW)
    assert (opened.user, opened.path) == (doctor, f"/programmes/{made.programme.slug}/")
    revoke(invitation=invitation, actor=None, now=NOW)
    with pytest.raises(LinkError):
        look(token=token, now=NOW)


def test_no_other_channel_brings_one() -> None:
    made = ready()
    for channel in (Channel.SMS, Channel.WHATSAPP, Channel.INBOX):
        assert one_of(planned(made, Kind.REGISTERED, channel)).attachments == ()


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_to_a_number_that_nobody_proved_goes_no_link_that_signs_in(channel: Channel) -> None:
    made = ready()
    found = one_of(planned(made, Kind.LIVE, channel))
    assert "/m/" not in found.text + found.url + " ".join(found.places)
    assert f"/webinars/{made.webinar.pk}/" in found.text + found.url + " ".join(found.places)
    assert not SignInRequest.objects.exists()


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_to_a_proved_number_goes_the_link_that_lets_in_with_one_tap(channel: Channel) -> None:
    made = ready()
    proved(made.doctors[0])
    found = one_of(planned(made, Kind.LIVE, channel))
    opened = look(token=path_of(found.url).strip("/").rpartition("/")[2], now=NOW)
    assert (opened.user, opened.path) == (made.doctors[0], f"/webinars/{made.webinar.pk}/")
    assert channel == Channel.WHATSAPP or found.url in found.text


def test_a_proof_that_ended_before_sending_leaves_the_plain_address() -> None:
    made = ready()
    doctor = proved(made.doctors[0])
    row = planned(made, Kind.LIVE, Channel.SMS)
    update_profile(user=doctor, values={"phone": OTHER}, now=NOW)
    found = one_of(row)
    assert (found.address, path_of(found.url)) == (OTHER, f"/webinars/{made.webinar.pk}/")
    assert not SignInRequest.objects.exists()


def test_an_sms_says_how_many_parts_it_has() -> None:
    made = ready()
    (row,) = fetched(planned(made, Kind.LIVE, Channel.SMS))
    (found,) = compose([row], now=NOW).values()
    assert isinstance(found, Outgoing)
    assert (found.address, found.text) == (
        "+919876543210",
        f"We are live: {made.webinar.lesson.title}. Join here:\n{found.url}\nAnswer STOP to end these SMS.",
    )
    assert row.segments in {1, 2}
    assert row.template is not None
    assert (row.template.kind, row.template.channel) == (Kind.LIVE, Channel.SMS)


def test_only_the_first_sms_names_stop() -> None:
    """Also one that nobody knows of may have arrived."""
    made = ready(doctors=3)
    for doctor, state in zip(made.doctors[:2], (DeliveryState.SENT, DeliveryState.UNKNOWN), strict=True):
        DeliveryFactory.create(user=doctor, channel=Channel.SMS, state=state)
    DeliveryFactory.create(user=made.doctors[2], channel=Channel.EMAIL, state=DeliveryState.SENT)
    rows = [planned(made, Kind.LIVE, Channel.SMS, user=doctor) for doctor in made.doctors]
    found = [one for one in composed(*rows) if isinstance(one, Outgoing)]
    assert ["Answer STOP" in one.text for one in found] == [False, False, True]


@pytest.mark.parametrize(
    ("values", "is_mute"),
    [
        ({"MESSAGES_SMS": "twilio", "TWILIO_SMS_FROM": "ROUNDS"}, True),
        ({"MESSAGES_SMS": "twilio", "TWILIO_SMS_FROM": "+15005550006"}, False),
        ({"MESSAGES_SMS": "twilio", "TWILIO_SMS_FROM": f"MG{'0a' * 16}"}, False),
        ({"MESSAGES_SMS": "vonage", "VONAGE_FROM": "Rounds 1"}, True),
        ({"MESSAGES_SMS": "vonage", "VONAGE_FROM": "15005550006"}, False),
        ({"MESSAGES_SMS": "aws", "AWS_SMS_ORIGINATION": "ROUNDS"}, True),
        ({"MESSAGES_SMS": "aws", "AWS_SMS_ORIGINATION": "arn:aws:sms-voice:eu-west-1:1:sender-id/ROUNDS/DE"}, True),
        ({"MESSAGES_SMS": "aws", "AWS_SMS_ORIGINATION": "pool-0a1b2c"}, False),
    ],
)
def test_an_sms_of_a_sender_that_nobody_can_answer_brings_its_own_end(
    values: dict[str, str], is_mute: bool, settings: Any
) -> None:
    settings.MESSAGES = {**settings.MESSAGES, **values}
    made = ready()
    end = unsubscribe_url(made.doctors[0].pk, Channel.SMS)
    found = one_of(planned(made, Kind.LIVE, Channel.SMS))
    assert (found.text.endswith(f"\nNo more SMS: {end}"), "Answer STOP" in found.text) == (is_mute, not is_mute)
    assert found.headers == {}
    assert ("Answer STOP" in wording()[Channel.SMS]) is not is_mute


def test_whatsapp_hands_over_the_approved_name_and_its_places() -> None:
    made = ready()
    found = one_of(planned(made, Kind.LIVE, Channel.WHATSAPP))
    assert (found.address, found.template, found.places) == ("+919876543210", "live", (made.webinar.lesson.title,))


def test_to_the_site_goes_a_path_and_the_words_of_the_button() -> None:
    made = ready()
    found = one_of(planned(made, Kind.LIVE, Channel.INBOX))
    assert (found.url, found.places) == (f"/webinars/{made.webinar.pk}/", ("Join now",))
    assert (found.address, found.html, dict(found.headers)) == ("", "", {})
    assert not SignInRequest.objects.exists()


def test_a_notice_goes_to_every_browser_and_signs_nobody_in() -> None:
    made = ready()
    first, second = PushSubscriptionFactory.create_batch(2, user=made.doctors[0])
    PushSubscriptionFactory.create(user=made.doctors[0], ended_at=NOW)
    PushSubscriptionFactory.create()
    found = one_of(planned(made, Kind.LIVE, Channel.PUSH))
    assert [endpoint for endpoint, *_keys in json.loads(found.address)] == [first.endpoint, second.endpoint]
    assert path_of(found.url) == f"/webinars/{made.webinar.pk}/"
    assert not SignInRequest.objects.exists()


def test_without_an_address_words_or_a_thing_there_is_a_reason() -> None:
    made = ready()
    User.objects.filter(pk=made.doctors[0].pk).update(phone="")
    MessageTemplate.objects.filter(kind=Kind.SOON, channel=Channel.EMAIL).delete()
    assert composed(
        planned(made, Kind.LIVE, Channel.SMS),
        planned(made, Kind.LIVE, Channel.PUSH),
        planned(made, Kind.SOON),
        planned(made, Kind.LIVE, subject="webinar/999999"),
    ) == [SkipReason.NO_ADDRESS, SkipReason.NO_ADDRESS, SkipReason.NO_TEMPLATE, SkipReason.GONE]


def test_a_programme_without_messages_has_no_words() -> None:
    made = ready()
    made.policy.delete()
    assert composed(planned(made)) == [SkipReason.NO_TEMPLATE]


def test_the_words_are_fixed_by_the_first_use() -> None:
    made = ready()
    (row,) = fetched(planned(made))
    compose([row], now=NOW)
    used = MessageTemplate.objects.exclude(used_at=None)
    assert [(one.pk, one.used_at) for one in used] == [(row.template_id, NOW)]
    compose(fetched(planned(made, slot="2")), now=NOW + timedelta(hours=1))
    assert used.get().used_at == NOW


def test_a_doctor_reads_their_own_language_where_there_are_words(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("fr", "français")]
    made = ready()
    User.objects.filter(pk=made.doctors[0].pk).update(language="fr")
    MessageTemplateFactory.create(
        template_set=built_in_set(), kind=Kind.LIVE, language="fr", subject="En direct : {{ webinar.title }}"
    )
    found = one_of(planned(made, Kind.LIVE))
    assert (found.subject, found.language) == (f"En direct : {made.webinar.lesson.title}", "fr")
    assert one_of(planned(made)).language == "en"


def campaign(made: Scene, **values: Any) -> Campaign:
    texts = {"en": {"email": {"subject": "To {{ doctor.name }}", "body": "News.", "button": "Read"}}}
    given = {"texts": texts, "path": "/certificates/", **values}
    return Campaign.objects.create(programme=made.programme, title="News", channels=["email"], made_at=NOW, **given)


def test_a_campaign_has_its_own_words_and_page() -> None:
    made = ready()
    sent = campaign(made)
    row = planned(made, Kind.CAMPAIGN, subject=f"campaign/{sent.pk}", campaign=sent)
    (fresh,) = fetched(row)
    (found,) = compose([fresh], now=NOW).values()
    assert isinstance(found, Outgoing)
    assert (found.subject, fresh.template_id) == ("To Dr Meera Nair", None)
    opened = look(token=path_of(found.url).strip("/").rpartition("/")[2], now=NOW)
    assert opened.path == "/certificates/"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_sec_25_a_campaign_leads_nowhere_but_here(path: str) -> None:
    made = ready()
    sent = campaign(made, path=path)
    found = one_of(planned(made, Kind.CAMPAIGN, subject=f"campaign/{sent.pk}", campaign=sent))
    assert "evil" not in found.text + found.html
    opened = look(token=path_of(found.url).strip("/").rpartition("/")[2], now=NOW)
    assert opened.path == f"/programmes/{made.programme.slug}/"


def test_a_campaign_without_words_for_the_channel_is_not_sent() -> None:
    made = ready()
    sent = campaign(made)
    row = planned(made, Kind.CAMPAIGN, Channel.SMS, subject=f"campaign/{sent.pk}", campaign=sent)
    assert composed(row) == [SkipReason.NO_TEMPLATE]


def test_a_chunk_takes_as_many_queries_as_one_message() -> None:
    made = ready(doctors=5)

    def queries(rows: Sequence[Delivery]) -> int:
        with CaptureQueriesContext(connection) as captured:
            found = compose(rows, now=NOW)
        assert Counter(type(one) for one in found.values()) == {Outgoing: len(rows)}
        return len(captured)

    queries(fetched(planned(made, Kind.REGISTERED, slot="first")))  # words are fixed once
    one = fetched(planned(made, Kind.REGISTERED))
    many = fetched(*(planned(made, Kind.REGISTERED, user=doctor, slot="2") for doctor in made.doctors))
    assert queries(one) == queries(many)


def test_two_doctors_never_share_a_link() -> None:
    made = ready(doctors=2)
    rows = [planned(made, user=doctor) for doctor in made.doctors]
    found = [one for one in composed(*rows) if isinstance(one, Outgoing)]
    assert len({one.url for one in found}) == 2
    for doctor, one in zip(made.doctors, found, strict=True):
        assert look(token=path_of(one.url).strip("/").rpartition("/")[2], now=NOW).user == doctor
        assert one.address == doctor.email
