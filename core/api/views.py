from typing import Any, NoReturn

from django.conf import settings
from rest_framework import permissions
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.problems import TooLarge


class ApiView(APIView):
    """The base of every view under /api/. With a DRF generic it stands first among the bases."""

    largest_body_bytes: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """DRF reads bodies past Django's own size limit, and reads forms as early as the CSRF check."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > self.largest_body_bytes:
            raise TooLarge
        super().initial(request, *args, **kwargs)

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """DRF asks permissions before throttles, so that refused requests would be free: they are counted here."""
        self.check_throttles(request)
        super().permission_denied(request, message, code)


class NowhereView(ApiView):
    """Every address under /api/ that is nobody's: a problem document, also where DEBUG shows its own pages."""

    permission_classes = [permissions.AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound
