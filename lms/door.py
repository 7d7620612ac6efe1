"""From the door of a webinar into it: where webinars and signing in meet."""

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from accounts.enums import SignInMethod
from accounts.views.entrance import enter
from webinars.domain.spot import TicketError, enter_with_ticket
from webinars.views.spot import forget_ticket, send_link, ticket_of, watch_path, window_of


@require_POST
def enter_door(request: HttpRequest, slug: str) -> HttpResponse:
    """One tap: in, where a moderator let in a new person; else a link goes to the mailbox."""
    window = window_of(slug)
    ticket = ticket_of(request, window)
    try:
        person = enter_with_ticket(window=window, ticket=ticket, now=now())
    except TicketError:
        return send_link(request, window, ticket)
    return forget_ticket(enter(request, person, method=SignInMethod.INVITATION, next_path=watch_path(window)), window)
