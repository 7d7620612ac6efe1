"""A meeting elsewhere (Zoom, Teams, YouTube): we know the link, and who followed it when."""

from django.utils.translation import gettext_lazy as _

from webinars.enums import IngestKind
from webinars.ingest.base import Ingest, Setup, StreamState
from webinars.models import Webinar


class ExternalIngest(Ingest):
    kind = IngestKind.EXTERNAL

    def setup(self, webinar: Webinar) -> Setup:
        return Setup(
            kind=self.kind,
            link=webinar.external_url,
            steps=(
                _("Open the meeting in its own program and start it there."),
                _("Doctors find the link here when the doors open. Their time is counted from joining to leaving."),
                _("End the webinar here when the meeting is over."),
            ),
        )

    def state(self, webinar: Webinar) -> StreamState:
        return StreamState(is_known=False)

    def playback_url(self, webinar: Webinar) -> str:
        return webinar.external_url

    def end(self, webinar: Webinar) -> None:
        """The meeting is ended in its own program."""
