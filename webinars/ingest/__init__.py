"""How the picture of a live webinar reaches us. One file per kind; see `base.Ingest`."""

from django.utils.module_loading import import_string

from webinars.enums import IngestKind
from webinars.ingest.base import Ingest

KINDS = {
    IngestKind.RTMP: "webinars.ingest.rtmp.RtmpIngest",
    IngestKind.EXTERNAL: "webinars.ingest.external.ExternalIngest",
    IngestKind.IVS: "webinars.ingest.ivs.IvsIngest",
}


def ingest_for(kind: str) -> Ingest:
    """Loaded when asked for: boto3 costs every start 0.3 s where nobody needs it."""
    ingest: Ingest = import_string(KINDS[IngestKind(kind)])()
    return ingest


__all__ = ["KINDS", "Ingest", "ingest_for"]
