"""What a section of a test takes from the banks. A page of its own: sections and picks in one would need scripts."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import StackedInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from assessments.admin.quiz_forms import AddItemsForm, ItemSelect, PickRow
from assessments.admin.shared import link, object_id, telling
from assessments.domain import quizzes
from assessments.models import Bank, BoardTopic, Item, Pick, Section
from courses.admin.base import ScopedAdmin, save_ordered
from courses.admin.ordered import OrderedFormSet

PER_PAGE = 100
LONGEST_SEARCH = 100


def programme_of(request: HttpRequest) -> int | None:
    """Of the section that is open; asked once a request."""
    known: dict[str, Any] = request.__dict__
    if "_section_programme" not in known:
        sections = Section.objects.filter(pk=object_id(request))
        known["_section_programme"] = sections.values_list("quiz__lesson__course__programme", flat=True).first()
    found: int | None = known["_section_programme"]
    return found


class PickInline(StackedInline):
    model = Pick
    form = PickRow
    formset = OrderedFormSet
    fields = (
        ("position", "points"), "item", ("bank", "count"), ("tags", "topic"), ("difficulty_from", "difficulty_to"),
    )  # fmt: skip
    autocomplete_fields = ("item",)
    ordering_field = "position"
    ordering = ("position",)
    extra = 1
    verbose_name = _("row")
    verbose_name_plural = _("rows: a chosen question, or a draw")
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": UnfoldAdminTextInputWidget()}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("item", "bank")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Of the test's own programme; topics only those that its questions are mapped to."""
        programme = programme_of(request)
        if db_field.name == "item":
            widget = ItemSelect(db_field, self.admin_site)
            widget.programme = programme
            chosen = Pick.objects.filter(section=object_id(request), item__isnull=False)
            widget.known = {str(pk): name for pk, name in chosen.values_list("item", "item__name")}
            kwargs |= {"widget": widget, "queryset": Item.objects.filter(bank__programme=programme, vignette=None)}
        elif db_field.name == "bank":
            kwargs["queryset"] = Bank.objects.filter(programme=programme)
        elif db_field.name == "topic":
            topics = BoardTopic.objects.filter(items__bank__programme=programme)
            kwargs["queryset"] = topics.select_related("board").distinct()
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name in {"bank", "topic"} and field is not None:
            made: Any = field
            made.choices = list(made.choices)  # read once for all rows
        return field


def offered_items(section: Section) -> QuerySet[Item]:
    """Ready ones of the programme that no row of the test names."""
    named = Pick.objects.filter(section__quiz=section.quiz_id, item=OuterRef("pk"))
    ready: QuerySet[Item] = Item.objects.ready()
    return (
        ready.filter(~Exists(named), bank__programme=section.quiz.lesson.course.programme_id)
        .select_related("bank", "version")
        .defer("version__key")
        .order_by("bank__title", "name")
    )


def found_items(offered: QuerySet[Item], search: str) -> QuerySet[Item]:
    """Every word in the name, the text, the bank's title, or as a tag."""
    for word in search.split():
        one = Q(name__icontains=word) | Q(version__stem__icontains=word) | Q(bank__title__icontains=word)
        offered = offered.filter(one | Q(tags__contains=[word]))
    return offered


@admin.register(Section)
class SectionAdmin(ScopedAdmin):
    """Reached from its test, where it is made, ordered and deleted."""

    programme_path = "quiz__lesson__course__programme"
    list_display = ("shown", "test", "row_number")
    list_select_related = ("quiz__lesson",)
    search_fields = ("title", "quiz__lesson__title")
    ordering = ("-quiz", "position")
    fields = ("test", "title", "instructions")
    readonly_fields = ("test", "what_holds")
    inlines = (PickInline,)
    actions_detail = ("add_many", "back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("quiz__lesson").annotate(rows=Count("picks"))

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """No entry of its own anywhere."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        begun = obj is not None and quizzes.is_begun(quiz=obj.quiz)
        return ("test", "what_holds", *self.fields[1:]) if begun else self.fields

    @display(description=_("What a change does"))
    def what_holds(self, section: Section) -> str:
        return str(
            _("Doctors have begun this test. A change is on papers that are drawn from now on, and on no other.")
        )

    @display(description=_("Section"), ordering="position")
    def shown(self, section: Section) -> str:
        return f"{section.position}. {section.title}"

    @display(description=_("Rows"), ordering="rows")
    def row_number(self, section: Any) -> int:
        return int(section.rows)

    @display(description=_("Test"), ordering="quiz__lesson__title")
    def test(self, section: Section) -> SafeString:
        return link(reverse("admin:assessments_quiz_change", args=(section.quiz_id,)), section.quiz.lesson.title)

    def save_model(self, request: HttpRequest, obj: Section, form: Any, change: bool) -> None:
        quizzes.save_section(section=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        section = form.instance
        with telling(request):
            save_ordered(
                formset,
                lambda pick: quizzes.save_pick(pick=pick),
                lambda ids: quizzes.reorder_picks(section=section, pick_ids=ids),
                section.picks,
                lambda pick: quizzes.delete_pick(pick=pick),
            )

    @action(description=_("Add many"), icon="playlist_add", url_path="add-many", permissions=("change",))
    def add_many(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET finds ready questions that the test has not, POST puts the ticked ones at the end."""
        section = self.object_or_404(request, object_id)
        offered = offered_items(section)
        form = AddItemsForm(request.POST or None, offered=offered)
        if request.method == "POST" and form.is_valid():
            with telling(request):
                items, points = form.cleaned_data["items"], form.cleaned_data["points"]
                number = quizzes.add_items(section=section, items=list(items), points=points)
                words = ngettext("%(n)d question is added.", "%(n)d questions are added.", number)
                messages.success(request, words % {"n": number})
            return HttpResponseRedirect(reverse("admin:assessments_section_change", args=(section.pk,)))
        search = request.GET.get("q", "").replace("\x00", "")[:LONGEST_SEARCH].strip()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add questions"),
            "opts": self.opts,
            "section": section,
            "form": form,
            "search": search,
            "page": Paginator(found_items(offered, search), PER_PAGE).get_page(request.GET.get("page")),
        }
        return TemplateResponse(request, "admin/assessments/section/add_many.html", context)

    @action(description=_("Back to the test"), icon="arrow_back", permissions=("view",))
    def back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        section = self.object_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:assessments_quiz_change", args=(section.quiz_id,)))
