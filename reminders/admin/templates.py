"""Words of messages in the office: sets of them, and one editor with a look at every channel beside it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.enums import STAFF_ROLES
from accounts.rules import person_of
from core.clock import now
from core.languages import is_known, own_name
from core.limits import hit
from core.time import when
from courses.admin.base import allowed_programmes
from courses.models import Programme
from reminders.admin.template_editor import Editor, place_in, place_of
from reminders.domain.builtin_words import built_in_set
from reminders.domain.previewing import Place
from reminders.domain.templates import TemplateError, copy_set, library
from reminders.domain.testing import TestError, send_test
from reminders.enums import Channel, Kind
from reminders.forms.templates import CopyForm
from reminders.models import MessageTemplate, TemplateSet
from reminders.rendering.builtin import WRITTEN
from reminders.rendering.placeholders import allowed, fill, samples

LOOKS = (60, 60)  # a minute and person: one for each pause of somebody who types without end
TESTS = (20, 3_600)
FOLDER = "admin/reminders"


@admin.register(TemplateSet)
class TemplateSetAdmin(ModelAdmin):
    """Sets belong to no programme: operators of all programmes write them, everybody in the office reads them."""

    list_display = ("title", "origin", "languages", "programmes")
    search_fields = ("title",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        codes = ArrayAgg("templates__language", filter=Q(templates__is_current=True), distinct=True, default=[])
        rows: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = rows.annotate(used_by=Count("policies", distinct=True), codes=codes)
        return annotated

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        built_in_set()
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A set begins as a copy: one without words could send nothing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Where from"), label={"own": "info", "built-in": "default"})
    def origin(self, row: TemplateSet) -> tuple[str, str]:
        return ("built-in", str(_("Comes with the product"))) if row.is_builtin else ("own", str(_("Your own")))

    @display(description=_("Languages"))
    def languages(self, row: Any) -> str:
        return ", ".join(_name_of(code) for code in sorted(row.codes))

    @display(description=_("Programmes that use it"), ordering="used_by")
    def programmes(self, row: Any) -> int:
        return int(row.used_by)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if object_id is None:
            raise PermissionDenied
        template_set = self.get_object(request, object_id)
        if template_set is None:
            raise Http404
        if not self.has_view_permission(request, template_set):
            raise PermissionDenied
        form = CopyForm(request.POST or None)
        if request.method == "POST":
            if not self.has_change_permission(request, template_set):
                raise PermissionDenied
            if form.is_valid() and (made := self._copied(request, template_set, form)):
                messages.success(request, _("The copy is yours to change."))
                return HttpResponseRedirect(reverse("admin:reminders_templateset_change", args=[made.pk]))
        return self._page(request, template_set, form)

    def _copied(self, request: HttpRequest, template_set: TemplateSet, form: CopyForm) -> TemplateSet | None:
        title = form.cleaned_data["title"]
        try:
            return copy_set(
                template_set=template_set, title=title, actor=person_of(request), request=request, now=now()
            )
        except TemplateError as error:
            for field, told in error.problems:
                form.add_error(field, told)
            return None

    def _page(self, request: HttpRequest, template_set: TemplateSet, form: CopyForm) -> HttpResponse:
        rows = library([template_set.pk]).rows
        codes = sorted({code for *_place, code in rows} | {code for code, _label in settings.LANGUAGES})
        language = request.GET.get("language", "")
        if language not in codes:
            language = settings.LANGUAGE_CODE

        def cell(kind: Kind, channel: Channel) -> _Cell:
            row = rows.get((template_set.pk, kind, channel, language))
            return _cell(row, kind, channel, template_set=template_set, language=language)

        table = [(kind.label, [cell(kind, channel) for channel in Channel]) for kind in WRITTEN]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": template_set.title,
            "back": reverse("admin:reminders_templateset_changelist"),
            "template_set": template_set,
            "channels": Channel.labels,
            "table": table,
            "languages": [(code, _name_of(code)) for code in codes],
            "language": language,
            "form": form,
            "may_change": self.has_change_permission(request, template_set),
        }
        return TemplateResponse(request, f"{FOLDER}/templateset/set.html", context)


@dataclass(frozen=True, slots=True)
class _Cell:
    label: str
    address: str
    text: str


def _cell(
    row: MessageTemplate | None, kind: str, channel: Channel, *, template_set: TemplateSet, language: str
) -> _Cell:
    if row is not None:
        address = reverse("admin:reminders_messagetemplate_change", args=[row.pk])
        return _Cell(str(channel.label), address, fill(row.subject or row.body, samples(kind)))
    if template_set.is_builtin:
        return _Cell(str(channel.label), "", "")
    place = {"set": template_set.pk, "kind": kind, "channel": channel.value, "language": language}
    return _Cell(str(channel.label), f"{reverse('admin:reminders_messagetemplate_add')}?{urlencode(place)}", "")


def _name_of(code: str) -> str:
    return own_name(code) if is_known(code) else code


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ModelAdmin):
    """The list finds words; the editor is the page of one channel, with all channels beside it."""

    list_display = ("kind", "channel", "language", "template_set", "said", "used")
    list_filter = ("template_set", "kind", "channel", "language")
    list_filter_submit = True
    list_select_related = ("template_set",)
    search_fields = ("subject", "body", "approved_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(is_current=True).select_related("template_set")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.look))
        return [path("look/", view, name="reminders_template_look"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Words"))
    def said(self, row: MessageTemplate) -> str:
        return row.subject or row.body[:80]

    @display(description=_("First used"), ordering="used_at")
    def used(self, row: MessageTemplate) -> str:
        return when(row.used_at)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        row = self._row(request, object_id)
        editor = self._editor(request, row, place_of(row) if row else place_in(request.GET))
        if request.method != "POST":
            editor.look()
            return self._page(request, editor)
        if "_look" in request.POST:
            editor.look()
            return self._page(request, editor)
        is_test = "_test" in request.POST
        if not editor.may_save:
            if not is_test or row is None:
                raise PermissionDenied
            return self._tested(request, editor, row)
        saved = editor.saved()
        if saved is None:
            return self._page(request, editor)
        messages.success(request, _("Saved. Messages from now on say it like this."))
        return self._tested(request, editor, saved) if is_test else _editor_of(saved)

    def _row(self, request: HttpRequest, object_id: str | None) -> MessageTemplate | None:
        if object_id is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return None
        row: MessageTemplate | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def _editor(self, request: HttpRequest, row: MessageTemplate | None, place: Place) -> Editor:
        may_save = self.has_change_permission(request) and not place.template_set.is_builtin
        return Editor(request, row=row, place=place, may_save=may_save)

    def _tested(self, request: HttpRequest, editor: Editor, row: MessageTemplate) -> HttpResponse:
        """To the author, in the words as they are saved."""
        if editor.doctor_form.errors:
            return self._page(request, editor)
        person = person_of(request)
        limit, seconds = TESTS
        programme = editor.programme or _any_programme(request)
        if not hit(f"reminders:test:{person.pk}", limit=limit, window_seconds=seconds):
            messages.error(request, _("These were many tests in an hour. Please wait a little."))
        elif programme is None:
            messages.error(request, _("A test belongs to a programme, and there is none yet."))
        else:
            try:
                send_test(
                    template=row, programme=programme, doctor=editor.doctor, actor=person, request=request, now=now()
                )
                messages.success(request, _("On its way to you. Its link opens the page, and signs nobody in."))
            except TestError as error:
                messages.error(request, str(error))
        return _editor_of(row)

    def look(self, request: HttpRequest) -> HttpResponse:
        """What stands in the form, in every channel, or what is wrong with it. Nothing is kept."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        limit, seconds = LOOKS
        decision = hit(f"reminders:look:{person_of(request).pk}", limit=limit, window_seconds=seconds)
        if not decision:
            return HttpResponse(status=429, headers={"Retry-After": str(decision.retry_after_seconds)})
        editor = self._editor(request, None, place_in(request.POST))
        editor.look()
        return TemplateResponse(request, f"{FOLDER}/messagetemplate/_look.html", editor.context())

    def _page(self, request: HttpRequest, editor: Editor) -> HttpResponse:
        place = editor.place
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{Kind(place.kind).label} · {Channel(place.channel).label}",
            "back": f"{reverse('admin:reminders_templateset_change', args=[place.template_set.pk])}"
            f"?language={place.language}",
            "may_save": editor.may_save,
            "placeholders": list(allowed(place.kind).values()),
            "row": editor.row,
            "siblings": _siblings(place),
            "language_name": _name_of(place.language),
            **editor.context(),
        }
        return TemplateResponse(request, f"{FOLDER}/messagetemplate/form.html", context)


def _siblings(place: Place) -> list[tuple[str, str, bool]]:
    """(channel, address, whether it is this one): the same message by the other ways."""
    rows = MessageTemplate.objects.filter(
        Q(template_set=place.template_set, kind=place.kind, language=place.language), is_current=True
    )
    ids = {row.channel: row.pk for row in rows}
    return [
        (
            str(channel.label),
            reverse("admin:reminders_messagetemplate_change", args=[ids[channel]]) if channel in ids else "",
            channel == place.channel,
        )
        for channel in Channel
    ]


def _editor_of(row: MessageTemplate) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:reminders_messagetemplate_change", args=[row.pk]))


def _any_programme(request: HttpRequest) -> Programme | None:
    ids = allowed_programmes(request, frozenset(STAFF_ROLES))
    found: Programme | None = (
        Programme.objects.filter(pk__in=ids).select_related("message_policy").order_by("-created_at").first()
    )
    return found
