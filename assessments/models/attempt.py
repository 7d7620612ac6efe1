from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from assessments.enums import AttemptState, EndedBy, Outcome
from assessments.models.bank import ItemVersion
from assessments.models.quiz import Quiz


class Candidate(models.Model):
    """A doctor in a test. This row is locked while an attempt is started, so two tabs start one after the other."""

    quiz = models.ForeignKey(Quiz, models.PROTECT, related_name="candidates")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    extra_percent = models.PositiveSmallIntegerField(
        _("extra time, percent"), default=0, validators=[MaxValueValidator(300)]
    )
    extra_attempts = models.PositiveSmallIntegerField(
        _("extra attempts"), default=0, validators=[MaxValueValidator(20)]
    )
    extra_reason = models.CharField(_("reason"), max_length=300, blank=True)
    shows_name = models.BooleanField(_("name on the board"), default=False)

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        constraints = (
            models.UniqueConstraint(fields=("quiz", "user"), name="assessments_candidate_once"),
            models.CheckConstraint(
                condition=Q(extra_percent__lte=300, extra_attempts__lte=20), name="assessments_candidate_extra"
            ),
            models.CheckConstraint(
                condition=Q(extra_percent=0, extra_attempts=0) | ~Q(extra_reason=""),
                name="assessments_candidate_extra_reason",
                violation_error_message=_("Say why: an auditor will ask."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.quiz_id}"


class Attempt(models.Model):
    """One sitting. Paper, limits and deadline are fixed when it starts; the database's clock ends it.

    `paper` is {"sections": [{"title", "instructions"}], "items": [one a position, from 0]}; an item is {"v": version,
    "s": section, "p": points as text}, with "g": version of the vignette it belongs to, and "o": its options in the
    order they are shown, where there are any. `domain.papers` reads and writes it.
    """

    quiz = models.ForeignKey(Quiz, models.PROTECT, related_name="attempts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    allowed = models.PositiveSmallIntegerField(
        null=True, help_text=_("Attempts this person had when it started; none: without limit.")
    )
    seed = models.BigIntegerField(help_text=_("Everything random about the paper follows from it."))
    paper: Any = models.JSONField()
    is_one_way = models.BooleanField(default=False)
    wrong_share = models.DecimalField(max_digits=4, decimal_places=3, default=0)
    state = models.CharField(max_length=9, choices=AttemptState, default=AttemptState.OPEN)
    started_at = models.DateTimeField()
    time_limit_seconds = models.PositiveIntegerField(
        null=True, help_text=_("Of the test when it started, without extra time; the deadline follows from it.")
    )
    deadline_at = models.DateTimeField(null=True)
    grace_seconds = models.PositiveSmallIntegerField(default=0)
    reached = models.PositiveSmallIntegerField(default=0, help_text=_("Furthest position; one-way tests go only on."))
    submitted_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=8, choices=EndedBy, blank=True)
    most_points = models.DecimalField(max_digits=9, decimal_places=2)
    score = models.DecimalField(max_digits=11, decimal_places=4, null=True)
    pass_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    is_passed = models.BooleanField(null=True)
    counts = models.BooleanField(default=False, help_text=_("The one of this person that counts."))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("quiz", "user", "number")
        constraints = (
            models.UniqueConstraint(fields=("quiz", "user", "number"), name="assessments_attempt_number"),
            models.UniqueConstraint(
                fields=("quiz", "user"), condition=Q(state=AttemptState.OPEN), name="assessments_attempt_one_open"
            ),
            models.UniqueConstraint(
                fields=("quiz", "user"), condition=Q(counts=True), name="assessments_attempt_one_counts"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1) & (Q(allowed=None) | Q(number__lte=F("allowed"))),
                name="assessments_attempt_limit",
            ),
            models.CheckConstraint(
                condition=Q(state=AttemptState.OPEN, submitted_at=None, ended_by="", counts=False)
                | ~Q(state=AttemptState.OPEN) & Q(submitted_at__isnull=False),
                name="assessments_attempt_open",
            ),
            models.CheckConstraint(
                condition=~Q(state=AttemptState.MARKED) | Q(score__isnull=False), name="assessments_attempt_marked"
            ),
            models.CheckConstraint(
                condition=Q(counts=False) | Q(state=AttemptState.MARKED), name="assessments_attempt_counts_when_marked"
            ),
            models.CheckConstraint(
                condition=Q(deadline_at=None) | Q(deadline_at__gt=F("started_at")),
                name="assessments_attempt_deadline",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(submitted_at__gte=F("started_at")),
                name="assessments_attempt_submitted_later",
            ),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__gte=0, score__lte=F("most_points")), name="assessments_attempt_score"
            ),
        )
        indexes = (
            models.Index(
                fields=("deadline_at",),
                condition=Q(state=AttemptState.OPEN, deadline_at__isnull=False),
                name="assessments_attempt_due",
            ),
            models.Index(fields=("quiz", "-score"), condition=Q(counts=True), name="assessments_attempt_ranked"),
        )

    def __str__(self) -> str:
        return f"{self.user_id}/{self.quiz_id}/{self.number}"

    @property
    def percent(self) -> float | None:
        """For reading only; passing is decided in exact numbers."""
        if self.score is None:
            return None
        return float(self.score / self.most_points * 100) if self.most_points else 100.0


class Answer(models.Model):
    """The last acknowledged answer at one position. `saved` is the number the browser gave this save; it only rises.

    Rows of questions that were never touched are written when the attempt ends, so that nothing has to be guessed from
    an absence.
    """

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="answers")
    position = models.PositiveSmallIntegerField()
    version = models.ForeignKey(ItemVersion, models.PROTECT, related_name="answers")
    value: Any = models.JSONField(null=True, help_text=_("Shape by kind; none: taken back, or never given."))
    saved = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(null=True)
    is_flagged = models.BooleanField(default=False)
    seconds = models.PositiveIntegerField(default=0, help_text=_("Looked at, as the browser says."))
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True)
    share = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        validators=[MinValueValidator(-1), MaxValueValidator(1)],
        help_text=_("Of the points; below 0 where a wrong answer costs something."),
    )
    points = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    key_number = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text=_("The correction of the key by which it was marked; 0: the key it was made with."),
    )
    is_marked_by_hand = models.BooleanField(
        default=False, db_default=False, help_text=_("A person's word stands, whatever the key says.")
    )

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = (
            models.UniqueConstraint(fields=("attempt", "position"), name="assessments_answer_once"),
            models.CheckConstraint(condition=Q(share=None) | Q(share__range=(-1, 1)), name="assessments_answer_share"),
            models.CheckConstraint(
                condition=Q(outcome="", share=None, points=None)
                | Q(outcome=Outcome.WAITING, points=None)
                | ~Q(outcome__in=["", Outcome.WAITING]) & Q(share__isnull=False, points__isnull=False),
                name="assessments_answer_marked",
            ),
        )
        indexes = (
            models.Index(fields=("attempt",), condition=Q(outcome=Outcome.WAITING), name="assessments_answer_waiting"),
            models.Index(fields=("version", "key_number"), name="assessments_answer_key"),
        )

    def __str__(self) -> str:
        return f"{self.attempt_id}/{self.position}"
