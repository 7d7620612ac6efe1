"""The stops of the tour about messages."""

from datetime import timedelta
from typing import Any

from django.test import override_settings
from django.utils import translation
from django.utils.timezone import now

from accounts.models import User
from reminders.domain import consent, links
from reminders.domain.unsubscribing import token_of
from reminders.enums import Channel, ConsentSource, DeliveryState, SkipReason, SuppressionReason
from reminders.models import PushSubscription
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
    doctor = UserFactory.create(phone=NUMBER)
    write_greek()
    browser = doctors_browser(doctor)
    page = "/account/messages/"
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


MESSAGE_STOPS = (inbox, ending, link, choosing, notices, adding)
