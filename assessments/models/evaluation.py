import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from assessments.enums import CHOICE_KINDS, Dimension, QuestionKind
from courses.models import Lesson, Programme

LONGEST_TEXT = 4000


class EvaluationForm(models.Model):
    """One edition of a feedback form: of a programme, or a ready one for all, without programme.

    The first answer freezes it, and a trigger keeps its questions as they were asked. A change makes the next edition.
    """

    programme = models.ForeignKey(
        Programme,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluation_forms",
        verbose_name=_("programme"),
    )
    key = models.CharField(max_length=40, blank=True, editable=False, help_text=_("Of a ready form."))
    title = models.CharField(_("title"), max_length=200)
    introduction = models.TextField(_("introduction"), max_length=2000, blank=True, help_text=_("Doctors read it."))
    edition = models.PositiveSmallIntegerField(_("edition"), default=1, editable=False)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="replaced_by"
    )
    frozen_at = models.DateTimeField(_("first answered at"), null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("feedback form")
        verbose_name_plural = _("feedback forms")
        ordering = ("programme", "title", "edition")
        constraints = (
            models.UniqueConstraint(
                fields=("programme", "title", "edition"), nulls_distinct=False, name="assessments_form_edition"
            ),
            models.UniqueConstraint(fields=("key",), condition=~Q(key=""), name="assessments_form_key"),
            models.CheckConstraint(condition=Q(key="") | Q(programme=None), name="assessments_form_ready_is_for_all"),
            models.CheckConstraint(
                condition=Q(edition=1, replaces=None) | Q(edition__gt=1, replaces__isnull=False),
                name="assessments_form_replaces",
            ),
        )

    def __str__(self) -> str:
        if self.edition == 1:
            return self.title
        return _("%(title)s, edition %(number)d") % {"title": self.title, "number": self.edition}

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


class EvaluationQuestion(models.Model):
    form = models.ForeignKey(EvaluationForm, models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField(_("position"), validators=[MinValueValidator(1)])
    kind = models.CharField(_("kind"), max_length=7, choices=QuestionKind, default=QuestionKind.LIKERT)
    dimension = models.CharField(
        _("dimension"),
        max_length=14,
        choices=Dimension,
        default=Dimension.OTHER,
        help_text=_("Under which heading of the report it counts."),
    )
    text = models.CharField(_("question"), max_length=500)
    help = models.CharField(_("help"), max_length=500, blank=True)
    is_required = models.BooleanField(_("required"), default=True)
    choices = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("choices"),
        default=list,
        blank=True,
        help_text=_("One a line; only for one choice and several choices."),
    )

    class Meta:
        verbose_name = _("question of a form")
        verbose_name_plural = _("questions of a form")
        ordering = ("form", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("form", "position"),
                name="assessments_form_question_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CHOICE_KINDS, choices__len__gte=2) | ~Q(kind__in=CHOICE_KINDS) & Q(choices=[]),
                name="assessments_form_question_choices",
                violation_error_message=_("Give at least two choices, and only where there is something to choose."),
            ),
        )

    def __str__(self) -> str:
        return self.text


class Evaluation(models.Model):
    """What a lesson of the kind evaluation asks, and about which lesson. Open when that lesson is open to the doctor.

    Whether names are kept is fixed by the first answer: people were told before they gave it.
    """

    lesson = models.OneToOneField(Lesson, models.CASCADE, related_name="evaluation")
    form = models.ForeignKey(
        EvaluationForm,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluations",
        verbose_name=_("feedback form"),
    )
    about = models.ForeignKey(
        Lesson,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="asked_about",
        verbose_name=_("asks about"),
        help_text=_("The webinar at whose end doctors are asked for their feedback. Empty: about the whole course."),
    )
    is_anonymous = models.BooleanField(
        _("anonymous"), default=True, help_text=_("Cannot be changed once somebody has answered.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        constraints = (
            models.CheckConstraint(
                condition=Q(about=None) | ~Q(about=F("lesson")), name="assessments_evaluation_not_about_itself"
            ),
        )

    def __str__(self) -> str:
        return str(self.lesson)


class EvaluationReceipt(models.Model):
    """That a person has answered: once, by constraint. It opens certificates and shows the thank-you page.

    **What it does not say is which response is theirs.** An anonymous response has no person, no number that another
    row has, no time but the day, and a random key, as its answers have; so no query over columns joins the two, and
    neither does any page, export or call of this product.

    What somebody who may send SQL to the database could still infer, and nobody may promise otherwise:

    * where one person answered on a day, both rows of that day are theirs; where all of five gave the same answer,
      everybody's is known. Pages suppress groups below `MIN_GROUP`; tables do not;
    * PostgreSQL's own columns: receipt, response and the lesson's completion are written by one transaction (`xmin`),
      and stand in the order of writing (`ctid`) until the tables are rewritten. The write-ahead log and backups made
      with it say the same;
    * what people write about themselves, and how they write.

    The request log has the person and the moment of handing in, and no answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="receipts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    answered_on = models.DateField(help_text=_("In UTC."))

    class Meta:
        verbose_name = _("receipt of an evaluation")
        verbose_name_plural = _("receipts of evaluations")
        constraints = (models.UniqueConstraint(fields=("evaluation", "user"), name="assessments_receipt_once"),)

    def __str__(self) -> str:
        return f"{self.user_id}/{self.evaluation_id}"


class EvaluationResponse(models.Model):
    """What one person said. `user` only where the page said "with your name" before they answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="responses")
    form = models.ForeignKey(EvaluationForm, models.PROTECT, related_name="responses")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    answered_on = models.DateField(help_text=_("In UTC."))

    class Meta:
        verbose_name = _("response to an evaluation")
        verbose_name_plural = _("responses to evaluations")
        constraints = (
            models.UniqueConstraint(
                fields=("evaluation", "user"), condition=Q(user__isnull=False), name="assessments_response_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class EvaluationAnswer(models.Model):
    """`number` is the step of a scale, or the index of the one choice; `chosen` the indexes of several."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    response = models.ForeignKey(EvaluationResponse, models.CASCADE, related_name="answers")
    question = models.ForeignKey(EvaluationQuestion, models.PROTECT, related_name="answers")
    number = models.PositiveSmallIntegerField(null=True)
    chosen: Any = ArrayField(models.PositiveSmallIntegerField(), default=list)
    text = models.TextField(max_length=LONGEST_TEXT, blank=True)

    class Meta:
        verbose_name = _("answer to an evaluation")
        verbose_name_plural = _("answers to an evaluation")
        constraints = (
            models.UniqueConstraint(fields=("response", "question"), name="assessments_evaluation_answer_once"),
            models.CheckConstraint(
                condition=Q(number__isnull=False, chosen=[], text="")
                | Q(number=None, chosen__len__gte=1, text="")
                | Q(number=None, chosen=[]) & ~Q(text=""),
                name="assessments_evaluation_answer_one_shape",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
