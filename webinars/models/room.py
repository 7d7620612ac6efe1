from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from webinars.enums import Audience, EventKind, Lane, LaneAccessLevel, Restriction
from webinars.models.webinar import Webinar


class Room(models.Model):
    """The counter of a webinar's events. Its row is locked while an event is posted, so numbers are in commit order."""

    webinar = models.OneToOneField(Webinar, models.CASCADE, primary_key=True, related_name="room")
    last_number = models.PositiveBigIntegerField(default=0)
    first_kept = models.PositiveBigIntegerField(
        default=1, help_text=_("Older events were removed: who asks for them has to load the page again.")
    )

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return str(self.webinar_id)


class RoomEvent(models.Model):
    """What happened in a room, once and in order. Written before anybody hears of it.

    It changes once at most: of a question that is taken back, only its number stays.
    """

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="events")
    number = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=14, choices=EventKind)
    audience = models.CharField(max_length=10, choices=Audience)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    payload = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("room event")
        verbose_name_plural = _("room events")
        ordering = ("webinar", "number")
        constraints = (
            models.UniqueConstraint(fields=("webinar", "number"), name="webinars_event_number_once"),
            models.CheckConstraint(
                condition=Q(audience=Audience.PERSON, person__isnull=False)
                | ~Q(audience=Audience.PERSON) & Q(person=None),
                name="webinars_event_person_is_named",
            ),
        )
        indexes = (
            # Every page of a room looks for the latest of these few among ten thousands of others.
            models.Index(
                fields=("webinar", "-number"),
                condition=Q(kind=EventKind.ANNOUNCEMENT),
                name="webinars_event_announcement",
            ),
        )

    def __str__(self) -> str:
        return f"{self.webinar_id}#{self.number} {self.kind}"


class Presence(models.Model):
    """How many people one process has in a room: one row per process and room, renewed every few seconds."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="presences")
    process = models.CharField(max_length=40)
    people = models.PositiveIntegerField()
    countries = models.JSONField(default=dict, help_text=_("Number of people by ISO country code."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        constraints = (models.UniqueConstraint(fields=("webinar", "process"), name="webinars_presence_once"),)

    def __str__(self) -> str:
        return f"{self.webinar_id}: {self.people}"


class PersonRestriction(models.Model):
    """A person who was muted or removed in one webinar. Kept when it is lifted: it is part of the log."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="restrictions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webinar_restrictions")
    kind = models.CharField(max_length=8, choices=Restriction)
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("restriction")
        verbose_name_plural = _("restrictions")
        constraints = (
            models.UniqueConstraint(
                fields=("webinar", "user", "kind"), condition=Q(lifted_at=None), name="webinars_restriction_one_open"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_at__gte=F("at")), name="webinars_restriction_lifted_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.webinar_id} {self.kind}"


class LaneAccess(models.Model):
    """An exception to who may use a lane, for a role or for one person; a person's own comes first.

    Without a row: doctors ask, moderators and presenters work, everybody reads what is published.
    """

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="lane_access")
    lane = models.CharField(_("lane"), max_length=10, choices=Lane)
    role = models.CharField(_("role"), max_length=12, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    level = models.CharField(_("access"), max_length=5, choices=LaneAccessLevel)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+")
    set_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("lane access")
        verbose_name_plural = _("lane access")
        constraints = (
            models.UniqueConstraint(
                fields=("webinar", "lane", "role", "user"), nulls_distinct=False, name="webinars_lane_access_once"
            ),
            models.CheckConstraint(
                condition=~Q(role="") & Q(user=None) | Q(role="", user__isnull=False),
                name="webinars_lane_access_of_one",
            ),
        )

    def __str__(self) -> str:
        return f"{self.lane}: {self.level}"


class Pin(models.Model):
    """A link a moderator holds up for everybody, until it is taken down."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="pins")
    title = models.CharField(_("text"), max_length=120)
    url = models.URLField(_("link"), max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("pinned link")
        verbose_name_plural = _("pinned links")
        ordering = ("webinar", "-created_at")

    def __str__(self) -> str:
        return self.title
