from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from webinars.enums import PollKind, PollState
from webinars.models.webinar import Webinar


class Poll(models.Model):
    """A question to everybody in the room. Its options cannot change once it was open."""

    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="polls")
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    kind = models.CharField(_("kind"), max_length=8, choices=PollKind, default=PollKind.SINGLE)
    question = models.CharField(_("question"), max_length=300)
    most_choices = models.PositiveSmallIntegerField(
        _("most answers"), default=1, help_text=_("For several answers and for word clouds.")
    )
    scale_from = models.SmallIntegerField(_("scale from"), default=1)
    scale_to = models.SmallIntegerField(_("scale to"), default=5)
    state = models.CharField(max_length=6, choices=PollState, default=PollState.DRAFT, editable=False)
    is_shown = models.BooleanField(default=False, editable=False, help_text=_("The results are shown to everybody."))
    opened_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    opened_seconds = models.FloatField(null=True, editable=False, help_text=_("Program time when it was opened."))
    hidden_words = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        editable=False,
        help_text=_("Words of a cloud that a moderator keeps from the others."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = _("poll")
        verbose_name_plural = _("polls")
        ordering = ("webinar", "position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("webinar",), condition=Q(state=PollState.OPEN), name="webinars_poll_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state=PollState.DRAFT, opened_at=None)
                | ~Q(state=PollState.DRAFT) & Q(opened_at__isnull=False),
                name="webinars_poll_opened_has_date",
            ),
            models.CheckConstraint(
                condition=Q(scale_to__gt=F("scale_from"), scale_to__lte=F("scale_from") + 10),
                name="webinars_poll_scale",
                violation_error_message=_("A scale has 2 to 11 steps."),
            ),
            models.CheckConstraint(condition=Q(most_choices__range=(1, 20)), name="webinars_poll_most_choices"),
        )

    def __str__(self) -> str:
        return self.question


class PollOption(models.Model):
    poll = models.ForeignKey(Poll, models.CASCADE, related_name="options")
    position = models.PositiveSmallIntegerField(_("position"))
    text = models.CharField(_("text"), max_length=200)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ("poll", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("poll", "position"), name="webinars_option_once", deferrable=models.Deferrable.DEFERRED
            ),
        )

    def __str__(self) -> str:
        return self.text


class PollVote(models.Model):
    """One vote per person. `choices` are positions of options, or the one number of a scale; `words` are of a cloud."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    choices = ArrayField(models.SmallIntegerField(), default=list)
    words = ArrayField(models.CharField(max_length=40), default=list)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = (
            models.UniqueConstraint(fields=("poll", "user"), name="webinars_poll_vote_once"),
            models.CheckConstraint(
                condition=Q(choices__len__gt=0) | Q(words__len__gt=0), name="webinars_poll_vote_not_empty"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.poll_id}"
