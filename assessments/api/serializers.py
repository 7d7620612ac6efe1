from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from assessments.domain.saving import MOST_SAVED, MOST_SECONDS
from assessments.enums import AttemptState, EndedBy, ItemKind, Outcome
from core.api.serializers import InputSerializer

LONGEST_FORM = 100_000


class NothingInput(InputSerializer):
    """These calls take no values."""


class AnswerInput(InputSerializer):
    value = serializers.JSONField(
        required=False, allow_null=True, help_text="Shape by the question's kind; null takes the answer back."
    )
    form = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_FORM,
        help_text="Instead of `value`: the fields of the page's form, URL-encoded.",
    )
    saved = serializers.IntegerField(
        min_value=1, max_value=MOST_SAVED, help_text="Raised by the caller with every change: the newest wins."
    )
    is_flagged = serializers.BooleanField(required=False, default=False, help_text="To come back to it.")
    seconds = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=MOST_SECONDS, help_text="The question was looked at so long."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("value" in attrs) == ("form" in attrs):
            raise serializers.ValidationError(_("Give either the value or the form."))
        return attrs


class GoOnInput(InputSerializer):
    to = serializers.IntegerField(min_value=0, max_value=1_000, help_text="The next position, from 0.")


class LineSerializer(serializers.Serializer[object]):
    position = serializers.IntegerField(help_text="From 0.")
    section = serializers.IntegerField(help_text="Index in `sections`.")
    points = serializers.CharField()
    kind = serializers.ChoiceField(choices=ItemKind.choices)
    stem = serializers.CharField(help_text="HTML of a small safe subset; empty where the question is not open.")
    story = serializers.CharField(help_text="Of the vignette that the question belongs to.")
    story_images = serializers.ListField(
        child=serializers.IntegerField(), help_text="Shown with it: /tests/images/{id}/."
    )
    view = serializers.JSONField(help_text="What is shown, in which order, by kind; empty where it is not open.")
    value = serializers.JSONField(help_text="Null where there is none.")
    saved = serializers.IntegerField(help_text="The number of the last save; 0 for none.")
    is_flagged = serializers.BooleanField()
    is_open = serializers.BooleanField(help_text="In a test without a way back only one question is.")


class SectionSerializer(serializers.Serializer[object]):
    title = serializers.CharField()
    instructions = serializers.CharField()


class SheetSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField(source="attempt.pk")
    quiz = serializers.IntegerField(source="attempt.quiz_id")
    number = serializers.IntegerField(source="attempt.number")
    state = serializers.ChoiceField(choices=AttemptState.choices, source="attempt.state")
    started_at = serializers.DateTimeField(source="attempt.started_at")
    deadline_at = serializers.DateTimeField(source="attempt.deadline_at", allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True, help_text="By the server's clock, which decides.")
    held = serializers.CharField(help_text="Why the test is being held; empty while it runs.")
    is_one_way = serializers.BooleanField(source="attempt.is_one_way")
    sections = SectionSerializer(many=True)
    questions = LineSerializer(many=True, source="lines")


class SavedSerializer(serializers.Serializer[object]):
    saved = serializers.IntegerField()
    saved_at = serializers.DateTimeField()


class PositionSerializer(serializers.Serializer[object]):
    position = serializers.IntegerField()


class RowSerializer(serializers.Serializer[object]):
    text = serializers.CharField(source="label")
    chosen = serializers.CharField()
    right = serializers.CharField()
    is_right = serializers.BooleanField(allow_null=True)
    rationale = serializers.CharField()


class ReviewedSerializer(serializers.Serializer[object]):
    position = serializers.IntegerField()
    stem = serializers.CharField()
    mine = serializers.CharField(help_text="One's answer in words.")
    outcome = serializers.ChoiceField(choices=Outcome.choices, help_text="Empty where results are not shown.")
    points = serializers.DecimalField(max_digits=9, decimal_places=4, allow_null=True)
    most = serializers.CharField()
    rows = RowSerializer(many=True, help_text="Empty where right answers are not shown.")
    rationale = serializers.CharField()
    references = serializers.ListField(child=serializers.CharField())
    watch_lesson_id = serializers.IntegerField(allow_null=True)
    watch_seconds = serializers.IntegerField(allow_null=True)
    is_given = serializers.BooleanField(help_text="Everybody got the points, whatever was answered.")
    story = serializers.CharField(help_text="Of the vignette that the question belongs to.")
    story_images = serializers.ListField(child=serializers.IntegerField())


class TopicSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    points = serializers.DecimalField(max_digits=11, decimal_places=4)
    of = serializers.DecimalField(max_digits=11, decimal_places=2, source="most")
    questions = serializers.IntegerField()
    percent = serializers.IntegerField(help_text="Rounded down.")


class MomentSerializer(serializers.Serializer[object]):
    seconds = serializers.IntegerField(allow_null=True, help_text="Of the recording; empty: the whole lecture.")
    questions = serializers.ListField(
        child=serializers.IntegerField(), source="numbers", help_text="Numbers, from 1, of what it explains."
    )


class LectureSerializer(serializers.Serializer[object]):
    lesson_id = serializers.IntegerField()
    title = serializers.CharField()
    moments = MomentSerializer(many=True)


class ResultSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField(source="attempt.pk")
    number = serializers.IntegerField(source="attempt.number")
    state = serializers.ChoiceField(choices=AttemptState.choices, source="attempt.state")
    ended_by = serializers.ChoiceField(choices=EndedBy.choices, source="attempt.ended_by")
    submitted_at = serializers.DateTimeField(source="attempt.submitted_at")
    score = serializers.DecimalField(
        max_digits=11, decimal_places=4, allow_null=True, help_text="Empty while it is marked, or not shown."
    )
    of = serializers.DecimalField(max_digits=9, decimal_places=2, source="attempt.most_points")
    is_passed = serializers.BooleanField(allow_null=True)
    questions = ReviewedSerializer(many=True)
    topics = TopicSerializer(many=True, help_text="The weakest first; empty where results are not shown.")
    watch = LectureSerializer(
        many=True, help_text="What explains questions that were not right, as far as one may open it."
    )


class QuizSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField(source="quiz.pk")
    title = serializers.CharField(source="quiz.lesson.title")
    kind = serializers.CharField(source="quiz.kind")
    instructions = serializers.CharField(source="quiz.instructions")
    time_limit_seconds = serializers.IntegerField(allow_null=True, help_text="One's own, with extra time.")
    pass_percent = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True, source="quiz.pass_percent")
    is_one_way = serializers.BooleanField(source="quiz.is_one_way")
    state = serializers.CharField(help_text="open, not_yet, closed or locked.")
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    attempts_left = serializers.IntegerField(allow_null=True, help_text="Empty: without limit.")
    open_attempt = serializers.IntegerField(allow_null=True)
    attempts = serializers.ListField(child=serializers.DictField())
