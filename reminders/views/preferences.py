"""Which way a person wants to be written to, and what their own calendar and browsers take."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.sign_in import TooManyError
from accounts.models import User
from accounts.rules import person_of
from core.clock import now
from reminders.domain import consent, feeds, phone_codes, preferences
from reminders.domain.consent import BY_NUMBER
from reminders.enums import Channel
from reminders.forms.preferences import PreferencesForm
from reminders.views.numbers import wait_words


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = _form(person, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (saved := _saved(request, person, form)):
        return saved
    return _page(request, person, form=form)


def _saved(request: HttpRequest, person: User, form: PreferencesForm) -> HttpResponse | None:
    """None: nothing was, and the form says why."""
    phone = form.cleaned_data["phone"] if form.asks_for_number else None
    try:
        code = preferences.save(user=person, choices=form.choices(), phone=phone, now=now())
    except TooManyError as error:
        form.add_error(None, wait_words(error.retry_after_seconds))
        return None
    except ValidationError as error:
        form.add_error("phone", error)
        return None
    if code is not None:
        return redirect("reminders:confirm_number")
    messages.success(request, _("Saved."))
    return redirect("reminders:preferences")


@login_required
@require_POST
def try_again(request: HttpRequest) -> HttpResponse:
    if preferences.try_again(user=person_of(request), channel=request.POST.get("channel", ""), now=now()):
        messages.success(request, _("We will try again with the next message."))
    return redirect("reminders:preferences")


@login_required
@require_POST
def calendar(request: HttpRequest) -> HttpResponse:
    """A new address is shown on the answer itself, once: only its hash is kept."""
    person = person_of(request)
    if request.POST.get("do") == "stop":
        if feeds.stop_feed(user=person):
            messages.success(request, _("Your calendar can no longer read from that address."))
        return redirect("reminders:preferences")
    address = settings.SITE_URL + feeds.make_feed(user=person, now=now())
    return _page(request, person, feed_address=address)


def _form(person: User, given: Any = None) -> PreferencesForm:
    waiting = phone_codes.waiting_code(person, now=now())
    return PreferencesForm(given, ways=preferences.ways_of(person), phone=str(person.phone or ""), waiting=waiting)


def _number(person: User, form: PreferencesForm) -> dict[str, Any]:
    """What is said of the telephone: that a code waits, that it is confirmed, or that it could be."""
    is_used = any(way.is_on for way in form.ways if way.channel in BY_NUMBER)
    return {
        "waiting": form.waiting,
        "waiting_number": phone_codes.masked(form.waiting.number) if form.waiting else "",
        "is_proved": person.phone_proved_at is not None,
        "may_confirm": is_used and bool(person.phone) and not person.phone_proved_at and bool(phone_codes.carrier()),
        "number": consent.address_of(person, Channel.SMS),
    }


def _page(request: HttpRequest, person: User, *, form: PreferencesForm | None = None, **more: Any) -> HttpResponse:
    form = form or _form(person)
    address, notices_key = more.get("feed_address", ""), preferences.notices_key()
    context = {
        "tab": "messages",
        "form": form,
        **_number(person, form),
        "blocked": [way for way in form.ways if way.is_blocked],
        "history": preferences.history_of(person),
        "feed": feeds.feed_for(person),
        "feed_subscribe": f"webcal://{address.partition('://')[2]}" if address else "",
        "browsers": preferences.browsers_of(person) if notices_key else [],
        "offers_notices": bool(notices_key),
        "notices_key": notices_key,
        **more,
    }
    return render(request, "reminders/preferences.html", context)
