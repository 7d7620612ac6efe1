from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind, ItemState
from courses.models import Lesson, Programme


class Board(models.Model):
    """An examining board or a curriculum. Its topics are what items are mapped to."""

    title = models.CharField(_("title"), max_length=200, unique=True)

    class Meta:
        verbose_name = _("curriculum")
        verbose_name_plural = _("curricula")
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title


class BoardTopic(models.Model):
    board = models.ForeignKey(Board, models.CASCADE, related_name="topics", verbose_name=_("curriculum"))
    code = models.CharField(_("code"), max_length=40)
    title = models.CharField(_("title"), max_length=200)

    class Meta:
        verbose_name = _("topic of a curriculum")
        verbose_name_plural = _("topics of a curriculum")
        ordering = ("board", "code")
        constraints = (models.UniqueConstraint(fields=("board", "code"), name="assessments_topic_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class Bank(models.Model):
    """Items that a programme's tests draw from."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="banks", verbose_name=_("programme"))
    title = models.CharField(_("title"), max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("question bank")
        verbose_name_plural = _("question banks")
        ordering = ("programme", "title")
        constraints = (models.UniqueConstraint(fields=("programme", "title"), name="assessments_bank_title"),)

    def __str__(self) -> str:
        return self.title


class ItemImage(models.Model):
    """A picture of a bank, re-encoded when it was uploaded. Only who has it on a paper, and staff, may fetch it."""

    bank = models.ForeignKey(Bank, models.CASCADE, related_name="images")
    key = models.CharField(max_length=200, unique=True, help_text=_("In the private storage."))
    sha256 = models.CharField(max_length=64)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    description = models.CharField(_("what it shows"), max_length=500, help_text=_("For those who cannot see it."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = (models.UniqueConstraint(fields=("bank", "sha256"), name="assessments_image_once"),)

    def __str__(self) -> str:
        return self.description


class ItemQuerySet(models.QuerySet["Item"]):
    def ready(self) -> Self:
        """Those a paper may be made of: a part of a vignette comes with it, and never by itself."""
        return self.filter(state=ItemState.READY, version__isnull=False, vignette=None)


class Item(models.Model):
    """One question of a bank. What it says and what is right are in its versions; here is what it is filed under."""

    bank = models.ForeignKey(Bank, models.PROTECT, related_name="items", verbose_name=_("question bank"))
    kind = models.CharField(_("kind"), max_length=12, choices=ItemKind)
    name = models.CharField(_("short name"), max_length=120, help_text=_("For authors; doctors do not see it."))
    state = models.CharField(_("state"), max_length=8, choices=ItemState, default=ItemState.DRAFT)
    version = models.ForeignKey("ItemVersion", models.PROTECT, null=True, editable=False, related_name="+")
    vignette = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="parts", verbose_name=_("part of the vignette")
    )
    position = models.PositiveSmallIntegerField(_("position in the vignette"), null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=60), verbose_name=_("tags"), default=list, blank=True)
    difficulty = models.PositiveSmallIntegerField(
        _("difficulty"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("As the author sees it, from 1 (easy) to 5 (hard)."),
    )
    topics = models.ManyToManyField(
        BoardTopic, blank=True, related_name="items", verbose_name=_("topics of curricula"), through="ItemTopic"
    )
    exposure_percent = models.PositiveSmallIntegerField(
        _("on at most this share of papers, percent"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("For random draws. Empty: as often as it comes."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ("bank", "name", "id")
        constraints = (
            models.UniqueConstraint(fields=("bank", "name"), name="assessments_item_name"),
            models.UniqueConstraint(
                fields=("vignette", "position"),
                name="assessments_item_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(vignette=None, position=None)
                | Q(vignette__isnull=False, position__gte=1) & ~Q(kind=ItemKind.VIGNETTE),
                name="assessments_item_part",
            ),
            models.CheckConstraint(
                condition=Q(difficulty=None) | Q(difficulty__range=(1, 5)), name="assessments_item_difficulty"
            ),
            models.CheckConstraint(
                condition=Q(exposure_percent=None) | Q(exposure_percent__range=(1, 100)),
                name="assessments_item_exposure",
            ),
            models.CheckConstraint(
                condition=~Q(state=ItemState.READY) | Q(version__isnull=False), name="assessments_item_ready_has_text"
            ),
        )
        indexes = (
            GinIndex(fields=("tags",), name="assessments_item_tags"),
            models.Index(fields=("bank", "state", "difficulty"), name="assessments_item_draw"),
        )

    def __str__(self) -> str:
        return self.name


class ItemTopic(models.Model):
    item = models.ForeignKey(Item, models.CASCADE)
    topic = models.ForeignKey(BoardTopic, models.PROTECT)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("item", "topic"), name="assessments_item_topic_once"),)

    def __str__(self) -> str:
        return f"{self.item_id}/{self.topic_id}"


class ItemVersion(models.Model):
    """What an item said. Never changed or deleted (a trigger refuses it): papers point here.

    `shown` is what a doctor gets to see, `key` what nobody sees before the review policy allows it: what is right, the
    rationale, the references. Their shapes belong to `assessments.items`. They are apart so that nothing that makes a
    paper ever reads a key.
    """

    item = models.ForeignKey(Item, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    stem = models.TextField(_("question"), max_length=20_000)
    shown: Any = models.JSONField(default=dict)
    key: Any = models.JSONField(default=dict)
    watch_lesson = models.ForeignKey(
        Lesson, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("explained in the lecture")
    )
    watch_seconds = models.PositiveIntegerField(_("from second"), null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("version of a question")
        verbose_name_plural = _("versions of a question")
        ordering = ("item", "number")
        constraints = (
            models.UniqueConstraint(fields=("item", "number"), name="assessments_version_once"),
            models.CheckConstraint(
                condition=Q(watch_seconds=None) | Q(watch_lesson__isnull=False), name="assessments_version_watch"
            ),
        )

    def __str__(self) -> str:
        return f"{self.item_id}.{self.number}"


class KeyRevision(models.Model):
    """A corrected key of a version that doctors have answered already. The last one counts; none is ever changed."""

    version = models.ForeignKey(ItemVersion, models.PROTECT, related_name="revisions")
    number = models.PositiveSmallIntegerField()
    key: Any = models.JSONField()
    gives_everybody = models.BooleanField(
        _("everybody gets the points"),
        default=False,
        db_default=False,
        help_text=_("Whatever was answered, and also where nothing was: the question itself was at fault."),
    )
    reason = models.CharField(_("reason"), max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("corrected key")
        verbose_name_plural = _("corrected keys")
        ordering = ("version", "number")
        constraints = (
            models.UniqueConstraint(fields=("version", "number"), name="assessments_revision_once"),
            models.CheckConstraint(condition=Q(number__gte=1) & ~Q(reason=""), name="assessments_revision_reason"),
        )

    def __str__(self) -> str:
        return f"{self.version_id}/{self.number}"
