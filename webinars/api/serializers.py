from rest_framework import serializers

from core.api.serializers import InputSerializer
from webinars.enums import Phase, Refusal

MOST_BEATS = 500


class PlaySessionInput(InputSerializer):
    session = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The session to renew; without it a new one begins."
    )
    version = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=16,
        help_text="Of the files that the page plays: a recording may have been cut anew since it was opened.",
    )


class PlaySessionSerializer(serializers.Serializer[object]):
    session = serializers.UUIDField()
    phase = serializers.ChoiceField(choices=Phase.choices)
    position = serializers.FloatField(help_text="Where to continue, in seconds.")
    seen = serializers.IntegerField(help_text="Unique seconds watched.")
    required = serializers.IntegerField(  # type: ignore[assignment]  # hides an attribute of Field, harmlessly
        help_text="Unique seconds that complete the lesson."
    )
    grant_expires_at = serializers.DateTimeField(help_text="When the cookie that opens the video's files ends.")
    epoch = serializers.DateTimeField(
        allow_null=True, help_text="While live: the program date that is second 0. Beats carry seconds since then."
    )
    live = serializers.CharField(
        help_text="While live: the playlist of the broadcast, at AWS good for one loading within a minute; else empty."
    )
    live_audio = serializers.CharField(help_text="The same, sound only.")


class CaptionSerializer(serializers.Serializer[object]):
    language = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    url = serializers.CharField()


class SourcesSerializer(serializers.Serializer[object]):
    """While live there are only `hls` and `audio`, of the broadcast."""

    hls = serializers.CharField()
    mp4 = serializers.CharField()
    audio = serializers.CharField(help_text="Empty for a video without sound.")
    poster = serializers.CharField()
    sprite = serializers.CharField()
    captions = CaptionSerializer(many=True)


class ChapterSerializer(serializers.Serializer[object]):
    at = serializers.FloatField(help_text="Seconds of the recording as it is shown.")
    title = serializers.CharField()


class PlaybackSerializer(serializers.Serializer[object]):
    sources = SourcesSerializer()
    phase = serializers.ChoiceField(choices=Phase.choices)
    epoch = serializers.DateTimeField(allow_null=True, help_text="While live: the program date that is second 0.")
    position = serializers.FloatField()
    coverage = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Watched seconds as [from, to) pairs, sorted and disjoint.",
    )
    duration = serializers.FloatField()
    seen = serializers.IntegerField()
    required = serializers.IntegerField()  # type: ignore[assignment]
    chapters = ChapterSerializer(many=True)


class BeatsInput(InputSerializer):
    """A beat that cannot be read is refused by itself, so the list is not checked here."""

    session = serializers.UUIDField()
    beats = serializers.ListField(
        child=serializers.JSONField(help_text='{"n": 12, "s": [[0, 30.4]], "p": 30.4}'), max_length=MOST_BEATS
    )


class RefusedBeatSerializer(serializers.Serializer[object]):
    n = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(choices=Refusal.choices)
    detail = serializers.CharField()


class BeatsSerializer(serializers.Serializer[object]):
    acked = serializers.ListField(child=serializers.IntegerField())
    refused = RefusedBeatSerializer(many=True)
    seen = serializers.IntegerField()
    done = serializers.BooleanField()
