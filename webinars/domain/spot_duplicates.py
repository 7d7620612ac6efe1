"""Who at the door may be somebody who is known already. A hint for a moderator, in words; never a refusal."""

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.models.people import LOOSE_SIGNS, loose
from courses.enums import OPEN_ENROLMENTS
from courses.models import Enrolment
from webinars.models import SpotRequest, SpotWindow

if TYPE_CHECKING:
    from webinars.domain.spot import Asker


@dataclass(frozen=True, slots=True)
class Duplicate:
    user: User | None = None
    reason: str = ""


def normal(text: str) -> str:
    """'Reg. 48-213' and 'REG 48213' are one number. In Python as in SQL below."""
    return re.sub(f"[{re.escape(LOOSE_SIGNS)}]", "", unicodedata.normalize("NFC", text)).upper()


def find_duplicate(*, window: SpotWindow, asker: "Asker", email: str) -> Duplicate:
    """By indexes over the loose spelling, among people and in the queue: three queries whatever their number."""
    number, council = normal(asker.registration_number), normal(asker.medical_council)
    names = {"first": asker.first_name.strip().lower(), "last": asker.last_name.strip().lower()}
    known = (
        User.objects.order_by()
        .alias(number=loose("registration_number"), council=loose("medical_council"))
        .alias(first=Lower("first_name"), last=Lower("last_name"))
        .filter(Q(email=email) | Q(number=number, council=council) | Q(**names, country=asker.country))[:20]
    )
    found = sorted(known, key=lambda user: (user.email != email, normal(user.registration_number) != number, user.pk))
    if found:
        return Duplicate(found[0], _reason(found[0], window, email=email, number=number))
    return Duplicate(None, _in_queue(window, email=email, number=number, council=council, names=names, asker=asker))


def _reason(user: User, window: SpotWindow, *, email: str, number: str) -> str:
    programme = window.webinar.lesson.course.programme
    if user.email == email:
        enrolled = Enrolment.objects.filter(user=user, programme=programme, status__in=OPEN_ENROLMENTS).exists()
        if enrolled:
            return _("Has an account and a place in this programme; was sent a link.")
        return _("Has an account with this e-mail address.")
    if normal(user.registration_number) == number:
        return _("Same council and registration number as %(name)s.") % {"name": user.get_full_name()}
    return _("Same name and country as %(name)s.") % {"name": user.get_full_name()}


def _in_queue(
    window: SpotWindow, *, email: str, number: str, council: str, names: dict[str, str], asker: "Asker"
) -> str:
    others = (
        SpotRequest.objects.order_by()
        .filter(window=window)
        .exclude(email=email)
        .alias(number=loose("registration_number"), council=loose("medical_council"))
        .alias(first=Lower("first_name"), last=Lower("last_name"))
    )
    # Any of them will do: an order would tempt the planner to walk through the whole queue.
    for same in others.filter(number=number, council=council)[:1]:
        return _("Same council and registration number as another request: %(email)s.") % {"email": same.email}
    for same in others.filter(**names, country=asker.country)[:1]:
        return _("Same name and country as another request: %(email)s.") % {"email": same.email}
    return ""
