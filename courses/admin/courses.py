from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.rules import person_of
from courses.admin import beside
from courses.admin.base import PublishableAdmin, ScopedAdmin, allowed_programmes, done, preview, save_ordered
from courses.admin.zones import HomeZoneAdmin, ZonedInline
from courses.domain import authoring, lesson_kinds
from courses.enums import LessonKind
from courses.forms import CourseForm, LessonForm, LessonRow, OrderedFormSet
from courses.models import Course, Lesson


class LessonInline(ZonedInline, TabularInline):
    model = Lesson
    form = LessonRow
    formset = OrderedFormSet
    fields = ("position", "kind", "title", "is_required", "opens_at", "closes_at", "content")
    readonly_fields = ("content",)
    ordering_field = "position"
    ordering = ("position",)
    show_change_link = True
    extra = 0
    tab = True

    @display(description=_("Content"))
    def content(self, lesson: Lesson) -> str:
        """One query for each row at most; a course has a handful of lessons."""
        if not lesson.pk:
            return str(_("after saving"))
        problem = lesson_kinds.problems_of(lessons=[lesson]).get(lesson.pk)
        return problem.capitalize() if problem else str(_("Ready"))


class DuplicateDialog(BaseDialogForm):
    title = forms.CharField(label=_("Title of the copy"), max_length=200, widget=UnfoldAdminTextInputWidget())

    def __init__(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        ids = allowed_programmes(request, ScopedAdmin.roles)
        course = Course.objects.filter(pk=object_id or 0, programme__in=ids).first()
        self.fields["title"].initial = authoring.copied_title(course.title) if course else ""


def _refusals(lessons: Iterable[Lesson]) -> list[str]:
    """Why they stay, in a sentence each: Django would list everything of everybody who has watched them."""
    refused = []
    for lesson in lessons:
        try:
            authoring.check_deletable(lesson=lesson)
        except authoring.InUseError as reason:
            refused.append(str(reason))
    return refused


@admin.register(Course)
class CourseAdmin(HomeZoneAdmin, PublishableAdmin):
    form = CourseForm
    inlines = (LessonInline,)
    list_display = ("title", "programme", "position", "shown_status", "shown_lessons", "opens", "closes")
    list_filter = ("status", ("programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("programme",)
    search_fields = ("title", "programme__title")
    readonly_fields = ("status_text", "programme_link")
    filter_horizontal = ("prerequisites",)
    actions_detail = ("preview", "publish", "duplicate", "archive")
    fieldsets = (
        (None, {"fields": ("programme_link", "title", "status_text", "summary")}),
        (_("When"), {"fields": ("opens_at", "closes_at", "prerequisites"), "classes": ("tab",)}),
        (
            _("What completes it"),
            {
                "fields": ("completion_rule", "required_count", "is_sequential", "is_required"),
                "classes": ("tab",),
            },
        ),
    )
    add_fieldsets = ((None, {"fields": ("programme", "title", "summary")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(lesson_number=Count("lessons")).order_by("programme", "position")

    @display(description=_("Lessons"), ordering="lesson_number")
    def shown_lessons(self, course: Any) -> int:
        return int(course.lesson_number)

    @display(description=_("Programme"))
    def programme_link(self, course: Course) -> SafeString:
        address = reverse("admin:courses_programme_change", args=(course.programme_id,))
        return format_html('<a class="underline" href="{}">{}</a>', address, course.programme)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only courses of the same programme, where it is known; never of a programme this person does not staff."""
        if db_field.name == "prerequisites":
            match = getattr(request, "resolver_match", None)
            found = (
                self.get_object(request, match.kwargs["object_id"]) if match and "object_id" in match.kwargs else None
            )
            ids = {found.programme_id} if found else allowed_programmes(request, self.roles)
            others = Course.objects.filter(programme__in=ids).order_by("programme", "position")
            kwargs["queryset"] = others.exclude(pk=found.pk) if found else others
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Course, form: Any, change: bool) -> None:
        authoring.save_course(course=obj, now=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        refused = _refusals(Lesson.objects.filter(course__in=[course.pk for course in objs]))
        return ([], {}, set(), refused) if refused else super().get_deleted_objects(objs, request)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        now, course = timezone.now(), form.instance
        save_ordered(
            formset,
            lambda lesson: authoring.save_lesson(lesson=lesson, now=now),
            lambda ids: authoring.reorder_lessons(course=course, lesson_ids=ids),
            course.lessons,
            lambda lesson: authoring.delete_lesson(lesson=lesson, actor=person_of(request), request=request, now=now),
        )

    @action(description=_("Preview as a doctor"), icon="visibility", permissions=("view",))
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return preview(self.object_or_404(request, object_id).programme)

    @action(
        description=_("Publish"),
        icon="publish",
        permissions=("change",),
        dialog={
            "title": _("Publish this course?"),
            "description": _("Doctors of the programme see it from now on, as far as its dates let them."),
            "form_class": None,
            "form_submit_text": _("Publish"),
        },
    )
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        course = self.object_or_404(request, object_id)
        with self.telling(request):
            warned = authoring.publish_course(course=course, now=timezone.now())
            messages.success(request, _("“%(title)s” is published.") % {"title": course.title})
            for warning in warned.warnings:
                messages.warning(request, warning)
        return done(request, reverse("admin:courses_course_change", args=(course.pk,)))

    @action(
        description=_("Duplicate course"),
        icon="content_copy",
        permissions=("change",),
        dialog={
            "title": _("Duplicate this course?"),
            "description": _("The copy is a draft at the end of the programme, with the same lessons and videos."),
            "form_class": DuplicateDialog,
            "form_submit_text": _("Duplicate"),
        },
    )
    def duplicate(self, request: HttpRequest, form: DuplicateDialog, object_id: str) -> HttpResponse:
        course = self.object_or_404(request, object_id)
        copy = authoring.duplicate_course(course=course, title=form.cleaned_data["title"], now=timezone.now())
        messages.success(request, _("This is the copy, a draft. Change what differs, then publish it."))
        return done(request, reverse("admin:courses_course_change", args=(copy.pk,)))

    @action(
        description=_("Archive"),
        icon="archive",
        permissions=("change",),
        dialog={
            "title": _("Archive this course?"),
            "description": _("Doctors no longer see it, and it no longer counts. What they completed is kept."),
            "form_class": None,
            "form_submit_text": _("Archive"),
        },
    )
    def archive(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        course = self.object_or_404(request, object_id)
        authoring.archive_course(course=course, now=timezone.now())
        messages.success(request, _("“%(title)s” is archived.") % {"title": course.title})
        return done(request, reverse("admin:courses_course_change", args=(course.pk,)))


@admin.register(Lesson)
class LessonAdmin(HomeZoneAdmin, ScopedAdmin):
    """Reached from its course. Apps above add the inline of their lesson kind by `LessonAdmin.inlines += (…,)`."""

    programme_path = "course__programme"
    zone_path = "course__programme__timezone"
    form = LessonForm
    inlines: tuple[Any, ...] = ()
    list_display = ("title", "kind", "course", "position", "is_required")
    list_filter = ("kind", ("course__programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("course__programme",)
    search_fields = ("title", "course__title")
    readonly_fields = ("course_link", "shown_kind", "accreditation")
    fieldsets = (
        (None, {"fields": ("course_link", "shown_kind", "accreditation", "title", "summary", "is_required")}),
        (_("When"), {"fields": ("opens_at", "closes_at")}),
    )
    add_fieldsets = ((None, {"fields": ("course", "kind", "title", "summary", "is_required")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Webinars are accredited, nothing else."""
        given = super().get_fieldsets(request, obj)
        if obj is None or obj.kind == LessonKind.WEBINAR:
            return given
        first, *others = given
        return [(None, {"fields": [one for one in first[1]["fields"] if one != "accreditation"]}), *others]

    @display(description=_("Accreditation"))
    def accreditation(self, lesson: Lesson) -> SafeString:
        return beside.said_of(lesson)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Only after the lesson exists, and only what fits its kind."""
        return [one for one in self.inlines if obj is not None and one.lesson_kind == obj.kind]

    @display(description=_("Course"))
    def course_link(self, lesson: Lesson) -> SafeString:
        address = reverse("admin:courses_course_change", args=(lesson.course_id,))
        return format_html(
            '<a class="underline" href="{}">{}</a> · {}', address, lesson.course, lesson.course.programme
        )

    @display(description=_("Kind"))
    def shown_kind(self, lesson: Lesson) -> str:
        return lesson.get_kind_display()

    def save_model(self, request: HttpRequest, obj: Lesson, form: Any, change: bool) -> None:
        authoring.save_lesson(lesson=obj, now=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        refused = _refusals(objs)
        return ([], {}, set(), refused) if refused else super().get_deleted_objects(objs, request)

    def delete_model(self, request: HttpRequest, obj: Lesson) -> None:
        authoring.delete_lesson(lesson=obj, actor=person_of(request), request=request, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Lesson]) -> None:
        self.apply(request, queryset.select_related("course__programme"), lambda one: self.delete_model(request, one))
