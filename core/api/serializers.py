from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

TRANSPORT_FIELDS = frozenset({"csrfmiddlewaretoken"})
MOST_UNKNOWN_NAMED = 20


class InputSerializer(serializers.Serializer[Any]):
    """Says no to fields it does not know, so that nobody believes a privileged field was accepted.

    Output goes through another serializer: what may be read is never by accident what may be written.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields and name not in TRANSPORT_FIELDS]
            if unknown:
                refusal = ErrorDetail(str(_("This field is unknown or may not be changed.")), code="unknown")
                raise ValidationError({str(name): [refusal] for name in unknown[:MOST_UNKNOWN_NAMED]})
        return super().to_internal_value(data)
