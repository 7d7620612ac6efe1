"""Question banks, curricula and questions. What a question says is shown here, and written on a page of its own."""

from typing import Any, ClassVar
from urllib.parse import parse_qs

from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from assessments.admin.files import export_view, import_view
from assessments.admin.keys import KeyPages
from assessments.admin.writing import kind_or_404, look_view, start_view, versions_view, write_view
from assessments.domain.authoring import AuthoringError, set_state
from assessments.domain.images import pictures_of
from assessments.domain.keys import current_key
from assessments.enums import ItemKind, ItemState
from assessments.items import type_of
from assessments.models import Bank, Board, BoardTopic, Item
from assessments.models.bank import ItemTopic
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.admin.people import ProgrammeFilter

LARGEST = 2**63 - 1
STATES = {ItemState.DRAFT: "warning", ItemState.READY: "success", ItemState.RETIRED: "default"}
MOST_TAGS = 60


class NamedFields(TabularInline):
    """A heading above a column is no name for who cannot see the table."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(field.label)
        return field


class TopicInline(NamedFields):
    model = BoardTopic
    fields = ("code", "title")
    extra = 0


@admin.register(Board)
class BoardAdmin(ModelAdmin):
    """Curricula belong to no programme: operators of all programmes write them, everybody maps questions to them."""

    list_display = ("title", "topic_number")
    search_fields = ("title", "topics__title", "topics__code")
    inlines = (TopicInline,)
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(topic_count=Count("topics"))

    @display(description=_("Topics"), ordering="topic_count")
    def topic_number(self, board: Any) -> int:
        return int(board.topic_count)


@admin.register(Bank)
class BankAdmin(ScopedAdmin):
    list_display = ("title", "programme", "shown_items", "created_at")
    list_filter = (("programme", ProgrammeFilter),)
    list_select_related = ("programme",)
    search_fields = ("title",)
    fields = ("programme", "title")
    actions_detail = ("import_items", "export_items")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        items = Item.objects.filter(bank=OuterRef("pk")).order_by().values("bank").annotate(n=Count("pk"))
        ready = items.filter(state=ItemState.READY)
        numbers = {"item_count": Coalesce(Subquery(items.values("n")), 0)}
        return super().get_queryset(request).annotate(**numbers, ready_count=Coalesce(Subquery(ready.values("n")), 0))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A bank does not move: its questions are on papers of its programme."""
        return ("programme",) if obj else ()

    @display(description=_("Questions"), ordering="item_count")
    def shown_items(self, bank: Any) -> SafeString:
        address = f"{reverse('admin:assessments_item_changelist')}?bank__id__exact={bank.pk}"
        ready = ngettext("%(n)d ready", "%(n)d ready", bank.ready_count) % {"n": bank.ready_count}
        return format_html('<a href="{}">{}</a> · {}', address, bank.item_count, ready)

    @action(description=_("Import"), icon="upload_file", url_path="import", permissions=("change",))
    def import_items(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return import_view(self, request, self.object_or_404(request, object_id))

    @action(description=_("Export"), icon="download", url_path="export", permissions=("change",))
    def export_items(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return export_view(self, request, self.object_or_404(request, object_id))


class TagFilter(admin.SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tags that are used most; others are found by the search."""
        rows = model_admin.get_queryset(request).exclude(tags=[]).values_list("tags", flat=True)
        counted: dict[str, int] = {}
        for tags in rows.iterator():
            for tag in tags:
                counted[tag] = counted.get(tag, 0) + 1
        most = sorted(counted, key=lambda tag: (-counted[tag], tag))[:MOST_TAGS]
        return [(tag, f"{tag} ({counted[tag]})") for tag in most]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset


class TopicRow(NamedFields):
    model = ItemTopic
    fields = ("topic",)
    extra = 0
    verbose_name = _("topic of a curriculum")
    verbose_name_plural = _("topics of curricula")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("topic")


@admin.register(Item)
class ItemAdmin(KeyPages, ScopedAdmin):
    programme_path = "bank__programme"
    list_display = ("name", "bank", "kind", "shown_state", "difficulty", "shown_tags", "part_of", "updated_at")
    list_filter = (
        ("bank", admin.RelatedOnlyFieldListFilter),
        "kind",
        "state",
        "difficulty",
        TagFilter,
        ("topics", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("bank", "vignette")
    list_per_page = 50
    search_fields = ("name", "version__stem", "tags")
    readonly_fields = ("name", "bank", "kind", "state_text", "part_of", "content", "versions")
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        **ScopedAdmin.formfield_overrides,
        ArrayField: {"widget": UnfoldAdminTextInputWidget(), "help_text": _("With commas between.")},
    }
    fieldsets = (
        (None, {"fields": ("name", "bank", "kind", "state_text", "part_of", "content", "versions")}),
        (_("Filed under"), {"fields": ("tags", "difficulty", "exposure_percent"), "classes": ("tab",)}),
    )
    inlines = (TopicRow,)
    actions = ("make_ready", "make_draft", "retire")
    actions_detail = ("write", "versions_page")

    def get_urls(self) -> list[URLPattern]:
        look = self.admin_site.admin_view(xframe_options_sameorigin(require_POST(self.look)))
        return [path("look/<int:bank_id>/<str:kind>/", look, name="assessments_item_look"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What somebody has seen stays: a question is retired."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The field that chooses a question for a test says of which programme; never more than this person sees."""
        programme = request.GET.get("programme", "")
        if request.GET.get("model_name") == "pick" and programme.isdecimal() and len(programme) < 18:
            queryset = queryset.filter(bank__programme=int(programme)).exclude(state=ItemState.RETIRED)
        return super().get_search_results(request, queryset, search_term)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """`?vignette=` makes a question of it; without a `kind` one is asked for it, and for the bank."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        vignette = self._vignette(request, request.GET.get("vignette", ""))
        bank = vignette.bank if vignette else self._banks(request).filter(pk=_chosen_bank(request)).first()
        if bank is None or "kind" not in request.GET:
            return start_view(self, request, self._banks(request), bank)
        kind = kind_or_404(request.GET["kind"])
        return write_view(self, request, bank=bank, kind=kind, vignette=vignette)

    @action(description=_("Edit"), icon="edit", url_path="write", permissions=("change",))
    def write(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item = self.object_or_404(request, object_id)
        return write_view(self, request, bank=item.bank, kind=item.kind, item=item)

    @action(description=_("Versions"), icon="history", url_path="versions", permissions=("view",))
    def versions_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return versions_view(self, request, self.object_or_404(request, object_id))

    def look(self, request: HttpRequest, bank_id: int, kind: str) -> HttpResponse:
        """Writes nothing but pictures into a bank that one may write into."""
        bank = self._banks(request).filter(pk=_number(str(bank_id))).first()
        if bank is None or not self.has_change_permission(request):
            raise Http404
        item = self.get_queryset(request).filter(pk=_number(request.POST.get("item")), bank=bank, kind=kind).first()
        vignette = self._vignette(request, request.POST.get("vignette", ""))
        return look_view(request, bank=bank, kind=kind_or_404(kind), item=item, vignette=vignette)

    def _banks(self, request: HttpRequest) -> QuerySet[Bank]:
        return Bank.objects.filter(programme__in=allowed_programmes(request, self.roles)).select_related("programme")

    def _vignette(self, request: HttpRequest, pk: str) -> Item | None:
        if not pk:
            return None
        found = self.get_queryset(request).filter(pk=_number(pk), kind=ItemKind.VIGNETTE)
        return get_object_or_404(found.select_related("bank", "version"))

    @display(description=_("State"), ordering="state", label=STATES)
    def shown_state(self, item: Item) -> tuple[str, str]:
        return item.state, item.get_state_display()

    @display(description=_("State"))
    def state_text(self, item: Item) -> str:
        return item.get_state_display()

    @display(description=_("Tags"))
    def shown_tags(self, item: Item) -> str:
        return ", ".join(item.tags)

    @display(description=_("Vignette"), ordering="vignette__name")
    def part_of(self, item: Item) -> str:
        return item.vignette.name if item.vignette else "–"

    @display(description=_("What it says"))
    def content(self, item: Item) -> str:
        """With the key as it counts today. Every text of it was sanitised when it was saved."""
        version = item.version
        if version is None:
            return str(_("It has no text yet."))
        kind, key = type_of(item.kind), current_key(version)
        numbers = [version.shown[name] for name in ("image",) if name in version.shown]
        context = {
            "stem": version.stem,
            "rows": kind.rows(shown=version.shown, key=key, value=None),
            "rationale": key.get("rationale", ""),
            "references": key.get("references", ()),
            "pictures": pictures_of([*numbers, *version.shown.get("images", ())]),
            "parts": item.parts.order_by("position").values_list("name", flat=True),
            "corrected": item if item.kind != ItemKind.VIGNETTE else None,
        }
        return render_to_string("admin/assessments/item/_content.html", context)

    @display(description=_("Versions"))
    def versions(self, item: Item) -> str:
        return str(item.versions.count())

    @action(description=_("Make ready"))
    def make_ready(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._set(request, queryset, ItemState.READY)

    @action(description=_("Back to draft"))
    def make_draft(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._set(request, queryset, ItemState.DRAFT)

    @action(description=_("Retire"))
    def retire(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._set(request, queryset, ItemState.RETIRED)

    def _set(self, request: HttpRequest, queryset: QuerySet[Item], state: ItemState) -> None:
        done = 0
        for item in queryset.filter(bank__programme__in=allowed_programmes(request, self.roles)):
            try:
                set_state(item=item, state=state)
                done += 1
            except AuthoringError as refused:
                messages.error(request, str(refused))
        if done:
            text = ngettext("%(n)d question: %(state)s.", "%(n)d questions: %(state)s.", done)
            messages.success(request, text % {"n": done, "state": state.label})


def _chosen_bank(request: HttpRequest) -> int:
    """Who comes from a list of one bank's questions writes into that one."""
    filters = parse_qs(request.GET.get("_changelist_filters", "")[:2_000])
    return _number(request.GET.get("bank") or filters.get("bank__id__exact", [""])[0])


def _number(text: str | None) -> int:
    """0 is nobody's."""
    number = int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if number <= LARGEST else 0
