"""DRF throttles on `core.limits`. DRF's own read, then write: under load as many slip through as race."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.http import client_address
from core.limits import hit_each

if TYPE_CHECKING:  # DRF's views import this module by its settings
    from rest_framework.views import APIView


class Throttle(BaseThrottle):
    """The signed-in are counted by person, everybody else by address.

    Five hundred doctors behind one hospital address are five hundred people here, and their number is no offence.
    """

    scope: ClassVar[str] = "api"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Every rate is hit, also after a refusal, so that a burst cannot be hidden from the sustained rate."""
        scope, who = self.subject(request)
        rates: Iterable[tuple[int, int]] = settings.API_RATES[scope]
        decisions = hit_each([(f"{scope}:{seconds}:{who}", limit, seconds) for limit, seconds in rates])
        self.retry_after = max(decision.retry_after_seconds for decision in decisions)
        return all(decision.allowed for decision in decisions)

    def wait(self) -> float:
        return self.retry_after

    def subject(self, request: Request) -> tuple[str, str]:
        if request.user.is_authenticated:
            return self.scope, f"user:{request.user.pk}"
        return "anonymous", f"address:{client_address(request._request)}"  # noqa: SLF001


class BeatThrottle(Throttle):
    """Beats come every few seconds from every open player, and in bulk after a night offline."""

    scope = "beats"


class ReportThrottle(Throttle):
    """A player reports once a minute at most, and when its page goes; a person may have several open."""

    scope = "reports"


class PollThrottle(Throttle):
    """A live room is polled every few seconds, in two windows perhaps."""

    scope = "polls"
