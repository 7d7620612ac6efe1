"""The stops of the tour about messages."""

from datetime import timedelta
from typing import Any

from django.test import override_settings
from django.utils import translation
from django.utils.timezone import now

from accounts.models import User
from reminders.domain import consent, links, phone_codes
from reminders.domain.unsubscribing import token_of
from reminders.enums import Channel, ConsentSource, DeliveryState, PhoneCodeEnd, SkipReason, SuppressionReason
from reminders.models import PhoneCode, PushSubscription
from reminders.views.numbers import wait_words
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.i18n.catalogue import CODE
from tests.i18n.reader import untranslated
from tests.i18n.tour import GREEK, Tour, doctors_browser, visitor, write_greek
from tests.reminders.factories import DeliveryFactory, InboxItemFactory, PushSubscriptionFactory
from webinars.models import Webinar

NUMBER = "+306912345678"
ALL_WAYS = {
    "MESSAGES_EMAIL": "folder",
    "MESSAGES_SMS": "folder",
    "MESSAGES_WHATSAPP": "folder",
    "MESSAGES_PUSH": "none",
}


def inbox(tour: Tour) -> None:
    doctor = UserFactory.create()
    write_greek()
    browser = doctors_browser(doctor)
    tour.read(browser, "/messages/", "messages: none")
    for number in range(21):
        InboxItemFactory.create(
            user=doctor, subject=GREEK, body=GREEK, button=GREEK if number else "", path="/account/"
        )
    write_greek()
    tour.read(browser, "/messages/", "messages: many")
    tour.read(browser, "/messages/read/", "messages: all read", until=str(10**9))


def ending(tour: Tour) -> None:
    """Every channel: asked, stopped, started again."""
    doctor = UserFactory.create()
    write_greek()
    yes = {channel.value: True for channel in Channel}
    consent.choose(user_id=doctor.pk, choices=yes, source=ConsentSource.PROFILE, now=now())
    for channel in (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.PUSH):
        path = f"/u/{token_of(doctor.pk, channel)}/"
        tour.read(visitor(), path, f"{channel}: no more?")
        tour.read(visitor(), path, f"{channel}: stopped", data={"do": "stop"})
        tour.read(visitor(), path, f"{channel}: started again", data={"do": "start"})
    tour.read(visitor(), "/u/half/", "unsubscribe: unknown", 404)


def link(tour: Tour) -> None:
    doctor = UserFactory.create()
    write_greek()
    path = _link_of(User.objects.get(pk=doctor.pk))
    tour.read(visitor(), path, "link of a message")
    visitor().post(path)
    tour.read(visitor(), path, "spent link of a message", 410)
    tour.read(visitor(), "/m/nobodys/", "unknown link of a message", 410)


def _link_of(user: User) -> str:
    delivery = DeliveryFactory.create(user=user, due_at=now(), expires_at=now() + timedelta(hours=1))
    return links.sign_in_link(delivery, "/account/", now=now()).partition("8000")[2]


def choosing(tour: Tour) -> None:
    doctor = UserFactory.create(phone=NUMBER, country="GR")
    write_greek()
    browser = doctors_browser(doctor)
    page = "/account/messages/"
    User.objects.filter(pk=doctor.pk).update(phone_proved_at=now())
    with override_settings(MESSAGES={**_messages(), **ALL_WAYS}):
        tour.read(browser, page, "ways: at first")
        tour.read(browser, page, "ways: no number", data={"sms": "on", "phone": ""})
        tour.read(browser, page, "ways: wrong number", data={"sms": "on", "phone": "12"})
        tour.read(browser, page, "ways: saved", data={"email": "on", "sms": "on", "phone": NUMBER})
        for reason in SuppressionReason:
            for channel, address in ((Channel.EMAIL, doctor.email), (Channel.SMS, NUMBER)):
                digest = consent.address_digest(channel, address)
                consent.suppress(channel=channel, digest=digest, reason=reason, now=now())
            tour.read(browser, page, f"ways: {reason}")
            for name in ("email", "sms"):
                tour.read(browser, f"{page}try-again/", f"ways: {reason}, again", data={"channel": name})
        tour.read(browser, f"{page}calendar/", "calendar: made", data={"do": "make"})
        tour.read(browser, page, "calendar: made before")
        tour.read(browser, f"{page}calendar/", "calendar: stopped", data={"do": "stop"})
    with translation.override(CODE):
        words = [one.label for choices in (ConsentSource, Channel, SkipReason, DeliveryState) for one in choices]
        tour.note("words of messages", [word for one in words for word in untranslated(f"<p>{one}</p>")])


