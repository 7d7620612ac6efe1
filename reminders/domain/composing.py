"""A planned message becomes what is handed over: values, words, link, calendar file and the way to end it, joined."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from core.languages import spoken
from reminders.calendars import Event
from reminders.domain import calendar_files, consent, links, unsubscribing
from reminders.domain.sponsors import is_named, supporters_of
from reminders.domain.templates import Library, library, mark_used
from reminders.domain.testing import tested_values
from reminders.domain.values import Values, values_for
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Campaign, Delivery, MessagePolicy, MessageTemplate, PushSubscription
from reminders.rendering.frame import Frame
from reminders.rendering.words import Parts, render
from reminders.transports import takes_answers
from reminders.transports.base import Attachment, Outgoing, browsers

RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
WITH_CALENDAR = frozenset({Kind.REGISTERED, Kind.WEEK_BEFORE, Kind.MOVED, Kind.CANCELLED})
Composed = dict[int, Outgoing | SkipReason]


@dataclass(frozen=True, slots=True)
class _Chunk:
    values: Mapping[int, Values]
    templates: Mapping[int, MessageTemplate]
    urls: Mapping[int, str]
    events: Mapping[int, Event]
    push: Mapping[int, str]
    new_to_sms: Collection[int]


def compose(deliveries: Sequence[Delivery], *, now: datetime) -> Composed:
    """By the delivery's id: what to hand over, or why there is nothing. A constant number of queries for a chunk.

    Wants user, programme with its policy, and campaign beside each. Sets `template_id` and `segments` of each delivery,
    for its row. In the caller's transaction: links are made and words become fixed with it, or neither.

    To the inbox: `url` is the path, `places` the words on the button and the line that says who supports the programme.
    """
    real = [one for one in deliveries if one.kind != Kind.TEST]
    values = values_for(real, now=now) | tested_values([one for one in deliveries if one.kind == Kind.TEST], now=now)
    templates = _templates(deliveries, now=now)
    ready = [one for one in deliveries if one.pk in values and one.pk in templates]
    paths = {one.pk: _path(one, values[one.pk]) for one in ready if links.may_sign_in_by(one)}
    chunk = _Chunk(
        values=values,
        templates=templates,
        urls=links.sign_in_links(ready, paths, now=now) if paths else {},
        events=_events(ready, values),
        push=_browsers({one.user_id for one in ready if one.channel == Channel.PUSH}),
        new_to_sms=_new_to_sms({one.user_id for one in ready if one.channel == Channel.SMS}),
    )
    composed: Composed = {}
    for one in deliveries:
        if one.pk not in templates:
            composed[one.pk] = SkipReason.NO_TEMPLATE
        elif one.pk not in values:
            composed[one.pk] = SkipReason.GONE  # the thing, or what there was to say of it
        elif one.kind != Kind.TEST and is_named(templates[one.pk], _policy(one)):
            composed[one.pk] = SkipReason.SPONSOR
        else:
            composed[one.pk] = _composed(one, chunk)
    return composed


def _templates(deliveries: Sequence[Delivery], *, now: datetime) -> dict[int, MessageTemplate]:
    """By the delivery. Those used for the first time are fixed first and read then: nobody changes them in between."""
    policies = {one.pk: _policy(one) for one in deliveries}
    sets = {policy.template_set_id for policy in policies.values() if policy}
    kinds = {one.kind for one in deliveries} - {Kind.TEST, Kind.CAMPAIGN}
    words = library(sets, kinds=kinds) if sets and kinds else Library({})
    found: dict[int, MessageTemplate] = {}
    for one in deliveries:
        template = _template(one, policies[one.pk], words)
        if template is not None:
            found[one.pk] = template
    own = {one.pk: one.kind for one in deliveries}
    fresh = {row.pk for pk, row in found.items() if row.pk and row.used_at is None and own[pk] != Kind.TEST}
    if fresh:
        mark_used(fresh, now=now)
        fixed = MessageTemplate.objects.in_bulk(fresh)
        found = {pk: fixed.get(row.pk, row) for pk, row in found.items()}
    return found


def _template(one: Delivery, policy: MessagePolicy | None, words: Library) -> MessageTemplate | None:
    if one.kind == Kind.TEST:
        return one.template
    language = spoken(one.user.language)
    if one.campaign is not None:
        return words_of(one.campaign, channel=one.channel, language=language)
    return words.find(policy.template_set_id, one.kind, one.channel, language) if policy else None


def words_of(campaign: Campaign, *, channel: str, language: str) -> MessageTemplate | None:
    """Not a row: a campaign has its words itself."""
    for wanted in (language, language.partition("-")[0], settings.LANGUAGE_CODE, "en"):
        said: dict[str, Any] = campaign.texts.get(wanted, {}).get(channel, {})
        if said.get("body") or said.get("approved_name"):
            return MessageTemplate(
                kind=Kind.CAMPAIGN,
                channel=channel,
                language=wanted,
                subject=said.get("subject", ""),
                preheader=said.get("preheader", ""),
                body=said.get("body", ""),
                button=said.get("button", ""),
                approved_name=said.get("approved_name", ""),
                approved_places=said.get("approved_places", []),
            )
    return None


def _composed(one: Delivery, chunk: _Chunk) -> Outgoing | SkipReason:
    template, values = chunk.templates[one.pk], chunk.values[one.pk]
    address = _address(one, chunk)
    if not address and one.channel != Channel.INBOX:
        return SkipReason.NO_ADDRESS
    path = _path(one, values)
    url = path if one.channel == Channel.INBOX else chunk.urls.get(one.pk) or settings.SITE_URL + path
    is_new = one.channel == Channel.SMS and one.user_id in chunk.new_to_sms
    frame = frame_of(one, url=url, is_personal=one.pk in chunk.urls, address=address, names_stop=is_new)
    parts = render(one.channel, template, values.placeholders, frame)
    one.template_id = template.pk
    one.segments = parts.segments.parts if parts.segments else None
    outgoing = outgoing_of(one, parts, address=address, language=template.language)
    can_end = frame.unsubscribe_url and one.channel == Channel.EMAIL
    headers = unsubscribing.headers(frame.unsubscribe_url) if can_end else {}
    return replace(outgoing, headers=headers, attachments=_attachments(one, values, chunk))


def frame_of(one: Delivery, *, url: str, is_personal: bool, address: str, names_stop: bool = False) -> Frame:
    policy = _policy(one)
    language = spoken(one.user.language)
    is_email = one.channel == Channel.EMAIL
    is_mute = one.channel == Channel.SMS and not takes_answers(Channel.SMS)  # who gets it cannot answer STOP
    can_end = (is_email or is_mute) and one.kind != Kind.TEST
    return Frame(
        site_name=settings.SITE_NAME,
        sender_name=(policy.sender_name if policy else "") or one.programme.title,
        programme_title=one.programme.title,
        url=url,
        is_personal=is_personal,
        address=address if is_email else "",
        unsubscribe_url=unsubscribing.unsubscribe_url(one.user_id, one.channel) if can_end else "",
        names_stop=names_stop,
        preferences_url=settings.SITE_URL + reverse("reminders:preferences") if is_email else "",
        supporters=supporters_of(policy, one.channel),
        language=language,
        is_rtl=language.partition("-")[0] in RIGHT_TO_LEFT,
    )


def outgoing_of(one: Delivery, parts: Parts, *, address: str, language: str) -> Outgoing:
    policy = _policy(one)
    return Outgoing(
        key=one.key,
        address=address,
        subject=parts.subject,
        text=parts.text,
        html=parts.html,
        sender_name=(policy.sender_name if policy else "") or settings.SITE_NAME,
        reply_to=policy.reply_to if policy else "",
        template=parts.template,
        places=(parts.button, *filter(None, [parts.label])) if one.channel == Channel.INBOX else parts.places,
        language=language,
        url=parts.url,
    )


def _address(one: Delivery, chunk: _Chunk) -> str:
    if one.channel == Channel.PUSH:
        return chunk.push.get(one.user_id, "")
    return "" if one.channel == Channel.INBOX else consent.address_of(one.user, Channel(one.channel))


def _browsers(user_ids: Collection[int]) -> dict[int, str]:
    """Every browser in which a person is signed in takes the notice. One query, none without notices."""
    if not user_ids:
        return {}
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    standing = PushSubscription.objects.filter(user__in=user_ids, ended_at=None, signed_in__isnull=False)
    for one in standing.filter(signed_in__ended_at=None).order_by("pk"):
        found[one.user_id].append((one.endpoint, one.p256dh, one.auth))
    return {user_id: browsers(keys) for user_id, keys in found.items()}


def _new_to_sms(user_ids: Collection[int]) -> set[int]:
    """Those who get their first SMS, which says how to end them. One query, none without SMS that can be answered."""
    if not user_ids or not takes_answers(Channel.SMS):
        return set()
    left = (DeliveryState.SENT, DeliveryState.UNKNOWN)
    had = Delivery.objects.filter(user__in=user_ids, channel=Channel.SMS, state__in=left)
    return set(user_ids) - set(had.values_list("user_id", flat=True).distinct())


def _events(ready: Sequence[Delivery], values: Mapping[int, Values]) -> dict[int, Event]:
    """Of the webinars whose e-mails bring a calendar file. One query, none without such."""
    with_file = {
        webinar.pk: webinar
        for one in ready
        if one.channel == Channel.EMAIL and one.kind in WITH_CALENDAR and (webinar := values[one.pk].webinar)
    }
    return calendar_files.events_of(with_file.values()) if with_file else {}


def _attachments(one: Delivery, values: Values, chunk: _Chunk) -> tuple[Attachment, ...]:
    """The organiser is the same in every message about a webinar, whatever a programme calls itself meanwhile."""
    if one.channel != Channel.EMAIL or one.kind not in WITH_CALENDAR or values.webinar is None:
        return ()
    event = chunk.events.get(values.webinar.pk)
    if event is None:
        return ()
    content, content_type = calendar_files.for_message(event, user=one.user)
    return (Attachment("webinar.ics", content, content_type),)


def _path(one: Delivery, values: Values) -> str:
    """On this site: what a campaign names is a path, whatever was typed there."""
    path = (one.campaign.path if one.campaign is not None else "") or values.path
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else values.path


def _policy(one: Delivery) -> MessagePolicy | None:
    return getattr(one.programme, "message_policy", None)
