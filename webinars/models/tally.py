from django.db import models
from django.db.models import Q

from webinars.models.polls import Poll
from webinars.models.questions import Question
from webinars.models.webinar import Webinar


class Tally(models.Model):
    """A count of votes that changed and was not announced yet. So a room hears of a thousand votes by one event.

    The first vote after an announcement makes the row, the announcement removes it: `domain.tallies`.
    """

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="+")
    question = models.ForeignKey(Question, models.CASCADE, null=True, related_name="+")
    poll = models.ForeignKey(Poll, models.CASCADE, null=True, related_name="+")
    due_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("webinar", "question", "poll"), nulls_distinct=False, name="webinars_tally_once"
            ),
            models.CheckConstraint(
                condition=Q(question=None, poll__isnull=False) | Q(question__isnull=False, poll=None),
                name="webinars_tally_of_one",
            ),
        )

    def __str__(self) -> str:
        return f"{self.webinar_id}: {self.question_id or self.poll_id}"
