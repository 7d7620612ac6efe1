"""The built-in way: the presenter's program sends RTMP to us, and our own playlists are played."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from webinars.enums import IngestKind
from webinars.ingest.base import Ingest, Setup, StreamState
from webinars.models import PublishSession, Webinar


def server_address() -> str:
    """What is entered as "server" in the presenter's program; the key is a field of its own there."""
    if settings.RTMP_URL:
        return str(settings.RTMP_URL)
    port = "" if settings.RTMP_PORT == 1935 else f":{settings.RTMP_PORT}"
    return f"rtmp://{urlsplit(settings.SITE_URL).hostname}{port}/live"


class RtmpIngest(Ingest):
    kind = IngestKind.RTMP
    has_segments = True

    def setup(self, webinar: Webinar) -> Setup:
        return Setup(
            kind=self.kind,
            server=server_address(),
            has_own_keys=True,
            steps=(
                _("Make a stream key below and keep this page open."),
                _("In OBS: Settings, Stream, service “Custom”. In Zoom: Live streaming, custom service."),
                _("Enter the server and the stream key."),
                _("Start streaming. This page shows within ten seconds what arrives."),
            ),
            settings=(
                (_("Video encoder"), _("H.264 (x264)")),
                (_("Picture"), _("1280 × 720, 30 frames a second")),
                (_("Video bitrate"), _("1500 to 2500 kbit/s")),
                (_("Keyframe interval"), _("2 seconds")),
                (_("Audio encoder"), _("AAC, 128 kbit/s")),
            ),
        )

    def state(self, webinar: Webinar) -> StreamState:
        session = PublishSession.objects.filter(broadcast__webinar=webinar, ended_at=None).first()
        return StreamState(is_live=session is not None, figures=dict(session.health) if session else {})

    def playback_url(self, webinar: Webinar) -> str:
        return ""

    def end(self, webinar: Webinar) -> None:
        """The publisher's process sees it at its next report, within two seconds."""
