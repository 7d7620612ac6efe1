"""Financial relationships of everybody in control of what is taught: asked for, stated, reviewed, shown."""

from datetime import date
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from certification.enums import ContributorRole, DisclosureStanding, ReviewDecision
from certification.models.activity import Activity
from courses.models import Programme

VALID_MONTHS = 12  # for which a statement may be used, where the programme names no fewer


class MonthsBefore(Func):
    """The day so many months before another one, as `authorities.cycles.add_months` counts."""

    template = "(%(expressions)s))::date"
    arg_joiner = "::date - make_interval(months => "
    output_field = models.DateField()


class DiscloserQuerySet(models.QuerySet["Discloser"]):
    def with_standing(self, *, on: date) -> Self:
        """Adds `standing`, and of the newest statement `newest_id`, `stated_at` and `decision`, in the same query.

        One that was made more than the programme's months before `on` is out of date.
        """
        oldest = MonthsBefore(Value(on), Coalesce("programme__statement_months", Value(VALID_MONTHS)))
        newest = Disclosure.objects.filter(person=OuterRef("pk")).order_by("-made_at", "-pk")
        reviews = DisclosureReview.objects.filter(disclosure=OuterRef("newest_id")).order_by("-reviewed_at", "-pk")
        return self.annotate(
            newest_id=Subquery(newest.values("pk")[:1]),
            stated_at=Subquery(newest.values("made_at")[:1]),
            covered_until=Subquery(newest.values("covers_until")[:1]),
        ).annotate(
            decision=Subquery(reviews.values("decision")[:1]),
            standing=Case(
                When(newest_id=None, then=Value(DisclosureStanding.MISSING.value)),
                When(decision=ReviewDecision.EXCLUDED, then=Value(DisclosureStanding.EXCLUDED.value)),
                When(covered_until__lt=oldest, then=Value(DisclosureStanding.OUT_OF_DATE.value)),
                When(decision=None, then=Value(DisclosureStanding.TO_REVIEW.value)),
                default=Value(DisclosureStanding.FINE.value),
                output_field=models.CharField(),
            ),
        )


class Discloser(models.Model):
    """A person whose relationships concern a programme. Needs no account: the request comes as a personal link."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="disclosers", verbose_name=_("programme"))
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail address"), max_length=254)

    objects: ClassVar = DiscloserQuerySet.as_manager()

    class Meta:
        verbose_name = _("person who discloses")
        verbose_name_plural = _("people who disclose")
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint(fields=("programme", "email"), name="certification_discloser_once"),)

    def __str__(self) -> str:
        return self.name


class ContributorQuerySet(models.QuerySet["Contributor"]):
    def present(self) -> Self:
        return self.filter(left_at=None)


class Contributor(models.Model):
    """What part somebody has in an activity, or had until they left it: who was in control stays to be seen."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="contributors", verbose_name=_("activity"))
    person = models.ForeignKey(Discloser, models.PROTECT, related_name="contributions", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=10, choices=ContributorRole, default=ContributorRole.PRESENTER)
    left_at = models.DateTimeField(_("until"), null=True, editable=False)

    objects: ClassVar = ContributorQuerySet.as_manager()

    class Meta:
        verbose_name = _("contributor")
        verbose_name_plural = _("contributors")
        ordering = ("activity", "role", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("activity", "person", "role"), condition=Q(left_at=None), name="certification_contributor_now"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} ({self.get_role_display()})"


class DisclosureRequest(models.Model):
    """A personal link to the statement's form. Only the SHA-256 of its token is kept."""

    person = models.ForeignKey(Discloser, models.CASCADE, related_name="requests")
    token_hash = models.BinaryField(max_length=32, null=True, unique=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("disclosure request")
        verbose_name_plural = _("disclosure requests")
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("person",), condition=Q(used_at=None, revoked_at=None), name="certification_request_one_open"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="certification_request_expires"),
        )

    def __str__(self) -> str:
        return f"{self.person} ({self.created_at:%Y-%m-%d})"


class Disclosure(models.Model):
    """One statement, as it was signed. Never changed: a new one replaces it.

    `interests` is [{"company", "relationship", "ended": bool}]; empty says that there was none in the time it covers.
    """

    person = models.ForeignKey(Discloser, models.PROTECT, related_name="disclosures", verbose_name=_("person"))
    interests: Any = models.JSONField(_("relationships"), default=list)
    covers_from = models.DateField(_("from"))
    covers_until = models.DateField(_("until"))
    signed_name = models.CharField(_("signed by"), max_length=200)
    made_at = models.DateTimeField(_("stated at"))

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        ordering = ("-made_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(covers_until__gt=F("covers_from")), name="certification_disclosure_covers"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} ({self.made_at:%Y-%m-%d})"

    @property
    def has_interests(self) -> bool:
        return bool(self.interests)


class DisclosureReview(models.Model):
    """What the programme's office found and did. Never changed; the newest counts."""

    disclosure = models.ForeignKey(Disclosure, models.PROTECT, related_name="reviews")
    decision = models.CharField(_("decision"), max_length=10, choices=ReviewDecision)
    mitigation = models.TextField(_("what was done"), max_length=2000, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reviewed_at = models.DateTimeField(_("reviewed at"))

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ("-reviewed_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=~Q(decision=ReviewDecision.MITIGATED) | ~Q(mitigation=""),
                name="certification_review_says_what_was_done",
            ),
        )

    def __str__(self) -> str:
        return f"{self.disclosure}: {self.get_decision_display()}"


class DisclosureSheet(models.Model):
    """What doctors are shown of an activity's disclosures: one row for each wording there ever was. Never changed."""

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="sheets")
    digest = models.BinaryField(max_length=32)
    content: Any = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("disclosure sheet")
        verbose_name_plural = _("disclosure sheets")
        constraints = (models.UniqueConstraint(fields=("activity", "digest"), name="certification_sheet_once"),)

    def __str__(self) -> str:
        return f"{self.activity} ({self.made_at:%Y-%m-%d})"
