"""What is worked out of attempts. Nothing here is the source of anything: it can be made again at any time."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from assessments.models.attempt import Attempt
from assessments.models.quiz import Quiz


class Ranking(models.Model):
    """How far a test's places are. This row is locked while they are made anew, and while a name is shown or hidden."""

    quiz = models.OneToOneField(Quiz, models.CASCADE, primary_key=True, related_name="ranking")
    refreshed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True, help_text=_("Found to be as the attempts are."))
    state_of_attempts = models.CharField(max_length=64, blank=True, help_text=_("Changes when the counting ones do."))
    people = models.PositiveIntegerField(default=0)
    bins = ArrayField(
        models.PositiveIntegerField(), default=list, help_text=_("People by result, in steps of five percent.")
    )
    is_final = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("ranking")
        verbose_name_plural = _("rankings")

    def __str__(self) -> str:
        return str(self.quiz_id)


class Place(models.Model):
    """Where one person stands, overall and among those of the same country, specialty and cohort.

    Of each group: `place` (equal results share one, and the next is left out), `equal` (so many have this very result,
    this one included) and `of`. Percentiles follow from them exactly. The database does not look up the foreign keys:
    that would cost as much time as the ranking, and places are made anew from attempts, users and tests that exist.
    """

    attempt = models.OneToOneField(Attempt, models.CASCADE, primary_key=True, db_constraint=False, related_name="place")
    quiz = models.ForeignKey(Quiz, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    share = models.DecimalField(max_digits=10, decimal_places=9)
    is_named = models.BooleanField(default=False)
    country = models.CharField(max_length=2, blank=True)
    specialty = models.CharField(max_length=120, blank=True)
    cohort_id = models.BigIntegerField(null=True)
    place = models.PositiveIntegerField()
    equal = models.PositiveIntegerField()
    of = models.PositiveIntegerField()
    country_place = models.PositiveIntegerField()
    country_equal = models.PositiveIntegerField()
    country_of = models.PositiveIntegerField()
    specialty_place = models.PositiveIntegerField()
    specialty_equal = models.PositiveIntegerField()
    specialty_of = models.PositiveIntegerField()
    cohort_place = models.PositiveIntegerField()
    cohort_equal = models.PositiveIntegerField()
    cohort_of = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = (models.UniqueConstraint(fields=("quiz", "user"), name="assessments_place_once"),)
        indexes = (
            models.Index(fields=("quiz", "place"), condition=models.Q(is_named=True), name="assessments_place_board"),
        )

    def __str__(self) -> str:
        return f"{self.quiz_id}/{self.user_id}: {self.place}"


class AnalysisReport(models.Model):
    """The figures of a test's questions as they were worked out last: seconds of work for a large test."""

    quiz = models.OneToOneField(Quiz, models.CASCADE, primary_key=True, related_name="analysis")
    asked_at = models.DateTimeField(null=True, help_text=_("Being worked out since; none: not being worked out."))
    made_at = models.DateTimeField(null=True)
    report: Any = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("figures of a test")
        verbose_name_plural = _("figures of tests")

    def __str__(self) -> str:
        return str(self.quiz_id)
