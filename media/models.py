import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from media.enums import RenditionKind, Stage, UploadStatus, VideoError, VideoStatus

BUSY = (VideoStatus.UPLOADING, VideoStatus.QUEUED, VideoStatus.TRANSCODING)


class Video(models.Model):
    """A stored media asset. `published_version` names the renditions people see; `status` follows the newest source.

    `width`, `height`, `duration_seconds` and `has_audio` describe the published version and change only with it, so a
    failed replacement never disturbs what is being watched. `key` is random and part of every public address.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=200)
    status = models.CharField(
        _("status"), max_length=12, choices=VideoStatus, default=VideoStatus.EMPTY, editable=False
    )
    source_name = models.CharField(_("file name"), max_length=255, blank=True, editable=False)
    source_key = models.CharField(max_length=255, blank=True, editable=False)
    source_bytes = models.PositiveBigIntegerField(_("file size"), null=True, editable=False)
    duration_seconds = models.FloatField(_("duration"), null=True, editable=False)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    has_audio = models.BooleanField(default=False, editable=False)
    progress_percent = models.PositiveSmallIntegerField(default=0, editable=False)
    stage = models.CharField(max_length=12, choices=Stage, blank=True, editable=False)
    error_code = models.CharField(max_length=20, choices=VideoError, blank=True, editable=False)
    error_message = models.TextField(blank=True, editable=False)
    published_version = models.CharField(max_length=16, blank=True, editable=False)
    published_source = models.CharField(
        max_length=255, blank=True, editable=False, help_text=_("The `source_key` that the published version shows.")
    )
    published_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    worker = models.CharField(max_length=16, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    queued_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=("queued_at",), condition=Q(status__in=("queued", "transcoding")), name="media_video_work"
            ),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(title=""), name="media_video_has_title"),
            models.CheckConstraint(condition=Q(progress_percent__lte=100), name="media_video_percent_to_100"),
            models.CheckConstraint(
                condition=~Q(status="ready") | ~Q(published_version=""), name="media_video_ready_is_published"
            ),
            models.CheckConstraint(
                condition=Q(published_version="")
                | Q(duration_seconds__gt=0, width__gt=0, height__gt=0, published_at__isnull=False),
                name="media_video_published_is_measured",
            ),
            models.CheckConstraint(
                condition=Q(status="transcoding", lease_until__isnull=False) & ~Q(worker="")
                | ~Q(status="transcoding") & Q(lease_until=None, worker=""),
                name="media_video_lease_while_transcoding",
            ),
            models.CheckConstraint(
                condition=Q(status="failed") & ~Q(error_code="") & ~Q(error_message="")
                | ~Q(status="failed") & Q(error_code="", error_message=""),
                name="media_video_failed_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("queued", "transcoding"))
                | ~Q(source_key="") & Q(source_bytes__isnull=False, queued_at__isnull=False),
                name="media_video_work_has_source",
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_published(self) -> bool:
        return self.published_version != ""

    @property
    def is_busy(self) -> bool:
        return self.status in BUSY

    @property
    def what_to_do(self) -> str:
        return VideoError(self.error_code).what_to_do if self.error_code else ""


class Rendition(models.Model):
    """One published form of a video. `path` is relative to the version's folder; bandwidths are measured, in bit/s."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="renditions")
    version = models.CharField(max_length=16)
    kind = models.CharField(max_length=8, choices=RenditionKind)
    name = models.CharField(max_length=40)
    path = models.CharField(max_length=120)
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    frame_rate = models.PositiveSmallIntegerField(null=True)
    bandwidth_peak = models.PositiveBigIntegerField(null=True)
    bandwidth_average = models.PositiveBigIntegerField(null=True)

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        ordering = ("video", "kind", "bandwidth_peak", "name")
        constraints = (
            models.UniqueConstraint(fields=("video", "version", "name"), name="media_rendition_name_once"),
            models.CheckConstraint(condition=Q(bytes__gt=0), name="media_rendition_not_empty"),
            models.CheckConstraint(
                condition=~Q(kind__in=("hls", "audio"))
                | Q(bandwidth_peak__gt=0, bandwidth_average__gt=0, bandwidth_peak__gte=F("bandwidth_average")),
                name="media_rendition_stream_is_measured",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"

    @property
    def peak_kbit(self) -> int:
        return round((self.bandwidth_peak or 0) / 1000)

    @property
    def average_kbit(self) -> int:
        return round((self.bandwidth_average or 0) / 1000)


class Caption(models.Model):
    """WebVTT in one language. Independent of the version: a re-encoded video keeps its captions."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="captions")
    language = models.CharField(_("language"), max_length=12)
    label = models.CharField(_("label"), max_length=60, help_text=_("Shown in the player's menu, for example English."))
    path = models.CharField(max_length=120, editable=False, help_text=_("Relative to the video's folder."))
    cues = models.PositiveIntegerField(_("number of captions"), editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("caption file")
        verbose_name_plural = _("caption files")
        ordering = ("language",)
        constraints = (
            models.UniqueConstraint(
                fields=("video", "language"),
                name="media_caption_language_once",
                violation_error_message=_("There are captions in this language already. Remove them first."),
            ),
            models.CheckConstraint(condition=~Q(language="") & ~Q(label="") & ~Q(path=""), name="media_caption_named"),
            models.CheckConstraint(condition=Q(cues__gt=0), name="media_caption_not_empty"),
        )

    def __str__(self) -> str:
        return f"{self.label} ({self.language})"


class Upload(models.Model):
    """A file on its way in, in parts. `direct_id` is S3's multipart id; empty when the parts come through us."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(Video, models.CASCADE, related_name="uploads")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=UploadStatus, default=UploadStatus.OPEN)
    name = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField()
    part_bytes = models.PositiveBigIntegerField()
    fingerprint = models.CharField(max_length=200)
    storage_key = models.CharField(max_length=255, unique=True)
    direct_id = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField()
    active_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(condition=Q(size_bytes__gt=0, part_bytes__gt=0), name="media_upload_sizes_positive"),
            models.CheckConstraint(
                condition=Q(size_bytes__lte=F("part_bytes") * 10_000), name="media_upload_at_most_10000_parts"
            ),
            models.UniqueConstraint(fields=("video",), condition=Q(status="open"), name="media_upload_one_open"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_bytes)

    def bytes_of_part(self, number: int) -> int:
        """Every part is full except the last."""
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)


class UploadPart(models.Model):
    """A part that is safely stored. `checksum` is SHA-256 for our own storage, the ETag for S3."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    checksum = models.CharField(max_length=80)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("upload", "number"), name="media_part_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=10_000), name="media_part_number_in_range"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="media_part_not_empty"),
        )

    def __str__(self) -> str:
        return f"{self.upload_id} #{self.number}"


class StoredTree(models.Model):
    """Every folder or file this app ever wrote to the storage, noted before the first byte.

    The sweep removes what is due without listing a bucket, and nothing is orphaned by a crash between two writes.
    `remove_after` empty means in use.
    """

    prefix = models.CharField(max_length=255, unique=True)
    video = models.ForeignKey(Video, models.SET_NULL, null=True, related_name="stored_trees")
    created_at = models.DateTimeField()
    remove_after = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name = _("stored folder")
        verbose_name_plural = _("stored folders")

    def __str__(self) -> str:
        return self.prefix
