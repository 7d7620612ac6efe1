from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ItemKind(TextChoices):
    """Each is a file of `assessments/items/`."""

    SINGLE = "single", _("Single best answer")
    MULTIPLE = "multiple", _("Several answers")
    TRUE_FALSE = "true_false", _("True or false")
    MATCHING = "matching", _("Extended matching")
    ORDERING = "ordering", _("Put in order")
    NUMERIC = "numeric", _("Number")
    SHORT = "short", _("Short answer")
    ESSAY = "essay", _("Essay")
    HOTSPOT = "hotspot", _("Point in a picture")
    VIGNETTE = "vignette", _("Clinical vignette")


class ItemState(TextChoices):
    DRAFT = "draft", _("Draft")
    READY = "ready", _("Ready")
    RETIRED = "retired", _("Retired")


class QuizKind(TextChoices):
    PRE_TEST = "pre_test", _("Test before")
    POST_TEST = "post_test", _("Test after")
    MOCK_EXAM = "mock_exam", _("Mock exam")
    CHECK = "check", _("Check within a webinar")


class CompletesBy(TextChoices):
    SUBMITTING = "submitting", _("Handing it in")
    PASSING = "passing", _("Passing")


class Counting(TextChoices):
    """Which of several attempts counts."""

    BEST = "best", _("The best attempt")
    LAST = "last", _("The last attempt")
    FIRST = "first", _("The first attempt")


class Review(TextChoices):
    """From when on a doctor sees something of a finished attempt."""

    NEVER = "never", _("Never")
    SUBMITTED = "submitted", _("Once it is handed in")
    DONE = "done", _("Once it is passed, or no attempt is left")
    CLOSED = "closed", _("Once the test has closed for everybody")


class AttemptState(TextChoices):
    """open → submitted → marked; void is one that an operator struck out.

    `submitted` waits for a person's marks; an attempt with nothing to wait for is marked as it is submitted.
    """

    OPEN = "open", _("Open")
    SUBMITTED = "submitted", _("Being marked")
    MARKED = "marked", _("Marked")
    VOID = "void", _("Struck out")


class EndedBy(TextChoices):
    PERSON = "person", _("Handed in")
    DEADLINE = "deadline", _("Time was up")
    OPERATOR = "operator", _("Ended by an operator")


class Outcome(TextChoices):
    """What one answer was worth. `waiting` is for a person to say."""

    RIGHT = "right", _("Right")
    PARTLY = "partly", _("Partly right")
    WRONG = "wrong", _("Wrong")
    BLANK = "blank", _("Not answered")
    WAITING = "waiting", _("To be marked")


FINISHED_STATES = frozenset({AttemptState.SUBMITTED, AttemptState.MARKED})


class QuestionKind(TextChoices):
    """Of a feedback form."""

    LIKERT = "likert", _("Agree or disagree, five steps")
    STARS = "stars", _("One to five stars")
    NPS = "nps", _("Would recommend, 0 to 10")
    ONE = "one", _("One choice")
    SEVERAL = "several", _("Several choices")
    TEXT = "text", _("Free text")


class Dimension(TextChoices):
    """The headings under which a CME programme reports its feedback."""

    DELIVERY = "delivery", _("Clarity of content delivery")
    CONTENT = "content", _("Medical content")
    MATERIALS = "materials", _("Meeting information and materials")
    CLARIFICATION = "clarification", _("Opportunity for clarification")
    PACE = "pace", _("Session pace and length")
    RECOMMENDATION = "recommendation", _("Recommendation")
    BIAS = "bias", _("Bias and commercial influence")
    PRACTICE = "practice", _("Intended change in practice")
    OTHER = "other", _("Other")


CHOICE_KINDS = (QuestionKind.ONE, QuestionKind.SEVERAL)
