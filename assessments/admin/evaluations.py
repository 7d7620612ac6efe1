"""Feedback in the office: forms with their questions, the settings of a lesson's evaluation, and what doctors said."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.admin import StackedInline
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.domain import audit
from accounts.rules import person_of
from assessments.domain import evaluation_forms
from assessments.domain.evaluation_results import results_of, standing_words
from assessments.domain.evaluation_sheet import fields_of, takes_choices
from assessments.models import Evaluation, EvaluationForm, EvaluationQuestion
from courses import rules
from courses.admin import LessonAdmin
from courses.admin.base import ScopedAdmin, allowed_programmes, done, save_ordered
from courses.admin.ordered import OrderedFormSet, OrderedRow
from courses.enums import LessonKind
from courses.models import Lesson, Programme


class ChoicesField(forms.CharField):
    """A list as lines. A comma is an ordinary sign in a choice."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().clean(value)).splitlines()]
        found = [line for line in lines if line]
        if any(len(line) > 200 for line in found):
            raise ValidationError(_("A choice has no more than 200 characters."))
        if len(found) > 50 or len(set(found)) < len(found):
            raise ValidationError(_("Give at most 50 choices, each of them once."))
        return found


class QuestionRow(OrderedRow):
    choices = ChoicesField(
        label=_("Choices"), required=False, help_text=_("One a line; only for one choice and several choices.")
    )

    class Meta:
        model = EvaluationQuestion
        fields = ("position", "kind", "dimension", "text", "help", "choices", "is_required")

    def clean(self) -> dict[str, Any]:
        """Choices left over from another kind are forgotten, as the page does not show them either."""
        cleaned = super().clean() or {}
        if not takes_choices(cleaned.get("kind", "")):
            cleaned["choices"] = []
        elif len(cleaned.get("choices") or ()) < 2 and "choices" not in self.errors:
            self.add_error("choices", _("Give at least two choices."))
        return cleaned


class QuestionInline(StackedInline):
    model = EvaluationQuestion
    form = QuestionRow
    formset = OrderedFormSet
    fields = ("position", "text", "kind", "dimension", "help", "choices", "is_required")
    ordering_field = "position"
    ordering = ("position",)
    extra = 0
    tab = False

    def _is_open(self, form: EvaluationForm | None) -> bool:
        return form is None or not form.is_frozen

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_delete_permission(request, obj)


class FeedbackFormForm(forms.ModelForm[EvaluationForm]):
    class Meta:
        model = EvaluationForm
        fields = ("programme", "title", "introduction")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        programme = cleaned.get("programme") or self.instance.programme
        if "programme" in self.fields and programme is None and "programme" not in self.errors:
            self.add_error("programme", _("Choose the programme it belongs to."))
        same = EvaluationForm.objects.filter(
            programme=programme, title=cleaned.get("title", ""), edition=self.instance.edition
        )
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("title", _("There is such a form already. Please give it another title."))
        return cleaned


