from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class VideoStatus(TextChoices):
    """Where the newest source stands. Whether a video can be watched is `published_version`, not this."""

    EMPTY = "empty", _("No file yet")
    UPLOADING = "uploading", _("Uploading")
    QUEUED = "queued", _("Waiting to be prepared")
    TRANSCODING = "transcoding", _("Being prepared")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Needs attention")


class Stage(TextChoices):
    """What a worker is doing with a video right now."""

    FETCHING = "fetching", _("Fetching the file")
    PROBING = "probing", _("Reading the file")
    SOUND = "sound", _("Preparing the sound")
    PICTURE = "picture", _("Preparing the picture qualities")
    STILLS = "stills", _("Making the poster and previews")
    STORING = "storing", _("Storing the result")


class VideoError(TextChoices):
    """Why a video could not be prepared, in words for the person who uploaded it."""

    EMPTY_FILE = "empty_file", _("The file is empty.")
    NOT_A_VIDEO = "not_a_video", _("This file is not a video.")
    UNREADABLE = "unreadable", _("The file is damaged and cannot be read.")
    AUDIO_ONLY = "audio_only", _("The file has sound but no picture.")
    NO_FRAMES = "no_frames", _("The file announces a picture, but not one frame of it can be shown.")
    TRUNCATED = "truncated", _("The end of the file is missing.")
    TOO_LONG = "too_long", _("The video is longer than allowed.")
    TOO_SHORT = "too_short", _("The video is shorter than one second.")
    SOURCE_MISSING = "source_missing", _("The uploaded file is no longer in the storage.")
    NO_SPACE = "no_space", _("The server has no disk space left.")
    FAILED = "failed", _("Preparing the video failed several times.")
    INTERRUPTED = "interrupted", _("Preparing the video was interrupted several times.")

    @property
    def what_to_do(self) -> str:
        return str(_WHAT_TO_DO[self])


_WHAT_TO_DO = {
    VideoError.EMPTY_FILE: _("Export the video again and upload the new file."),
    VideoError.NOT_A_VIDEO: _(
        "Choose the video itself (MP4, MOV, MKV, WebM …), not a document, a link or a project file."
    ),
    VideoError.UNREADABLE: _(
        "Check that the file plays on your computer, export it again as MP4 and upload the new file."
    ),
    VideoError.AUDIO_ONLY: _("Choose the file with the picture, or export the slides together with the sound."),
    VideoError.NO_FRAMES: _(
        "Check that the file plays on your computer, export it again as MP4 (H.264) and upload the new file."
    ),
    VideoError.TRUNCATED: _(
        "The recording, export or copy was probably cut off. Export it again and upload the new file."
    ),
    VideoError.TOO_LONG: _("Cut the video into several lectures and upload each one."),
    VideoError.TOO_SHORT: _("Check that this is the right file and upload the whole lecture."),
    VideoError.SOURCE_MISSING: _("Upload the file again."),
    VideoError.NO_SPACE: _("Ask the operator to free disk space, then press “Try again”. The uploaded file is safe."),
    VideoError.FAILED: _(
        "Press “Try again”. If it fails again, export the video as MP4 (H.264) and upload the new file."
    ),
    VideoError.INTERRUPTED: _(
        "Ask the operator whether the worker has enough memory, then press “Try again”. The uploaded file is safe."
    ),
}


class RenditionKind(TextChoices):
    HLS = "hls", _("Quality")
    AUDIO = "audio", _("Sound only")
    MP4 = "mp4", _("MP4 download")
    POSTER = "poster", _("Poster")
    SPRITE = "sprite", _("Preview pictures")


class UploadStatus(TextChoices):
    OPEN = "open", _("Open")
    COMPLETE = "complete", _("Complete")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Abandoned")
