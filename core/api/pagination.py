from typing import Any

from django.core import signing
from django.utils.translation import gettext_lazy as _
from rest_framework import pagination
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param


class CursorPagination(pagination.CursorPagination):
    """Stable under insertion, and equally cheap on every page. Subclasses set `ordering`, which ends in `id`.

    Cursors are signed: the position inside goes into a filter as text, and a crafted one would be a DataError (500).
    """

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering: tuple[str, ...] = ("id",)
    request: Request

    def decode_cursor(self, request: Request) -> Any:
        encoded = request.query_params.get(self.cursor_query_param)
        if encoded is None:
            return None
        try:
            offset, reverse, position = signing.loads(encoded, salt=self._salt(request))
        except signing.BadSignature as error:
            raise ParseError(_("The cursor is not valid. Please start from the first page.")) from error
        return pagination.Cursor(offset=offset, reverse=reverse, position=position)

    def encode_cursor(self, cursor: Any) -> str:
        text = signing.dumps((cursor.offset, cursor.reverse, cursor.position), salt=self._salt(self.request))
        return replace_query_param(self.base_url or "", self.cursor_query_param, text)

    @staticmethod
    def _salt(request: Any) -> str:
        """A cursor belongs to one list: its position means nothing in another."""
        return f"cursor:{request.path}"

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """DRF's own speaks OpenAPI 3.0, where a missing link would not be allowed to be null."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }
