"""A template and its values, as one channel shows them. Pure: what is not handed in is not known here."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import override

from reminders.enums import Channel
from reminders.rendering import placeholders, safety
from reminders.rendering.frame import Frame, page
from reminders.rendering.segments import Segments, count, plain
from reminders.rendering.sponsors import label_of

SUBJECT, PUSH_TITLE, PUSH_BODY = 150, 60, 180  # characters that are shown anywhere
SMS_VALUE = 50  # of a title: three of them and the link still fit into two parts
WHATSAPP_VALUE = 200


class Template(Protocol):
    """A MessageTemplate, or what a campaign has instead of one."""

    @property
    def subject(self) -> str: ...
    @property
    def preheader(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def button(self) -> str: ...
    @property
    def approved_name(self) -> str: ...
    @property
    def approved_places(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """`html`: e-mail alone. `template` and `places`: WhatsApp alone; its `text` is what was approved, filled in.

    `url`: where the button, or the notice, leads. In an SMS it stands at the end of the text. `label`: who supports the
    programme; part of an e-mail's text and page, beside a message on the site.
    """

    subject: str = ""
    preheader: str = ""
    text: str = ""
    html: str = ""
    button: str = ""
    url: str = ""
    template: str = ""
    places: tuple[str, ...] = ()
    label: str = ""
    segments: Segments | None = None


def render(channel: str, template: Template, values: Mapping[str, str], frame: Frame) -> Parts:
    """Every value is taken for something a stranger typed: it becomes one line of words that leads nowhere."""
    safe = {name: safety.clean(value) for name, value in values.items()}
    return _WAYS[Channel(channel)](template, safe, frame)


def _email(template: Template, values: Mapping[str, str], frame: Frame) -> Parts:
    subject = safety.shorten(safety.one_line(placeholders.fill(template.subject, values)), SUBJECT)
    preheader = placeholders.fill(template.preheader, values)
    button = placeholders.fill(template.button, values) or (_open(frame) if frame.url else "")
    with override(frame.language):
        words = _frame_words(frame)
    written = ["\n".join(lines) for lines in placeholders.paragraphs(template.body, values)]
    if frame.url:
        written += [f"{button}:\n{frame.url}", *([words["personal"]] if words["personal"] else [])]
    if words["label"]:
        written.append(f"– – –\n{words['label']}")
    written.append("\n".join(["-- ", words["why"], *(f"{label}: {url}" for label, url in _choices(frame, words))]))
    return Parts(
        subject=subject,
        preheader=preheader,
        text="\n\n".join(written) + "\n",
        html=_html(template, values, frame, {**words, "subject": subject, "preheader": preheader, "button": button}),
        button=button,
        url=frame.url,
        label=words["label"],
    )


def _html(template: Template, values: Mapping[str, str], frame: Frame, words: Mapping[str, str]) -> str:
    lines = placeholders.paragraphs(template.body, values, words=html.escape, value=_isolated)
    links = (_link(url, html.escape(label)) for label, url in _choices(frame, words))
    return page(
        {
            "language": html.escape(frame.language),
            "direction": "rtl" if frame.is_rtl else "ltr",
            "start": "right" if frame.is_rtl else "left",
            "subject": html.escape(words["subject"]),
            "preheader": html.escape(words["preheader"]),
            "sender": _isolated(safety.clean(frame.sender_name or frame.site_name)),
            "body": "".join(f'<p class="paragraph" style="margin:0 0 16px">{"<br>".join(one)}</p>' for one in lines),
            "button": html.escape(words["button"]) if frame.url else "",
            "url": html.escape(frame.url),
            "personal": html.escape(words["personal"]),
            "label": html.escape(words["label"]),
            "why": html.escape(words["why"]),
            "choices": " · ".join(links),
        }
    )


def _frame_words(frame: Frame) -> dict[str, str]:
    programme = safety.clean(frame.programme_title)
    why = _("Sent to %(address)s because you take part in %(programme)s.")
    return {
        "personal": str(_("This link is yours alone and signs you in once. Please do not forward this message."))
        if frame.is_personal
        else "",
        "why": why % {"address": frame.address, "programme": programme} if frame.address else programme,
        "label": label_of([safety.clean(name) for name in frame.supporters]),
        "unsubscribe": str(_("No more of these e-mails")),
        "preferences": str(_("Choose what you get")),
    }


def _choices(frame: Frame, words: Mapping[str, str]) -> list[tuple[str, str]]:
    both = ((words["preferences"], frame.preferences_url), (words["unsubscribe"], frame.unsubscribe_url))
    return [(label, url) for label, url in both if url]


def _open(frame: Frame) -> str:
    with override(frame.language):
        return str(_("Open"))


def _link(url: str, label: str) -> str:
    return f'<a href="{html.escape(url)}" style="color:#51606b">{label}</a>'


def _isolated(value: str) -> str:
    """A name in another script does not turn the sentence around it."""
    return f"<bdi>{html.escape(value)}</bdi>"


def _lines(template: Template, values: Mapping[str, str]) -> str:
    return "\n\n".join("\n".join(lines) for lines in placeholders.paragraphs(template.body, values))


def _sms(template: Template, values: Mapping[str, str], frame: Frame) -> Parts:
    short = {name: safety.shorten(value, SMS_VALUE, end="...") for name, value in values.items()}
    with override(frame.language):
        end = _("No more SMS: %(address)s") % {"address": frame.unsubscribe_url} if frame.unsubscribe_url else ""
        end = end or (_("Answer STOP to end these SMS.") if frame.names_stop else "")
    text = plain("\n".join(part for part in (_lines(template, short), frame.url, end) if part))
    return Parts(text=text, url=frame.url, segments=count(text))


def _whatsapp(template: Template, values: Mapping[str, str], frame: Frame) -> Parts:
    """A place may not be empty there, nor have line breaks, which no value has."""
    short = {name: safety.shorten(value, WHATSAPP_VALUE) for name, value in values.items()}
    return Parts(
        text=_lines(template, short),
        button=placeholders.fill(template.button, short),
        url=frame.url if template.button.strip() else "",  # approved without a button, it has no place for one
        template=template.approved_name,
        places=tuple(short.get(str(name)) or "–" for name in template.approved_places),
    )


def _inbox(template: Template, values: Mapping[str, str], frame: Frame) -> Parts:
    with override(frame.language):
        label = label_of([safety.clean(name) for name in frame.supporters])
    return Parts(
        subject=safety.shorten(placeholders.fill(template.subject, values), SUBJECT),
        text=_lines(template, values),
        button=placeholders.fill(template.button, values) or (_open(frame) if frame.url else ""),
        url=frame.url,
        label=label,
    )


def _push(template: Template, values: Mapping[str, str], frame: Frame) -> Parts:
    return Parts(
        subject=safety.shorten(placeholders.fill(template.subject, values), PUSH_TITLE),
        text=safety.shorten(" ".join(_lines(template, values).split()), PUSH_BODY),
        url=frame.url,
    )


_WAYS: Mapping[Channel, Callable[[Template, Mapping[str, str], Frame], Parts]] = {
    Channel.EMAIL: _email,
    Channel.SMS: _sms,
    Channel.WHATSAPP: _whatsapp,
    Channel.INBOX: _inbox,
    Channel.PUSH: _push,
}
