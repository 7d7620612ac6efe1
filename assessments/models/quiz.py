from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from assessments.enums import CompletesBy, Counting, QuizKind, Review
from assessments.models.bank import Bank, BoardTopic, Item
from courses.models import Lesson


class Quiz(models.Model):
    """A lesson that is a test. Its window is the lesson's; what is on it is in its sections.

    A change of the settings holds for attempts that start after it: each keeps what it was started with.
    """

    lesson = models.OneToOneField(Lesson, models.CASCADE, related_name="quiz")
    kind = models.CharField(_("kind"), max_length=10, choices=QuizKind, default=QuizKind.POST_TEST)
    instructions = models.TextField(_("what to know before the start"), max_length=5000, blank=True)
    time_limit_seconds = models.PositiveIntegerField(
        _("time, seconds"), null=True, blank=True, validators=[MinValueValidator(30), MaxValueValidator(86_400)]
    )
    grace_seconds = models.PositiveSmallIntegerField(
        _("grace, seconds"),
        default=10,
        validators=[MaxValueValidator(120)],
        help_text=_("What arrives that much after the time still counts: a slow line is nobody's fault."),
    )
    attempts_allowed = models.PositiveSmallIntegerField(
        _("attempts"), null=True, blank=True, validators=[MinValueValidator(1)], help_text=_("Empty: without limit.")
    )
    counting = models.CharField(_("what counts"), max_length=6, choices=Counting, default=Counting.BEST)
    pass_percent = models.DecimalField(
        _("pass mark, percent"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    completes_by = models.CharField(
        _("the lesson is completed by"), max_length=10, choices=CompletesBy, default=CompletesBy.SUBMITTING
    )
    wrong_share = models.DecimalField(
        _("a wrong single answer costs"),
        max_digits=4,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("As a share of the points of the question; 0.333 makes guessing among four worthless."),
    )
    marks_when = models.CharField(_("result is shown"), max_length=9, choices=Review, default=Review.SUBMITTED)
    answers_when = models.CharField(
        _("right answers and reasons are shown"), max_length=9, choices=Review, default=Review.DONE
    )
    shuffles_items = models.BooleanField(_("questions in random order"), default=False)
    shuffles_options = models.BooleanField(_("answers in random order"), default=True)
    is_one_way = models.BooleanField(_("no way back to earlier questions"), default=False)
    has_ranking = models.BooleanField(_("ranking"), default=False)
    markers_needed = models.PositiveSmallIntegerField(
        _("persons who mark each open answer"), default=1, validators=[MinValueValidator(1), MaxValueValidator(2)]
    )
    pre_test = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="post_tests",
        verbose_name=_("compared with the test before"),
    )
    during = models.ForeignKey(
        Lesson, models.SET_NULL, null=True, blank=True, related_name="checks", verbose_name=_("within the webinar")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("test")
        verbose_name_plural = _("tests")
        constraints = (
            models.CheckConstraint(
                condition=Q(time_limit_seconds=None) | Q(time_limit_seconds__range=(30, 86_400)),
                name="assessments_quiz_time",
            ),
            models.CheckConstraint(condition=Q(grace_seconds__lte=120), name="assessments_quiz_grace"),
            models.CheckConstraint(
                condition=Q(attempts_allowed=None) | Q(attempts_allowed__gte=1), name="assessments_quiz_attempts"
            ),
            models.CheckConstraint(
                condition=Q(pass_percent=None) | Q(pass_percent__range=(0, 100)), name="assessments_quiz_pass"
            ),
            models.CheckConstraint(
                condition=~Q(completes_by=CompletesBy.PASSING) | Q(pass_percent__isnull=False),
                name="assessments_quiz_passing_needs_mark",
                violation_error_message=_("Give the pass mark, or let handing in complete the lesson."),
            ),
            models.CheckConstraint(condition=Q(wrong_share__range=(0, 1)), name="assessments_quiz_wrong_share"),
            models.CheckConstraint(condition=Q(markers_needed__range=(1, 2)), name="assessments_quiz_markers"),
            models.CheckConstraint(
                condition=Q(during=None) | Q(kind=QuizKind.CHECK), name="assessments_quiz_during_is_check"
            ),
            models.CheckConstraint(
                condition=Q(pre_test=None) | (Q(kind=QuizKind.POST_TEST) & ~Q(pre_test=F("id"))),
                name="assessments_quiz_pair",
            ),
        )

    def __str__(self) -> str:
        return self.lesson.title

    @property
    def has_prerequisites(self) -> bool:
        """Whether courses come before its own; they may where it was not read by `rules.quizzes_for`, which asks."""
        return bool(self.__dict__.get("comes_after", True))


class Section(models.Model):
    """A part of a test under one heading. Questions are shuffled within it, never across."""

    quiz = models.ForeignKey(Quiz, models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=200, blank=True)
    instructions = models.TextField(_("instructions"), max_length=5000, blank=True)

    class Meta:
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        ordering = ("quiz", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("quiz", "position"),
                name="assessments_section_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        )

    def __str__(self) -> str:
        return self.title or f"{self.quiz_id}/{self.position}"


class Pick(models.Model):
    """What a section takes onto a paper: one chosen item, or so many drawn from a bank."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="picks")
    position = models.PositiveSmallIntegerField(_("position"))
    item = models.ForeignKey(
        Item,
        models.PROTECT,
        null=True,
        blank=True,
        limit_choices_to={"vignette": None},
        related_name="picks",
        verbose_name=_("this question"),
    )
    bank = models.ForeignKey(
        Bank, models.PROTECT, null=True, blank=True, related_name="picks", verbose_name=_("or drawn from")
    )
    count = models.PositiveSmallIntegerField(_("how many"), default=1, validators=[MinValueValidator(1)])
    tags = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("with all these tags"),
        default=list,
        blank=True,
    )
    difficulty_from = models.PositiveSmallIntegerField(_("difficulty from"), null=True, blank=True)
    difficulty_to = models.PositiveSmallIntegerField(_("to"), null=True, blank=True)
    topic = models.ForeignKey(
        BoardTopic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("of the topic")
    )
    points = models.DecimalField(
        _("points each"), max_digits=6, decimal_places=2, default=1, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("questions of a section")
        verbose_name_plural = _("questions of a section")
        ordering = ("section", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("section", "position"),
                name="assessments_pick_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(item__isnull=False, bank=None, count=1) | Q(item=None, bank__isnull=False, count__gte=1),
                name="assessments_pick_one_source",
                violation_error_message=_("Choose a question, or a bank to draw from."),
            ),
            models.CheckConstraint(condition=Q(points__gte=0), name="assessments_pick_points"),
            models.CheckConstraint(
                condition=Q(difficulty_from=None) | Q(difficulty_to=None) | Q(difficulty_to__gte=F("difficulty_from")),
                name="assessments_pick_difficulty",
            ),
        )

    def __str__(self) -> str:
        """Select `item` and `bank` along: both are asked."""
        if self.item is not None:
            return str(self.item)
        words = {"number": self.count, "bank": self.bank}
        return ngettext("%(number)d drawn from %(bank)s", "%(number)d drawn from %(bank)s", self.count) % words


class Pause(models.Model):
    """A time in which an operator held a test: nobody answers, and nobody's time runs. The end moves all deadlines."""

    quiz = models.ForeignKey(Quiz, models.CASCADE, related_name="pauses")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(_("reason"), max_length=300, help_text=_("Doctors read it."))
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        ordering = ("quiz", "began_at")
        constraints = (
            models.UniqueConstraint(fields=("quiz",), condition=Q(ended_at=None), name="assessments_pause_one_open"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="assessments_pause_ends_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quiz_id} {self.began_at:%Y-%m-%d %H:%M}"
