"""Messages on the site."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.rules import person_of
from core.clock import now
from reminders.domain import inbox
from reminders.rules import get_message_for

PER_PAGE = 20


@require_safe
@login_required
def messages_page(request: HttpRequest) -> HttpResponse:
    """In full: they are short, and what is here has been sent to be read at a glance."""
    page = Paginator(inbox.page_of(person_of(request)), PER_PAGE).get_page(request.GET.get("page"))
    items = list(page.object_list)
    context = {"page": page, "items": items, "newest": max((item.pk for item in items), default=0)}
    return render(request, "reminders/messages.html", context)


@require_POST
@login_required
def open_message(request: HttpRequest, message_id: int) -> HttpResponse:
    path = inbox.open_message(item=get_message_for(person_of(request), message_id), now=now())
    if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return redirect(path)
    return redirect("reminders:messages")


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    given = request.POST.get("until", "")
    until = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    if inbox.read_all(user=person_of(request), until=until, now=now()):
        messages.success(request, _("All are marked as read."))
    return redirect("reminders:messages")
