from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PublishStatus(TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    ARCHIVED = "archived", _("Archived")


class CompletionRule(TextChoices):
    ALL = "all", _("All required parts")
    N_OF_M = "n_of_m", _("A number of the parts")


class LessonKind(TextChoices):
    WEBINAR = "webinar", _("Webinar")
    QUIZ = "quiz", _("Test")
    DOCUMENT = "document", _("Document")
    EVALUATION = "evaluation", _("Evaluation")


class EnrolmentStatus(TextChoices):
    """invited → active → completed; suspended and withdrawn close the door without losing the record."""

    INVITED = "invited", _("Invited")
    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Completed")
    SUSPENDED = "suspended", _("Suspended")
    WITHDRAWN = "withdrawn", _("Withdrawn")


OPEN_ENROLMENTS = frozenset({EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED})
