"""What a player reports. Bounds are wide: `domain.playback` cuts what cannot be."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from analytics.domain.playback import Report
from analytics.enums import NetworkKind, PlaybackError
from core.api.serializers import InputSerializer
from core.ranges import normalise

MOST_REPORTS = 20
MOST_NUMBER = 10_000
MOST_SPANS = 50
MOST_MS = 6 * 3_600_000
MOST_SECONDS = 1_000_000


class SpanField(serializers.ListField):
    child = serializers.IntegerField(min_value=0, max_value=MOST_SECONDS)

    def __init__(self, **given: Any) -> None:
        super().__init__(min_length=2, max_length=2, **given)

    def to_internal_value(self, data: Any) -> list[int]:
        span: list[int] = super().to_internal_value(data)
        if len(span) == 2 and span[1] < span[0]:  # how many there are is looked at after this
            raise serializers.ValidationError(_("A span ends after it begins."))
        return span


class PlaybackReportInput(InputSerializer):
    """Times are wall-clock milliseconds since the report before."""

    number = serializers.IntegerField(min_value=1, max_value=MOST_NUMBER, help_text="1, 2, 3 … of this play session.")
    start_ms = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=600_000,
        help_text="From the tap on play to the first picture, where one began since then.",
    )
    play_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS, help_text="Playing.")
    stall_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS, help_text="Waiting for data after it began.")
    stalls = serializers.IntegerField(min_value=0, max_value=10_000, help_text="How often it waited.")
    kbits = serializers.IntegerField(
        min_value=0, max_value=2**40, help_text="Bitrate of the picture (kbit/s) × seconds played; 0: not known."
    )
    errors = serializers.IntegerField(min_value=0, max_value=1_000)  # type: ignore[assignment]  # as in webinars.api
    error_kind = serializers.ChoiceField(
        choices=PlaybackError.choices, required=False, allow_blank=True, default="", help_text="Of the last error."
    )
    network = serializers.ChoiceField(choices=NetworkKind.choices, required=False, default=NetworkKind.UNKNOWN)
    replayed = serializers.ListField(
        child=SpanField(),
        required=False,
        default=list,
        max_length=MOST_SPANS,
        help_text="[from, to) in seconds of what plays: seen before, and played again.",
    )


class PlaybackReportsInput(InputSerializer):
    session = serializers.UUIDField(help_text="The play session, open, of this person and device.")
    reports = serializers.ListField(child=PlaybackReportInput(), min_length=1, max_length=MOST_REPORTS)


class PlaybackReportsSerializer(serializers.Serializer[object]):
    taken = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers that need not be sent again.")


def read_reports(rows: list[dict[str, Any]]) -> list[Report]:
    return [
        Report(
            **row
            | {
                "network": NetworkKind(row["network"]),
                "error_kind": PlaybackError(row["error_kind"]),
                "replayed": normalise((start, end) for start, end in row["replayed"]),
            }
        )
        for row in rows
    ]
