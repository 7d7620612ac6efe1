"""The door: in front of sessions, database and cache, and cheap, because under load most of what it does is refuse."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions

from core import metrics
from core.api.problems import problem_response
from core.shedding import page, tickets
from core.shedding.kinds import Kind, kind_of
from core.shedding.line import Answer, Line
from core.shedding.pressure import Queue, take_wait
from core.shedding.tickets import Ticket

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # the address may hold the secret of a one-tap link
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Vary": "Cookie, Accept-Language",
}


class Busy(exceptions.APIException):
    status_code = 503
    default_detail = _("Very much is going on at the moment. Please try again in some seconds.")
    default_code = "busy"


class SheddingMiddleware:
    """Newcomers' pages wait first, in order; what people who are in only read waits late; what they send never does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.line = Line()
        self.newcomers = Queue(settings.SHED_JOIN_MS / 1000)
        self.readers = Queue(settings.SHED_READ_MS / 1000)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        waited = take_wait()
        if waited is None or not settings.SHED_JOIN_MS or not _comes_by_https(request):
            return self.get_response(request)
        metrics.QUEUE_SECONDS.observe(waited)
        is_full, is_far_over = self.newcomers.is_over(waited), self.readers.is_over(waited)
        kind = kind_of(request.method or "", request.path_info)
        if kind is Kind.ALWAYS:
            return self.get_response(request)
        now = time.time()
        if request.path_info == page.ADDRESS:
            return self._place(request, is_full=is_full, now=now)
        age = tickets.pass_age(request, now=now)
        if kind is Kind.PAGE and age is None:
            refusal = self._door(request, is_full=is_full, now=now)
        elif is_far_over and _may_wait(request, kind, is_in=age is not None):
            refusal = _busy(request)
        else:
            refusal = None
        if refusal is not None:
            metrics.SHED.labels("newcomer" if kind is Kind.PAGE and age is None else kind.value).inc()
            return refusal
        response = self.get_response(request)
        _keep_in(request, response, kind, age=age, now=now)
        return response

    def _door(self, request: HttpRequest, *, is_full: bool, now: float) -> HttpResponse | None:
        """None: come in. Valkey is asked for those who wait; of everybody else every half second about one."""
        ticket = tickets.read_ticket(request, now=now)
        if not self.line.is_shut(is_full=is_full) and not is_full:
            return None
        answer = self._ask(ticket, is_full=is_full)
        if answer is None or not answer.shut:
            # Nobody keeps an order, or this process alone is full: whoever asks again meets another one perhaps.
            return _waiting(request, None) if is_full else None
        if answer.admitted:
            return None
        response = _waiting(request, answer)
        if answer.number:
            tickets.hand_out_ticket(response, Ticket.of(answer.number))
        return response

    def _place(self, request: HttpRequest, *, is_full: bool, now: float) -> JsonResponse:
        """For the page's script: how it stands, without a page. Whoever is let in by this gets the pass by it."""
        ticket = tickets.read_ticket(request, now=now)
        answer = self._ask(ticket, is_full=is_full)
        is_open = (answer.admitted or not answer.shut) if answer is not None and ticket else not is_full
        response = JsonResponse({"open": is_open, **_words(request, answer)}, headers=HEADERS)
        if is_open:
            tickets.hand_out_pass(response, now=now)
            tickets.take_ticket_back(response)
        elif answer is not None and answer.number:
            tickets.hand_out_ticket(response, Ticket.of(answer.number))
        return response

    def _ask(self, ticket: Ticket | None, *, is_full: bool) -> Answer | None:
        """A number is drawn by who has none. It counts once its browser has come back with it: a flood of callers
        without cookies draws numbers and takes nobody's place."""
        if ticket is None:
            return self.line.ask(is_full=is_full, draw=True)
        return self.line.ask(is_full=is_full, ticket=ticket.name, number=ticket.number)


def _comes_by_https(request: HttpRequest) -> bool:
    """Otherwise the redirect comes first, which costs less than a waiting room."""
    return request.is_secure() or not settings.SECURE_SSL_REDIRECT


def _may_wait(request: HttpRequest, kind: Kind, *, is_in: bool) -> bool:
    if kind is Kind.SAVE:
        return not is_in and settings.SESSION_COOKIE_NAME not in request.COOKIES
    return kind in (Kind.READ, Kind.PAGE)


def _keep_in(request: HttpRequest, response: HttpResponseBase, kind: Kind, *, age: float | None, now: float) -> None:
    """Whoever got a page is in for a while, and longer with everything they do; a file for everybody says nothing."""
    if response.status_code >= 400 or "no-store" not in response.headers.get("Cache-Control", ""):
        return
    is_new = age is None and kind is Kind.PAGE
    is_old = age is not None and age > settings.ENTRY_SECONDS / 2
    if is_new or is_old:
        tickets.hand_out_pass(response, now=now)
    if tickets.TICKET in request.COOKIES:
        tickets.take_ticket_back(response)


def _busy(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        response: HttpResponse = problem_response(request, Busy())
        for name, value in {**HEADERS, "Retry-After": str(page.after(9))}.items():
            response[name] = value
        return response
    return _waiting(request, None)


def _waiting(request: HttpRequest, answer: Answer | None) -> HttpResponse:
    """503 under the very address that was asked for: it opens by itself when it is asked for again in time."""
    seconds = answer.seconds if answer else 0.0
    refresh = page.after(seconds)
    body = page.waiting_room(
        get_language_from_request(request),
        ahead=answer.ahead if answer else None,
        seconds=seconds,
        refresh=refresh,
    )
    headers = {**HEADERS, "Retry-After": str(refresh), "Content-Security-Policy": page.policy()}
    return HttpResponse(body, status=503, content_type=page.CONTENT_TYPE, headers=headers)


def _words(request: HttpRequest, answer: Answer | None) -> dict[str, str | int]:
    if answer is None or not answer.shut:
        return {"after": page.after(0)}
    with override(get_language_from_request(request)):
        return {
            "people": page.words_for_people(answer.ahead),
            "time": page.words_for_time(answer.seconds),
            "after": page.after(answer.seconds),
        }
