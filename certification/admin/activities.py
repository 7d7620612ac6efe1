"""Activities in the office: a webinar is accredited in one step, and each activity says what it still needs to open."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import action, display

from accounts.rules import person_of
from certification.admin.activity_forms import AccreditationRow, AccreditForm, ContributorRow
from certification.admin.evidence import EvidencePages
from certification.admin.shared import link, object_id, tell, telling
from certification.domain import activities
from certification.domain.activity_checklist import checklist_of, contributing_to, day_of, people_to_ask
from certification.domain.disclosers import standings, take_over
from certification.domain.disclosures import ask
from certification.domain.sheets import newest_sheet
from certification.enums import ActivityState, DisclosureStanding
from certification.models import Accreditation, Activity, Contributor, Discloser
from core.clock import now
from core.time import when
from courses.admin.base import done
from courses.admin.zones import HomeZoneAdmin
from courses.enums import LessonKind
from courses.models import Lesson
from webinars.models import Webinar

STATE_LABELS = {ActivityState.DRAFT: "warning", ActivityState.OPEN: "success", ActivityState.CLOSED: "default"}


class AccreditationInline(StackedInline):
    model = Accreditation
    form = AccreditationRow
    fields = (
        ("authority", "council"),
        ("credits", "approval_code"),
        ("provider", "event"),
        ("valid_from", "valid_until"),
        "parameters",
    )
    extra = 0
    tab = True
    verbose_name_plural = _("authorities")


class ContributorInline(TabularInline):
    model = Contributor
    form = ContributorRow
    fields = ("person", "role", "standing")
    readonly_fields = ("standing",)
    extra = 0
    tab = True
    verbose_name_plural = _("people")
    _found: dict[int, DisclosureStanding] | None = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).filter(left_at=None)
        return rows.select_related("person", "activity__lesson__course__programme")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "person":
            of = Activity.objects.filter(pk=object_id(request)).values("lesson__course__programme")
            kwargs["queryset"] = Discloser.objects.filter(programme__in=of)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("Disclosure"))
    def standing(self, contributor: Contributor) -> Any:
        """An inline is made for each request: its people's standings are asked for once."""
        if not contributor.pk:
            return "–"
        if self._found is None:
            people = contributing_to(contributor.activity)
            self._found = standings(people=people, on=day_of(contributor.activity, now=now()))
        address = reverse("admin:certification_discloser_change", args=(contributor.person_id,))
        return link(address, self._found[contributor.person_id].label)


