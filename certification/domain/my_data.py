"""What a doctor does about their own data: sees how long it is kept, takes it along, asks to be erased.

Erasing cannot be undone, so a person of the office does it (`manage.py erase_person`); the request tells them to.
"""

from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse

from accounts.domain import erasure as account
from accounts.domain import mail
from accounts.enums import Role
from accounts.models import User
from certification.domain.erasure import DutiesError, look, write_own_data
from certification.tasks import tell_office as bell
from courses.models import RoleGrant

log = structlog.get_logger("certification.my_data")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What erasing would leave. `until`: the last day on which something with the name is kept, none where nothing is.

    `has_disclosed`: what they stated as a presenter is kept too. `has_duties`: work that somebody else must take over
    first.
    """

    until: date | None
    has_disclosed: bool = False
    has_duties: bool = False


def outlook_of(*, user: User, now: datetime) -> Outlook:
    try:
        seen = look(user=user, now=now)
    except DutiesError:
        return Outlook(None, has_duties=True)
    own = [one.until for one in seen.kept if one.until and not one.rests]
    return Outlook(max(own, default=None), has_disclosed=any(one.rests for one in seen.kept))


def own_file(*, user: User, now: datetime) -> bytes:
    """A ZIP of JSON: one person's, so some hundred kilobytes. A fixed number of queries. Recorded."""
    file = BytesIO()
    write_own_data(user=user, to=file, now=now, actor=user)
    return file.getvalue()


def ask(*, user: User, now: datetime, request: HttpRequest | None = None) -> None:
    """A second time changes nothing."""
    with transaction.atomic():
        if account.ask_for_erasure(user=user, now=now, request=request):
            transaction.on_commit(bell.delay, robust=True)


def tell_office(*, now: datetime) -> int:
    """By e-mail, to the operators of all programmes: once for each request. Returns how many requests were told.

    A request is taken before anything is sent: of several workers one tells it. It stands in the admin as well, so what
    a mail server refuses is not sent again.
    """
    told = 0
    for person in User.objects.filter(erasure_asked_at__isnull=False, erasure_told_at=None, is_active=True):
        office = list(_office())
        if not office:
            log.warning("nobody to tell of a request to be erased", person=person.pk)
            break
        if User.objects.filter(pk=person.pk, erasure_told_at=None).update(erasure_told_at=now):
            _tell(person, office)
            told += 1
    return told


def _office() -> list[User]:
    """As `courses.rules.is_operator` has it."""
    granted = RoleGrant.objects.filter(user=OuterRef("pk"), role=Role.OPERATOR, programme=None)
    return list(User.objects.filter(Exists(granted) | Q(is_superuser=True), is_active=True).order_by("pk"))


def _tell(person: User, office: list[User]) -> None:
    address = settings.SITE_URL + reverse("admin:accounts_user_change", args=(person.pk,))
    for one in office:
        try:
            mail.send(mail.build("erasure_asked", user=one, context={"address": address, "number": person.pk}))
        except OSError as error:  # SMTPException is one
            log.warning("a request to be erased was not sent", person=person.pk, error=str(error))