def proving(tour: Tour) -> None:
    """Every state of a code, and the e-mail about the number."""
    doctor = UserFactory.create(phone=NUMBER, country="GR")
    consent.choose(user_id=doctor.pk, choices={"sms": True}, source=ConsentSource.PROFILE, now=now())
    write_greek()
    browser = doctors_browser(doctor)
    page = "/account/messages/"
    number = f"{page}number/"
    with override_settings(MESSAGES={**_messages(), **ALL_WAYS, "MESSAGES_CODES_AN_HOUR": 100_000}):
        tour.read(browser, page, "number: not confirmed")
        for given in ("+912227781234", "+919876543210"):
            tour.read(browser, page, "number: refused", data={"sms": "on", "phone": given})
        tour.read(browser, f"{number}code/", "code: sent", data={"do": "send"})
        tour.read(browser, page, "number: waits")
        tour.read(browser, number, "code: no code", data={"code": "1"})
        for _ in range(5):
            tour.read(browser, number, "code: wrong", data={"code": "000000"})
        codes = PhoneCode.objects.filter(user=doctor)
        codes.update(ending=PhoneCodeEnd.FAILED)
        tour.read(browser, number, "code: not sent")
        for _ in range(4):
            tour.read(browser, f"{number}code/", "code: often", data={"do": "send"})
        codes.filter(ended_at=None).update(via="whatsapp")
        tour.read(browser, number, "code: by WhatsApp")
        at = now()
        codes.filter(ended_at=None).update(asked_at=at - timedelta(minutes=20), expires_at=at - timedelta(minutes=10))
        tour.read(browser, number, "code: too old")
        row = codes.latest("pk")
        PhoneCode.objects.filter(pk=row.pk).update(ended_at=now(), ending=PhoneCodeEnd.PROVED)
        tour.read_mails(lambda: phone_codes.tell(code_id=row.pk, now=now()))
    User.objects.filter(pk=doctor.pk).update(phone_proved_at=now())
    with override_settings(MESSAGES={**_messages(), **ALL_WAYS}):
        tour.read(browser, page, "number: confirmed")
    with translation.override(CODE):
        words = [*PhoneCodeEnd.labels, wait_words(60), wait_words(600), wait_words(86_400)]
        tour.note("words of codes", [word for one in words for word in untranslated(f"<p>{one}</p>")])


def notices(tour: Tour) -> None:
    doctor = UserFactory.create()
    PushSubscriptionFactory.create(user=doctor, device="")
    write_greek()
    page = "reminders/_notices.html"
    browsers = PushSubscription.objects.filter(user=doctor)
    tour.read_template(page, browsers=browsers, notices_key="x")


def adding(tour: Tour) -> None:
    webinar = LiveWebinarFactory.create(starts_at=now() + timedelta(days=2))
    doctor = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    write_greek()
    browser = doctors_browser(doctor)
    tour.read(browser, f"/webinars/{webinar.pk}/calendar/", "add to calendar")
    Webinar.objects.filter(pk=webinar.pk).update(cancelled_at=now())
    tour.read(browser, f"/webinars/{webinar.pk}/calendar/", "add to calendar: cancelled")


def _messages() -> dict[str, Any]:
    from django.conf import settings

    return dict(getattr(settings, "MESSAGES", {}))


MESSAGE_STOPS = (inbox, ending, link, choosing, proving, notices, adding)