@admin.register(Activity)
class ActivityAdmin(EvidencePages, HomeZoneAdmin):
    programme_path = "lesson__course__programme"
    zone_path = "lesson__course__programme__timezone"
    inlines = (AccreditationInline, ContributorInline)
    list_display = ("title", "format", "programme", "shown_state", "authorities", "starts", "ends")
    list_filter = ("state", "format", ("lesson__course__programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("lesson__course__programme",)
    search_fields = ("title", "lesson__title", "lesson__course__title")
    ordering = ("-pk",)
    actions_detail = ("open_it", "ask_missing", "take_people", "close_it", "show_evidence")
    readonly_fields: ClassVar[tuple[str, ...]] = ("lesson_link", "state_text", "checklist")
    fieldsets = (
        (None, {"fields": ("lesson_link", "state_text", "checklist")}),
        (_("When and how long"), {"fields": ("starts_at", "ends_at", "minutes", "reviewed_on"), "classes": ("tab",)}),
        (_("Test and feedback"), {"fields": ("assessment", "evaluation"), "classes": ("tab",)}),
        (_("What is taught"), {"fields": ("title", "same_as", "objectives", "sources"), "classes": ("tab",)}),
    )
    add_fieldsets = ((None, {"fields": ("lesson", "formats", "authorities")}),)

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    # What is shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(authority_number=Count("accreditations"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": AccreditForm, "fields": ("lesson",)}
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        fixed = [name for name in activities.FIXED if name not in {"lesson", "format"}]
        return (*self.readonly_fields, *(fixed if activities.is_claimed(activity=obj) else ()))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Tests and feedback of the same programme."""
        kinds = {"assessment": LessonKind.QUIZ, "evaluation": LessonKind.EVALUATION}
        if db_field.name in kinds:
            of = Activity.objects.filter(pk=object_id(request)).values("lesson__course__programme")
            lessons = Lesson.objects.filter(kind=kinds[db_field.name], course__programme__in=of)
            kwargs["queryset"] = lessons.order_by("course__position", "position")
        if db_field.name == "same_as":
            kwargs["queryset"] = self._accredited(request)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "lesson" and field is not None:
            webinars = field.queryset.filter(kind=LessonKind.WEBINAR).select_related("course__programme")
            field.queryset = webinars.order_by("course__programme__title", "course__position", "position")
            field.label_from_instance = lambda one: f"{one.title} · {one.course} · {one.course.programme}"
        return field

    def _accredited(self, request: HttpRequest) -> QuerySet[Lesson]:
        """Other webinars that this person may see accredited, and the one that is stated already."""
        of, seen = object_id(request), super().get_queryset(request).values("lesson")
        mine = Activity.objects.filter(pk=of)
        lessons = Lesson.objects.filter(Q(pk__in=seen) | Q(pk__in=mine.values("same_as")))
        return lessons.exclude(pk__in=mine.values("lesson")).select_related("course").order_by("-pk")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that can do something now."""
        found = self.get_object(request, str(object_id))
        if found is None or not self.has_change_permission(request, found):
            return []
        hidden = {"open_it"} if found.state == ActivityState.OPEN else {"close_it"}
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if one.action_name.removeprefix("certification_activity_") not in hidden]

    @display(description=_("Programme"), ordering="lesson__course__programme__title")
    def programme(self, activity: Activity) -> str:
        return activity.lesson.course.programme.title

    @display(description=_("State"), ordering="state", label=STATE_LABELS)
    def shown_state(self, activity: Activity) -> tuple[str, str]:
        return activity.state, activity.get_state_display()

    @display(description=_("State"))
    def state_text(self, activity: Activity) -> str:
        context = {"activity": activity, "is_claimed": activities.is_claimed(activity=activity)}
        return render_to_string("admin/certification/activity/_state.html", context)

    @display(description=_("Authorities"), ordering="authority_number")
    def authorities(self, activity: Any) -> int:
        return int(activity.authority_number)

    @display(description=_("Begins"), ordering="starts_at")
    def starts(self, activity: Activity) -> str:
        return when(activity.starts_at)

    @display(description=_("Ends"), ordering="ends_at")
    def ends(self, activity: Activity) -> str:
        return when(activity.ends_at)

    @display(description=_("Webinar"))
    def lesson_link(self, activity: Activity) -> SafeString:
        """To the lesson, and to the page of the day."""
        lesson = activity.lesson
        title = f"{lesson.title} · {lesson.course} · {activity.get_format_display()}"
        shown = link(reverse("admin:courses_lesson_change", args=(lesson.pk,)), title)
        webinar = Webinar.objects.filter(lesson=lesson).first()
        if webinar is None:
            return shown
        live = link(reverse("admin:webinars_webinar_change", args=(webinar.pk,)), _("Live webinar"))
        return format_html("{} · {}", shown, live)

    @display(description=_("Before it opens"))
    def checklist(self, activity: Activity) -> str:
        context = {
            "list": checklist_of(activity=activity, now=now()),
            "activity": activity,
            "has_sheet": newest_sheet(activity) is not None,
        }
        return render_to_string("admin/certification/activity/_checklist.html", context)

    # What is done

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        """All of the page is saved, or nothing: an open activity is never left with a gap."""
        found = self.get_object(request, object_id) if object_id and request.method == "POST" else None
        if found is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        try:
            with activities.changing(activity_id=found.pk, now=now()):
                return super().changeform_view(request, object_id, form_url, extra_context)
        except activities.ActivityError as refused:
            list(messages.get_messages(request))  # what was said of a success that was taken back
            tell(request, refused)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Activity, form: Any, change: bool) -> None:
        given: dict[str, Any] = {"actor": person_of(request), "request": request, "now": now()}
        if change:
            activities.save_activity(activity=obj, **given)
            return
        chosen = form.cleaned_data
        made = activities.accredit(
            lesson=obj.lesson, formats=chosen["formats"], authorities=chosen["authorities"], **given
        )
        obj.__dict__.update(made[0].__dict__)  # the page goes on with the first of them

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        given: dict[str, Any] = {"actor": person_of(request), "request": request, "now": now()}
        rows = formset.save(commit=False)
        is_people = formset.model is Contributor
        for gone in formset.deleted_objects:
            if is_people:
                activities.delete_contributor(contributor=gone, **given)
            else:
                activities.delete_accreditation(accreditation=gone, **given)
        for row in rows:
            if is_people:
                activities.save_contributor(contributor=row, **given)
            else:
                activities.save_accreditation(accreditation=row, **given)

    def _back(self, request: HttpRequest, activity: Activity) -> HttpResponse:
        return done(request, reverse("admin:certification_activity_change", args=(activity.pk,)))

    @action(
        description=_("Open this activity"),
        icon="lock_open",
        permissions=("change",),
        dialog={
            "title": _("Open this activity?"),
            "description": _("Doctors read the disclosures before they start, and earn its credit."),
            "form_class": None,
            "form_submit_text": _("Open it"),
        },
    )
    def open_it(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        activity = self.object_or_404(request, object_id)
        with telling(request):
            activities.open_activity(activity=activity, actor=person_of(request), request=request, now=now())
            messages.success(request, _("It is open."))
        return self._back(request, activity)

    @action(
        description=_("Close it"),
        icon="lock",
        permissions=("change",),
        dialog={
            "title": _("Close this activity?"),
            "description": _("It grants nothing new. What was granted stays."),
            "form_class": None,
            "form_submit_text": _("Close it"),
        },
    )
    def close_it(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        activity = self.object_or_404(request, object_id)
        with telling(request):
            activities.close_activity(activity=activity, actor=person_of(request), request=request, now=now())
            messages.success(request, _("It is closed."))
        return self._back(request, activity)

    @action(
        description=_("Take over the webinar’s people"),
        icon="group_add",
        permissions=("change",),
        dialog={
            "title": _("Take over the webinar’s people?"),
            "description": _("Its presenters and moderators. Who is there already stays."),
            "form_class": None,
            "form_submit_text": _("Take them over"),
        },
    )
    def take_people(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        activity = self.object_or_404(request, object_id)
        with telling(request), activities.changing(activity_id=activity.pk, now=now()):
            new = take_over(activity=activity, actor=person_of(request), request=request, now=now())
            text = ngettext("%(n)d person was added.", "%(n)d people were added.", new)
            messages.success(request, text % {"n": new})
        return self._back(request, activity)

    @action(
        description=_("Ask for missing disclosures"),
        icon="mail",
        permissions=("change",),
        dialog={
            "title": _("Ask by e-mail?"),
            "description": _("Everybody whose statement is missing or out of date gets a personal link."),
            "form_class": None,
            "form_submit_text": _("Send the e-mails"),
        },
    )
    def ask_missing(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        activity = self.object_or_404(request, object_id)
        asked = people_to_ask(activity=activity, now=now())
        for person in asked:
            ask(person=person, actor=person_of(request), request=request, now=now())
        text = ngettext("%(n)d e-mail is on its way.", "%(n)d e-mails are on their way.", len(asked))
        messages.success(request, text % {"n": len(asked)})
        return self._back(request, activity)
