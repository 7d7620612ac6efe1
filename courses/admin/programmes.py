from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.decorators import action, display

from accounts.enums import Role
from courses import rules
from courses.admin.base import PublishableAdmin, allowed_programmes, done, preview, save_ordered
from courses.admin.bulk import bulk_enrol_view
from courses.admin.zones import HomeZoneAdmin, ZonedInline
from courses.domain import authoring
from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus
from courses.forms import CourseRow, OrderedFormSet, ProgrammeForm
from courses.models import Cohort, Course, Enrolment, Programme


class CourseInline(ZonedInline, TabularInline):
    model = Course
    form = CourseRow
    formset = OrderedFormSet
    fields = ("position", "title", "shown_status", "is_required", "opens_at", "closes_at")
    readonly_fields = ("shown_status",)
    ordering_field = "position"
    ordering = ("position",)
    show_change_link = True
    extra = 0
    tab = True

    @display(description=_("Status"))
    def shown_status(self, course: Course) -> str:
        return course.get_status_display()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A course with lessons is deleted on its own page, where the consequences are shown."""
        return False


class CohortInline(ZonedInline, TabularInline):
    model = Cohort
    fields = ("name", "opens_at", "closes_at")
    extra = 0
    tab = True


@admin.register(Programme)
class ProgrammeAdmin(HomeZoneAdmin, PublishableAdmin):
    programme_path = "pk"
    zone_path = "timezone"
    form = ProgrammeForm
    inlines = (CourseInline, CohortInline)
    list_display = ("title", "shown_status", "society", "shown_courses", "shown_doctors", "opens", "closes")
    list_filter = ("status",)
    search_fields = ("title", "society", "slug")
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("status_text",)
    actions_detail = ("preview", "invite", "bulk_enrol", "publish", "archive")
    fieldsets = (
        (None, {"fields": ("title", "slug", "status_text", "society", "summary")}),
        (_("When"), {"fields": ("opens_at", "closes_at", "timezone"), "classes": ("tab",)}),
        (_("What completes it"), {"fields": ("completion_rule", "required_count"), "classes": ("tab",)}),
        (_("Disclosures"), {"fields": ("statement_months",), "classes": ("tab",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Counts by subqueries: joins would multiply 15,000 enrolments by ten courses."""
        enrolments = Enrolment.objects.filter(programme=OuterRef("pk")).order_by()
        return (
            super()
            .get_queryset(request)
            .annotate(
                course_number=_count(Course.objects.filter(programme=OuterRef("pk")).order_by()),
                doctor_number=_count(enrolments.filter(status__in=OPEN_ENROLMENTS)),
                invited_number=_count(enrolments.filter(status=EnrolmentStatus.INVITED)),
            )
        )

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Only for operators of all programmes: the maker of a new one would otherwise not see it."""
        return rules.is_operator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return rules.is_operator(request.user) and super().has_delete_permission(request, obj)

    @display(description=_("Courses"), ordering="course_number")
    def shown_courses(self, programme: Any) -> int:
        return int(programme.course_number)

    @display(description=_("Doctors"), ordering="doctor_number")
    def shown_doctors(self, programme: Any) -> SafeString:
        address = f"{reverse('admin:courses_enrolment_changelist')}?programme__id__exact={programme.pk}"
        waiting = ngettext("%(n)d not signed in yet", "%(n)d not signed in yet", programme.invited_number)
        return format_html(
            '<a href="{}">{}</a> · {}', address, programme.doctor_number, waiting % {"n": programme.invited_number}
        )

    def save_model(self, request: HttpRequest, obj: Programme, form: Any, change: bool) -> None:
        authoring.save_programme(programme=obj, now=timezone.now())

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if not isinstance(formset, OrderedFormSet):
            super().save_formset(request, form, formset, change)
            return
        now, programme = timezone.now(), form.instance
        save_ordered(
            formset,
            lambda course: authoring.save_course(course=course, now=now),
            lambda ids: authoring.reorder_courses(programme=programme, course_ids=ids),
            programme.courses,
        )

    @action(description=_("Preview as a doctor"), icon="visibility", permissions=("view",))
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return preview(self.object_or_404(request, object_id))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        actions = super().get_actions_detail(request, object_id)
        may_invite = int(object_id) in allowed_programmes(request, frozenset({Role.OPERATOR}))
        return [one for one in actions if may_invite or not one.action_name.endswith("_invite")]

    @action(description=_("Invite doctors"), icon="mail", permissions=("change",))
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The import asks for the operator's role by itself."""
        programme = self.object_or_404(request, object_id)
        return HttpResponseRedirect(f"{reverse('people_import')}?programme={programme.pk}")

    @action(description=_("Enrol doctors"), icon="group_add", url_path="enrol", permissions=("change",))
    def bulk_enrol(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return bulk_enrol_view(self, request, self.object_or_404(request, object_id))

    @action(
        description=_("Publish"),
        icon="publish",
        permissions=("change",),
        dialog={
            "title": _("Publish this programme?"),
            "description": _("Enrolled doctors see it from now on, as far as its dates let them."),
            "form_class": None,
            "form_submit_text": _("Publish"),
        },
    )
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        programme = self.object_or_404(request, object_id)
        with self.telling(request):
            warned = authoring.publish_programme(programme=programme)
            messages.success(request, _("“%(title)s” is published.") % {"title": programme.title})
            for warning in warned.warnings:
                messages.warning(request, warning)
        return done(request, reverse("admin:courses_programme_change", args=(programme.pk,)))

    @action(
        description=_("Archive"),
        icon="archive",
        permissions=("change",),
        dialog={
            "title": _("Archive this programme?"),
            "description": _("Its doctors no longer see it. Everything they completed is kept."),
            "form_class": None,
            "form_submit_text": _("Archive"),
        },
    )
    def archive(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        programme = self.object_or_404(request, object_id)
        authoring.archive_programme(programme=programme)
        messages.success(request, _("“%(title)s” is archived.") % {"title": programme.title})
        return done(request, reverse("admin:courses_programme_change", args=(programme.pk,)))


def _count(rows: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(rows.values("programme").annotate(n=Count("pk")).values("n")), 0)
