import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from courses.models import Programme
from webinars.enums import Lane, Phase, QuestionState
from webinars.models.webinar import Webinar


class Question(models.Model):
    """A doctor's question and what became of it. `text` stays as asked; `edited_text` is what others read.

    `client_key` comes from the browser: sending again after a broken line asks nothing twice.
    """

    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="questions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="questions")
    client_key = models.UUIDField(default=uuid.uuid4)
    text = models.CharField(max_length=1000)
    edited_text = models.CharField(max_length=1000, blank=True)
    is_anonymous = models.BooleanField(default=False, help_text=_("Presenters and everybody else do not see the name."))
    state = models.CharField(max_length=10, choices=QuestionState, default=QuestionState.NEW)
    is_priority = models.BooleanField(default=False)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.LIVE)
    asked_at = models.DateTimeField()
    asked_seconds = models.FloatField(
        null=True, help_text=_("Program time when asked live, time of the recording when asked there.")
    )
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    claimed_until = models.DateTimeField(null=True, blank=True)
    forwarded_at = models.DateTimeField(null=True, blank=True)
    answer_text = models.CharField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    is_answered_live = models.BooleanField(default=False)
    answered_seconds = models.FloatField(null=True, help_text=_("Program time of the answer given in the broadcast."))
    published_at = models.DateTimeField(null=True, blank=True)
    votes = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, help_text=_("Raised by every change: two desks cannot overwrite."))

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ("webinar", "asked_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("author", "client_key"), name="webinars_question_sent_once"),
            models.CheckConstraint(condition=~Q(text=""), name="webinars_question_has_text"),
            models.CheckConstraint(
                condition=Q(state=QuestionState.PUBLISHED, published_at__isnull=False)
                | ~Q(state=QuestionState.PUBLISHED) & Q(published_at=None),
                name="webinars_question_published_has_date",
            ),
            models.CheckConstraint(
                condition=Q(state=QuestionState.MERGED, merged_into__isnull=False)
                | ~Q(state=QuestionState.MERGED) & Q(merged_into=None),
                name="webinars_question_merged_has_target",
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="webinars_question_not_into_itself"),
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_until=None) | Q(claimed_until__isnull=False),
                name="webinars_question_claim_expires",
            ),
        )
        indexes = (
            models.Index(fields=("webinar", "state", "asked_at"), name="webinars_question_queue"),
            models.Index(fields=("author", "webinar"), name="webinars_question_mine"),
        )

    def __str__(self) -> str:
        return self.shown_text[:60]

    @property
    def shown_text(self) -> str:
        return self.edited_text or self.text


class QuestionMessage(models.Model):
    """A line in the talk about a question. The lane says who reads it; the published lane has no talk."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="messages")
    lane = models.CharField(max_length=10, choices=Lane)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    client_key = models.UUIDField(default=uuid.uuid4)
    text = models.CharField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("question", "id")
        constraints = (
            models.UniqueConstraint(fields=("author", "client_key"), name="webinars_message_sent_once"),
            models.CheckConstraint(condition=~Q(text="") & ~Q(lane=Lane.PUBLISHED), name="webinars_message_is_said"),
        )

    def __str__(self) -> str:
        return self.text[:60]


class QuestionVote(models.Model):
    question = models.ForeignKey(Question, models.CASCADE, related_name="question_votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("vote for a question")
        verbose_name_plural = _("votes for questions")
        constraints = (models.UniqueConstraint(fields=("question", "user"), name="webinars_question_vote_once"),)

    def __str__(self) -> str:
        return f"{self.user_id}/{self.question_id}"


class CannedReply(models.Model):
    """A ready answer for moderators. Without a programme it is offered in all."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("programme")
    )
    title = models.CharField(_("short name"), max_length=60)
    text = models.CharField(_("text"), max_length=1000)

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ("title",)
        constraints = (
            models.UniqueConstraint(fields=("programme", "title"), nulls_distinct=False, name="webinars_canned_once"),
        )

    def __str__(self) -> str:
        return self.title
