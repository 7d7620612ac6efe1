"""What became of a message, in words, in the order in which it happened."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from reminders.enums import Channel, DeliveryState
from reminders.models import Delivery


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    text: str


def story_of(one: Delivery) -> list[Line]:
    """No query. "Opened" is what the provider says: mail programs load pictures by themselves, or never."""
    lines: list[Line] = []
    if one.state == DeliveryState.SKIPPED and one.ended_at:
        lines.append(Line(one.ended_at, _("Not sent: %(why)s") % {"why": one.get_skip_reason_display()}))
    elif one.state == DeliveryState.PLANNED and one.tries:
        again = _("Refused (%(why)s); tried again then") % {"why": one.error or "–"}
        lines.append(Line(one.due_at, again))
    elif one.state == DeliveryState.FAILED and one.ended_at:
        lines.append(Line(one.ended_at, _("Refused: %(why)s") % {"why": one.error or "–"}))
    elif one.state == DeliveryState.UNKNOWN and one.ended_at:
        lines.append(Line(one.ended_at, _("Nobody knows whether it left: %(why)s") % {"why": one.error or "–"}))
    elif one.state == DeliveryState.SENT and one.ended_at:
        lines.append(Line(one.ended_at, _("Handed over (%(by)s)") % {"by": one.transport or "–"}))
    marks = (
        (one.delivered_at, _("Delivered")),
        (one.bounced_at, _("Came back") if one.channel == Channel.EMAIL else _("Not delivered, says the provider")),
        (one.read_at, _("Opened, says the provider")),
        (one.followed_at, _("Link followed")),
    )
    lines += [Line(at, text) for at, text in marks if at]
    return sorted(lines, key=lambda line: line.at)
