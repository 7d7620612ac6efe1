from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assessments.models.attempt import Answer, Attempt
from assessments.models.bank import KeyRevision


class HandMark(models.Model):
    """What one person gave one answer: one mark each, which may be changed until the answer is decided."""

    answer = models.ForeignKey(Answer, models.CASCADE, related_name="hand_marks")
    marker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    share = models.DecimalField(_("share of the points"), max_digits=7, decimal_places=6)
    points = models.DecimalField(
        _("points"), max_digits=9, decimal_places=4, default=0, db_default=0, help_text=_("Exact, of this paper's.")
    )
    rubric: Any = models.JSONField(default=list, help_text=_("Points by criterion, as texts, in the rubric's order."))
    comment = models.CharField(_("comment"), max_length=2000, blank=True)
    is_deciding = models.BooleanField(default=False, help_text=_("Of a third person, where two did not agree."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("mark by hand")
        verbose_name_plural = _("marks by hand")
        constraints = (
            models.UniqueConstraint(fields=("answer", "marker"), name="assessments_handmark_once"),
            models.UniqueConstraint(
                fields=("answer",), condition=Q(is_deciding=True), name="assessments_handmark_one_decides"
            ),
            models.CheckConstraint(condition=Q(share__range=(0, 1)), name="assessments_handmark_share"),
        )

    def __str__(self) -> str:
        return f"{self.answer_id}/{self.marker_id}"


class MarkingTurn(models.Model):
    """An answer that lies before one marker: until then nobody else is given it. A marker who goes away loses nothing
    but the turn; a mark does not need one.
    """

    answer = models.ForeignKey(Answer, models.CASCADE, related_name="marking_turns")
    marker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    until = models.DateTimeField(db_index=True)
    skipped_at = models.DateTimeField(null=True, help_text=_("This person wants to see the others first."))

    class Meta:
        verbose_name = _("answer before a marker")
        verbose_name_plural = _("answers before markers")
        constraints = (models.UniqueConstraint(fields=("answer", "marker"), name="assessments_turn_once"),)

    def __str__(self) -> str:
        return f"{self.answer_id}/{self.marker_id}"


class ScoreChange(models.Model):
    """That a result was changed after it stood: by a corrected key, or by a person. Rows are only ever added."""

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="score_changes")
    revision = models.ForeignKey(KeyRevision, models.PROTECT, null=True, related_name="score_changes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500)
    score_before = models.DecimalField(max_digits=11, decimal_places=4, null=True)
    score_after = models.DecimalField(max_digits=11, decimal_places=4, null=True)
    was_passed = models.BooleanField(null=True)
    is_passed = models.BooleanField(null=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("changed result")
        verbose_name_plural = _("changed results")
        ordering = ("-at", "-id")
        constraints = (
            models.CheckConstraint(condition=~Q(reason=""), name="assessments_scorechange_reason"),
            models.UniqueConstraint(
                fields=("attempt", "revision"), name="assessments_scorechange_once", condition=Q(revision__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.attempt_id}: {self.score_before} → {self.score_after}"
