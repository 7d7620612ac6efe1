"""Tests in the office: settings, sections and what they take from the banks, what to look at before it opens."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import action, display

from accounts.enums import Role
from accounts.rules import person_of
from assessments.admin import running
from assessments.admin.quiz_forms import CopyDialog, HoldDialog, QuizForm, SectionRow
from assessments.admin.shared import link, object_id, telling
from assessments.domain import quizzes
from assessments.domain.checklist import checklist_of
from assessments.domain.papers import PaperError
from assessments.domain.pausing import hold_test, resume_test
from assessments.domain.preview import MOST_SEED, preview_of
from assessments.domain.quizzes import FIXED
from assessments.domain.running import standing_pause
from assessments.enums import AttemptState, QuizKind
from assessments.models import Attempt, Quiz, Section
from core.clock import now
from core.time import when
from courses.admin import LessonAdmin
from courses.admin.base import allowed_programmes, done, save_ordered
from courses.admin.ordered import OrderedFormSet
from courses.admin.zones import HomeZoneAdmin
from courses.enums import LessonKind
from courses.models import Lesson

OPERATORS = frozenset({Role.OPERATOR})


class QuizInline(StackedInline):
    """On the lesson's own page: what it is, and the way to everything about it."""

    lesson_kind = LessonKind.QUIZ
    model = Quiz
    fk_name = "lesson"
    fields = ("shown_kind", "links")
    readonly_fields = ("shown_kind", "links")
    can_delete = False
    max_num = 1
    extra = 0
    verbose_name = _("test")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Saving the lesson makes it."""
        return False

    @display(description=_("Kind"))
    def shown_kind(self, quiz: Quiz) -> str:
        return quiz.get_kind_display()

    @display(description=_("More"))
    def links(self, quiz: Quiz) -> SafeString:
        return link(reverse("admin:assessments_quiz_change", args=(quiz.pk,)), _("Settings and questions"))


LessonAdmin.inlines += (QuizInline,)


class SectionInline(TabularInline):
    model = Section
    form = SectionRow
    formset = OrderedFormSet
    fields = ("position", "title", "takes", "more")
    readonly_fields = ("takes", "more")
    ordering_field = "position"
    ordering = ("position",)
    extra = 1
    tab = True
    verbose_name_plural = _("sections and questions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        picks = Count("picks"), Coalesce(Sum("picks__count"), 0)
        return super().get_queryset(request).annotate(row_number=picks[0], unit_number=picks[1])

    @display(description=_("Takes"))
    def takes(self, section: Any) -> str:
        if not section.pk:
            return str(_("after saving"))
        words = ngettext("%(n)d question", "%(n)d questions", section.unit_number) % {"n": section.unit_number}
        rows = ngettext("in %(n)d row", "in %(n)d rows", section.row_number) % {"n": section.row_number}
        return f"{words} {rows}"

    @display(description=_("Questions"))
    def more(self, section: Section) -> Any:
        if not section.pk:
            return "–"
        return link(reverse("admin:assessments_section_change", args=(section.pk,)), _("Choose questions"))


@admin.register(Quiz)
class QuizAdmin(HomeZoneAdmin):
    """Editors write it, operators run it. One is made with its lesson."""

    programme_path = "lesson__course__programme"
    zone_path = "lesson__course__programme__timezone"
    form = QuizForm
    inlines = (SectionInline,)
    list_display = ("title", "course", "kind", "opens", "closes", "begun", "inside")
    list_filter = (("lesson__course__programme", admin.RelatedOnlyFieldListFilter), "kind")
    list_select_related = ("lesson__course__programme",)
    search_fields = ("lesson__title", "lesson__course__title")
    ordering = ("-pk",)
    actions_detail = ("look", "run", "copy", "hold", "resume")
    readonly_fields: ClassVar[tuple[str, ...]] = ("lesson_link", "window", "checklist", "what_holds")
    fieldsets = (
        (None, {"fields": ("lesson_link", "window", "what_holds", "checklist")}),
        (_("What it is"), {"fields": ("kind", "instructions", "pre_test", "during"), "classes": ("tab",)}),
        (
            _("Time and attempts"),
            {
                "fields": ("minutes", "grace_seconds", "attempts_allowed", "counting", "is_one_way"),
                "classes": ("tab",),
            },
        ),
        (
            _("Passing and points"),
            {"fields": ("pass_percent", "completes_by", "wrong_share", "markers_needed"), "classes": ("tab",)},
        ),
        (_("Afterwards"), {"fields": ("marks_when", "answers_when", "has_ranking"), "classes": ("tab",)}),
        (_("Order"), {"fields": ("shuffles_items", "shuffles_options"), "classes": ("tab",)}),
    )

    class Media:
        css = {"all": ["css/pages/tests-office.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        attempts = Attempt.objects.filter(quiz=OuterRef("pk")).order_by().values("quiz")
        people = attempts.annotate(n=Count("user", distinct=True)).values("n")
        inside = attempts.filter(state=AttemptState.OPEN).annotate(n=Count("pk")).values("n")
        numbers = {"people": Coalesce(Subquery(people), 0), "open_number": Coalesce(Subquery(inside), 0)}
        return super().get_queryset(request).annotate(**numbers)

    def get_urls(self) -> list[URLPattern]:
        def page(view: Callable[..., HttpResponse], *methods: str) -> Any:
            guarded = require_http_methods(methods)(lambda request, **values: view(self, request, **values))
            return self.admin_site.admin_view(guarded)

        read, both = ("GET", "HEAD"), ("GET", "HEAD", "POST")
        named = "assessments_quiz"
        return [
            path("<int:quiz_id>/running/", page(running.running, *read), name=f"{named}_running"),
            path("<int:quiz_id>/extra/<int:user_id>/", page(running.extra, *both), name=f"{named}_extra"),
            path("attempt/<int:attempt_id>/", page(running.attempt, *read), name=f"{named}_attempt"),
            path("attempt/<int:attempt_id>/end/", page(running.end, *both), name=f"{named}_end"),
            path("attempt/<int:attempt_id>/strike-out/", page(running.strike, *both), name=f"{named}_strike"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of the programme: whoever sees by name who sits a test, and acts on it. Unfold asks with an id."""
        pk = obj.pk if isinstance(obj, Quiz) else obj
        allowed = allowed_programmes(request, OPERATORS)
        if pk is None:
            return bool(allowed)
        return Quiz.objects.filter(pk=pk, lesson__course__programme__in=allowed).exists()

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that can do something now, and for this person."""
        found = self.get_object(request, str(object_id))
        if found is None:
            return []
        hidden = {"resume"} if standing_pause(quiz=found) is None else {"hold"}
        if not self.has_run_permission(request, found):
            hidden = {"run", "hold", "resume"}
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if one.action_name.removeprefix("assessments_quiz_") not in hidden]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        begun = obj is not None and quizzes.is_begun(quiz=obj)
        return (*self.readonly_fields, *FIXED) if begun else self.readonly_fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Tests and webinars of the same course come first to mind; those of the programme are offered."""
        quiz = Quiz.objects.filter(pk=object_id(request)).select_related("lesson__course").first()
        programme = quiz.lesson.course.programme_id if quiz else None
        if db_field.name == "pre_test":
            tests = Quiz.objects.filter(kind=QuizKind.PRE_TEST, lesson__course__programme=programme)
            kwargs["queryset"] = tests.exclude(pk=object_id(request)).select_related("lesson")
        elif db_field.name == "during":
            webinars = Lesson.objects.filter(kind=LessonKind.WEBINAR, course__programme=programme)
            kwargs["queryset"] = webinars.order_by("course__position", "position")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("Test"), ordering="lesson__title")
    def title(self, quiz: Quiz) -> str:
        return quiz.lesson.title

    @display(description=_("Course"), ordering="lesson__course__title")
    def course(self, quiz: Quiz) -> str:
        return quiz.lesson.course.title

    @display(description=_("Opens"), ordering="lesson__opens_at")
    def opens(self, quiz: Quiz) -> str:
        return when(quiz.lesson.opens_at)

    @display(description=_("Closes"), ordering="lesson__closes_at")
    def closes(self, quiz: Quiz) -> str:
        return when(quiz.lesson.closes_at)

    @display(description=_("Have begun"), ordering="people")
    def begun(self, quiz: Any) -> int:
        return int(quiz.people)

    @display(description=_("In it now"), ordering="open_number")
    def inside(self, quiz: Any) -> int:
        return int(quiz.open_number)

    @display(description=_("Lesson"))
    def lesson_link(self, quiz: Quiz) -> SafeString:
        address = reverse("admin:courses_lesson_change", args=(quiz.lesson_id,))
        return format_html("{} · {}", link(address, quiz.lesson.title), quiz.lesson.course)

    @display(description=_("Open"))
    def window(self, quiz: Quiz) -> str:
        """The lesson's own; those of course and programme may be narrower, which the list below takes into account."""
        lesson = quiz.lesson
        if lesson.opens_at is None and lesson.closes_at is None:
            return str(_("As long as its course. The dates are on the page of the lesson."))
        return f"{when(lesson.opens_at)} – {when(lesson.closes_at)}"

    @display(description=_("What a change does"))
    def what_holds(self, quiz: Quiz) -> str:
        if not quizzes.is_begun(quiz=quiz):
            return str(_("Nobody has begun: everything can be changed."))
        return render_to_string("admin/assessments/quiz/_what_holds.html")

    @display(description=_("Before it opens"))
    def checklist(self, quiz: Quiz) -> str:
        """Made once for the object of a page: the theme asks several times, and each would be ten queries."""
        shown: str | None = quiz.__dict__.get("_checklist")
        if shown is None:
            context = {"list": checklist_of(quiz=quiz, now=now())}
            shown = quiz.__dict__["_checklist"] = render_to_string("admin/assessments/quiz/_checklist.html", context)
        return shown

    def save_model(self, request: HttpRequest, obj: Quiz, form: Any, change: bool) -> None:
        if not form.has_changed():
            return
        with telling(request):
            quizzes.save_quiz(quiz=obj, actor=person_of(request), request=request, now=now())

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        quiz = form.instance
        with telling(request):
            save_ordered(
                formset,
                lambda section: quizzes.save_section(section=section),
                lambda ids: quizzes.reorder_sections(quiz=quiz, section_ids=ids),
                quiz.sections,
                lambda section: quizzes.delete_section(section=section),
            )

    @action(description=_("Preview a paper"), icon="visibility", permissions=("view",))
    def look(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`?seed=…` is a paper of its own each. Nothing is written."""
        quiz = self.object_or_404(request, object_id)
        given = request.GET.get("seed", "1")
        seed = int(given) % MOST_SEED if given.isdecimal() and len(given) < 20 else 1
        context: dict[str, Any] = {"quiz": quiz, "next_seed": seed + 1}
        try:
            context["preview"] = preview_of(quiz=quiz, seed=seed)
        except PaperError as refused:
            context["refused"] = str(refused)
        return TemplateResponse(request, "admin/assessments/quiz/look.html", context)

    @action(description=_("Run it"), icon="monitor_heart", permissions=("run",))
    def run(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:assessments_quiz_running", args=(object_id,)))

    @action(
        description=_("Copy"),
        icon="content_copy",
        permissions=("change",),
        dialog={
            "title": _("Copy this test?"),
            "description": _("A new lesson with the same settings, sections and questions. Nobody has begun it."),
            "form_class": CopyDialog,
            "form_submit_text": _("Copy"),
        },
    )
    def copy(self, request: HttpRequest, form: CopyDialog, object_id: str) -> HttpResponse:
        target = quiz = self.object_or_404(request, object_id)
        with telling(request):
            given = form.cleaned_data
            target = quizzes.copy_quiz(quiz=quiz, course=given["course"], title=given["title"], now=now())
            messages.success(request, _("This is the copy. Change what differs, and give its lesson its dates."))
        return done(request, reverse("admin:assessments_quiz_change", args=(target.pk,)))

    @action(
        description=_("Hold the test"),
        icon="pause_circle",
        permissions=("run",),
        dialog={
            "title": _("Hold this test?"),
            "description": _(
                "At once nobody starts or answers, and nobody's time runs. When it goes on, all get the time back."
            ),
            "form_class": HoldDialog,
            "form_submit_text": _("Hold the test"),
        },
    )
    def hold(self, request: HttpRequest, form: HoldDialog, object_id: str) -> HttpResponse:
        quiz = self.object_or_404(request, object_id)
        hold_test(quiz=quiz, reason=form.cleaned_data["reason"], actor=person_of(request), request=request)
        messages.warning(request, _("The test is being held. Do not forget to let it go on."))
        return done(request, reverse("admin:assessments_quiz_running", args=(quiz.pk,)))

    @action(
        description=_("Go on"),
        icon="play_circle",
        permissions=("run",),
        dialog={
            "title": _("Let the test go on?"),
            "description": _("Doctors answer again, with the time they had when it was held."),
            "form_class": None,
            "form_submit_text": _("Go on"),
        },
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        quiz = self.object_or_404(request, object_id)
        with telling(request):
            moved = resume_test(quiz=quiz, actor=person_of(request), request=request)
            words = ngettext(
                "The test goes on. %(n)d attempt got its time back.",
                "The test goes on. %(n)d attempts got their time back.",
                moved,
            )
            messages.success(request, words % {"n": moved})
        return done(request, reverse("admin:assessments_quiz_running", args=(quiz.pk,)))
