"""What the API says of programmes, courses and lessons: the same read model as the pages. Output only."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analytics.domain.progress import LessonProgress
from analytics.enums import Standing
from analytics.enums import State as Progress
from courses.domain.availability import Availability, State
from courses.enums import CompletionRule, LessonKind


class AvailabilitySerializer(serializers.Serializer[Availability]):
    state = serializers.ChoiceField(choices=[(state.value, state.value) for state in State])
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    waits_for = serializers.SerializerMethodField(help_text="Titles of what is to be completed first.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_waits_for(self, availability: Availability) -> list[str]:
        return [one.title for one in availability.missing]


class ProgrammeProgressSerializer(serializers.Serializer[Any]):
    """Where the caller stands as a learner."""

    standing = serializers.ChoiceField(choices=Standing.choices)
    done = serializers.IntegerField(help_text="Completed courses that count.")
    needed = serializers.IntegerField(help_text="Courses that complete the programme.")
    needed_seconds = serializers.IntegerField(help_text="The least watching that completes the programme.")
    completed_at = serializers.DateTimeField(allow_null=True)
    availability = AvailabilitySerializer()


class ProgrammeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    society = serializers.CharField()
    timezone = serializers.CharField()
    progress = serializers.SerializerMethodField(help_text="Empty for those who are not enrolled (staff, presenters).")

    @extend_schema_field(ProgrammeProgressSerializer(allow_null=True))
    def get_progress(self, programme: Any) -> dict[str, Any] | None:
        found = self.context["progress"].get(programme.pk)
        return dict(ProgrammeProgressSerializer(found).data) if found else None


class CourseSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    title = serializers.CharField()
    summary = serializers.CharField()
    is_required = serializers.BooleanField()
    is_sequential = serializers.BooleanField(help_text="Whether the required lessons are taken in order.")
    is_draft = serializers.BooleanField(help_text="Only ever true for those with a role in the programme.")
    completion_rule = serializers.ChoiceField(choices=CompletionRule.choices, source="rule")
    required_count = serializers.IntegerField(allow_null=True)
    availability = AvailabilitySerializer()
    state = serializers.ChoiceField(choices=Progress.choices)
    completed_at = serializers.DateTimeField(allow_null=True)
    lessons_done = serializers.IntegerField()
    lessons_total = serializers.SerializerMethodField()
    total_seconds = serializers.IntegerField()
    seen_seconds = serializers.IntegerField()
    needed_seconds = serializers.IntegerField(help_text="The least watching that completes the course.")

    def get_lessons_total(self, course: Any) -> int:
        return len(course.lessons)


class WatchSerializer(serializers.Serializer[Any]):
    """A lecture, and how much of it the caller has watched: every second once, over all devices."""

    webinar_id = serializers.IntegerField()
    presenters = serializers.ListField(child=serializers.CharField())
    completion_percent = serializers.IntegerField()
    total_seconds = serializers.IntegerField(help_text="0 until the recording is published.")
    seen_seconds = serializers.IntegerField()
    needed_seconds = serializers.IntegerField(help_text="Still to watch until the lesson counts.")
    resume_seconds = serializers.FloatField(help_text="Where to continue.")
    watched_at = serializers.DateTimeField(allow_null=True)


class LessonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LessonKind.choices)
    title = serializers.CharField()
    summary = serializers.CharField()
    is_required = serializers.BooleanField()
    availability = AvailabilitySerializer()
    state = serializers.ChoiceField(choices=Progress.choices)
    completed_at = serializers.DateTimeField(allow_null=True)
    watch = serializers.SerializerMethodField(help_text="Empty where the lesson has no lecture.")

    @extend_schema_field(WatchSerializer(allow_null=True))
    def get_watch(self, lesson: LessonProgress) -> dict[str, Any] | None:
        return dict(WatchSerializer(lesson).data) if lesson.webinar_id else None