class CopyDialog(BaseDialogForm):
    title = forms.CharField(label=_("Title of the copy"), max_length=200, widget=UnfoldAdminTextInputWidget())
    programme = forms.ModelChoiceField(
        label=_("For the programme"), queryset=Programme.objects.none(), widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        field: Any = self.fields["programme"]
        field.queryset = Programme.objects.filter(pk__in=allowed_programmes(request, ScopedAdmin.roles))


@admin.register(EvaluationForm)
class EvaluationFormAdmin(ScopedAdmin):
    """A ready form, which belongs to no programme, is seen and copied by all staff and changed by operators of all."""

    form = FeedbackFormForm
    inlines = (QuestionInline,)
    list_display = ("title", "edition", "shown_programme", "number", "state")
    list_filter = (("programme", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("programme",)
    search_fields = ("title",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("shown_programme", "edition", "state")
    fieldsets = ((None, {"fields": ("shown_programme", "title", "edition", "state", "introduction")}),)
    add_fieldsets = ((None, {"fields": ("programme", "title", "introduction")}),)
    actions_detail = ("look", "copy", "new_edition")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        shown = Q(programme__in=allowed_programmes(request, self.roles)) | Q(programme=None)
        found: QuerySet[Any] = admin.ModelAdmin.get_queryset(self, request)
        return found.filter(shown).annotate(question_number=Count("questions"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return (*self.readonly_fields, "title", "introduction") if obj.is_frozen else self.readonly_fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, EvaluationForm) and obj.pk and obj.programme_id is None:
            return super().has_change_permission(request, obj) and rules.is_operator(request.user)
        return super().has_change_permission(request, obj)

    @display(description=_("Programme"), ordering="programme__title")
    def shown_programme(self, form: EvaluationForm) -> str:
        return str(form.programme or _("Ready form for all"))

    @display(description=_("Questions"))
    def number(self, form: Any) -> int:
        return int(form.question_number)

    @display(description=_("State"))
    def state(self, form: EvaluationForm) -> str:
        if not form.pk:
            return "–"
        return str(_("Answered: its questions stay as they are") if form.is_frozen else _("Can be changed"))

    def save_model(self, request: HttpRequest, obj: EvaluationForm, form: Any, change: bool) -> None:
        if change and not form.changed_data:
            return
        with self.telling(request):
            evaluation_forms.save_form(form=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if form.instance.is_frozen:
            formset.save(commit=False)  # nothing: its rows are not there to be changed
            return
        with self.telling(request):
            save_ordered(
                formset,
                lambda question: evaluation_forms.save_question(question=question),
                lambda ids: evaluation_forms.reorder_questions(form=form.instance, question_ids=ids),
                form.instance.questions,
                lambda question: evaluation_forms.delete_question(question=question),
            )

    @action(description=_("Preview"), icon="visibility", permissions=("view",))
    def look(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = self.object_or_404(request, object_id)
        context = {"form": form, "fields": fields_of(questions=list(form.questions.order_by("position")))}
        return TemplateResponse(request, "admin/assessments/evaluationform/look.html", context)

    @action(
        description=_("Duplicate"),
        icon="content_copy",
        permissions=("view",),
        dialog={
            "title": _("Duplicate this form?"),
            "description": _("The copy can be changed, whatever happens to this one."),
            "form_class": CopyDialog,
            "form_submit_text": _("Duplicate"),
        },
    )
    def copy(self, request: HttpRequest, form: CopyDialog, object_id: str) -> HttpResponse:
        original = self.object_or_404(request, object_id)
        target = original
        with self.telling(request):
            given = form.cleaned_data
            target = evaluation_forms.copy_form(form=original, programme=given["programme"], title=given["title"])
            messages.success(request, _("This is the copy. Change what differs, then choose it in a lesson."))
        return done(request, reverse("admin:assessments_evaluationform_change", args=(target.pk,)))

    @action(
        description=_("New edition"),
        icon="library_add",
        permissions=("change",),
        dialog={
            "title": _("Make a new edition?"),
            "description": _("Lessons that nobody has answered yet ask it from now on. The others keep this one."),
            "form_class": None,
            "form_submit_text": _("Make it"),
        },
    )
    def new_edition(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        target = original = self.object_or_404(request, object_id)
        if not self.has_change_permission(request, original):
            return done(request, reverse("admin:assessments_evaluationform_change", args=(original.pk,)))
        with self.telling(request):
            target = evaluation_forms.new_edition(form=original)
            messages.success(request, _("This is the new edition. Change its questions now."))
        return done(request, reverse("admin:assessments_evaluationform_change", args=(target.pk,)))


def _change_link(evaluation: Evaluation, text: Any) -> SafeString:
    address = reverse("admin:assessments_evaluation_change", args=(evaluation.pk,))
    return format_html('<a class="underline" href="{}">{}</a>', address, text)


class EvaluationInline(StackedInline):
    """On the lesson's own page: what it asks, and the way to its settings and results."""

    lesson_kind = LessonKind.EVALUATION
    model = Evaluation
    fk_name = "lesson"
    fields = ("shown_form", "links")
    readonly_fields = ("shown_form", "links")
    can_delete = False
    max_num = 1
    extra = 0
    verbose_name = _("evaluation")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Saving the lesson makes it."""
        return False

    @display(description=_("Feedback form"))
    def shown_form(self, evaluation: Evaluation) -> str:
        return str(evaluation.form or _("None"))

    @display(description=_("More"))
    def links(self, evaluation: Evaluation) -> SafeString:
        results = reverse("admin:assessments_evaluation_results", args=(evaluation.pk,))
        return format_html(
            '{} · <a class="underline" href="{}">{}</a>', _change_link(evaluation, _("Settings")), results, _("Results")
        )


LessonAdmin.inlines += (EvaluationInline,)


@admin.register(Evaluation)
class EvaluationAdmin(ScopedAdmin):
    """What a lesson asks, and what was answered. One evaluation is made with its lesson."""

    programme_path = "lesson__course__programme"
    list_display = ("title", "programme", "form", "is_anonymous", "answered", "results_link")
    list_filter = (("lesson__course__programme", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("lesson__course__programme", "form")
    search_fields = ("lesson__title", "lesson__course__title")
    ordering = ("-pk",)
    fields = ("lesson_link", "form", "about", "is_anonymous", "results_link")
    readonly_fields: ClassVar[tuple[str, ...]] = ("lesson_link", "results_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(receipt_number=Count("receipts"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        answered = obj is not None and obj.receipts.exists()
        return (*self.readonly_fields, "is_anonymous") if answered else self.readonly_fields

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(require_safe(self.results))
        name = "assessments_evaluation_results"
        return [path("<int:evaluation_id>/results/", page, name=name), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Forms of the lesson's own programme and ready ones, the newest editions; webinars of its own course."""
        match = getattr(request, "resolver_match", None)
        pk = match.kwargs.get("object_id") if match else None
        found = self.get_object(request, pk) if pk else None
        course = found.lesson.course if found else None
        if db_field.name == "form":
            mine = Q(programme=course.programme_id if course else None) | Q(programme=None)
            newest = Q(replaced_by=None) | Q(pk=found.form_id if found else None)
            kwargs["queryset"] = EvaluationForm.objects.filter(mine, newest)
        elif db_field.name == "about":
            lessons = Lesson.objects.filter(course=course, kind=LessonKind.WEBINAR) if course else Lesson.objects.none()
            kwargs["queryset"] = lessons.order_by("position")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("Lesson"), ordering="lesson__title")
    def title(self, evaluation: Evaluation) -> str:
        return evaluation.lesson.title

    @display(description=_("Lesson"))
    def lesson_link(self, evaluation: Evaluation) -> SafeString:
        address = reverse("admin:courses_lesson_change", args=(evaluation.lesson_id,))
        return format_html('<a class="underline" href="{}">{}</a>', address, evaluation.lesson)

    @display(description=_("Programme"))
    def programme(self, evaluation: Evaluation) -> str:
        return evaluation.lesson.course.programme.title

    @display(description=_("Answers"))
    def answered(self, evaluation: Any) -> int:
        return int(evaluation.receipt_number)

    @display(description=_("Results"))
    def results_link(self, evaluation: Evaluation) -> SafeString:
        address = reverse("admin:assessments_evaluation_results", args=(evaluation.pk,))
        return format_html('<a class="underline" href="{}">{}</a>', address, _("Show"))

    def save_model(self, request: HttpRequest, obj: Evaluation, form: Any, change: bool) -> None:
        with self.telling(request):
            evaluation_forms.save_evaluation(evaluation=obj)

    def results(self, request: HttpRequest, evaluation_id: int) -> HttpResponse:
        """Looking at answers with names in them is recorded; the others are nobody's."""
        evaluation = self.object_or_404(request, str(evaluation_id))
        if not self.has_view_permission(request, evaluation):
            return HttpResponseRedirect(reverse("admin:index"))
        results = results_of(evaluation=evaluation)
        if not evaluation.is_anonymous:
            audit.record(
                "evaluation.read", actor=person_of(request), subject=evaluation, request=request, now=timezone.now()
            )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Feedback"),
            "opts": self.opts,
            "evaluation": evaluation,
            "results": results,
            "words": standing_words(results),
        }
        return TemplateResponse(request, "admin/assessments/evaluation/results.html", context)
