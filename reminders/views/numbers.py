"""One step: typing the code that came to the telephone."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.sign_in import TooManyError
from accounts.rules import person_of
from core.clock import now
from reminders.domain import phone_codes, preferences
from reminders.forms.preferences import NumberCodeForm
from reminders.models import PhoneCode


@sensitive_post_parameters("code")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    waiting = phone_codes.waiting_code(person, now=now())
    if waiting is None:
        return redirect("reminders:preferences")
    form = NumberCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            preferences.confirm(user=person, code=form.cleaned_data["code"], now=now())
        except TooManyError as error:
            form.add_error(None, wait_words(error.retry_after_seconds))
        except phone_codes.WrongCodeError as error:
            form.add_error("code", _wrong(error.tries_left))
            waiting.refresh_from_db()
        else:
            messages.success(request, _("Your number is confirmed."))
            return redirect("reminders:preferences")
    return _page(request, waiting, form)


@login_required
@require_POST
def code(request: HttpRequest) -> HttpResponse:
    """The next one, or none at all."""
    person = person_of(request)
    if request.POST.get("do") == "leave":
        phone_codes.give_up(user=person, now=now())
        return redirect("reminders:preferences")
    try:
        made = preferences.confirm_later(user=person, now=now())
    except TooManyError as error:
        messages.error(request, wait_words(error.retry_after_seconds))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("reminders:preferences")
    else:
        if made is not None:
            messages.success(request, _("A new code is on its way. Only this one works now."))
    return redirect("reminders:confirm_number")


def _page(request: HttpRequest, waiting: PhoneCode, form: NumberCodeForm) -> HttpResponse:
    context: dict[str, Any] = {
        "tab": "messages",
        "form": form,
        "waiting": waiting,
        "number": phone_codes.masked(waiting.number),
        "is_good": waiting.ended_at is None and waiting.expires_at > now(),
    }
    return render(request, "reminders/number.html", context)


def _wrong(tries_left: int) -> str:
    if tries_left:
        return _("This is not the code. Please look again: it is the newest message that counts.")
    return _("This code no longer works. Please have a new one sent.")


def wait_words(seconds: int) -> str:
    minutes = (seconds + 59) // 60
    if minutes > 90:
        return _("You have tried many times today. Please try again tomorrow.")
    return ngettext(
        "You have tried many times in a row. Please wait one minute, then try again.",
        "You have tried many times in a row. Please wait %(minutes)s minutes, then try again.",
        minutes,
    ) % {"minutes": minutes}
