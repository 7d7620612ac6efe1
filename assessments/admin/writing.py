"""Writing a question in the office: one page for every kind, beside it what doctors will see and how it is marked."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from accounts.rules import person_of
from assessments.domain.authoring import AuthoringError, NewerError, Saved
from assessments.domain.item_preview import draft_line, review_of_right, try_answers
from assessments.domain.keys import stand_of
from assessments.domain.writing import order_parts, papers_with, write_question
from assessments.enums import ItemKind
from assessments.forms.writing import form_of
from assessments.forms.writing.differences import differences
from assessments.forms.writing.editor import Editor
from assessments.items import type_of
from assessments.items.base import ItemError
from assessments.models import Bank, Item, ItemVersion

MOST_VERSIONS = 30
DESCRIPTIONS: dict[str, Any] = {
    ItemKind.SINGLE: gettext_lazy("One of several answers is the best."),
    ItemKind.MULTIPLE: gettext_lazy("Several answers may be right."),
    ItemKind.TRUE_FALSE: gettext_lazy("A statement is true or false."),
    ItemKind.MATCHING: gettext_lazy("Several cases, one long list to choose from."),
    ItemKind.ORDERING: gettext_lazy("Steps are put in their order."),
    ItemKind.NUMERIC: gettext_lazy("A number with tolerance, and a unit where it needs one."),
    ItemKind.SHORT: gettext_lazy("A word or a few, compared with accepted answers."),
    ItemKind.ESSAY: gettext_lazy("Free text that a person marks by a rubric."),
    ItemKind.HOTSPOT: gettext_lazy("A place in a picture is chosen."),
    ItemKind.VIGNETTE: gettext_lazy("A story with several questions of other kinds."),
}


def start_view(admin: ModelAdmin, request: HttpRequest, banks: Any, chosen: Bank | None) -> HttpResponse:
    """Which kind, and in which bank."""
    context = _context(admin, request, _("New question"))
    context |= {"banks": banks, "bank": chosen, "kinds": [(one, one.label, DESCRIPTIONS[one]) for one in ItemKind]}
    return TemplateResponse(request, "admin/assessments/item/start.html", context)


def write_view(
    admin: ModelAdmin,
    request: HttpRequest,
    *,
    bank: Bank,
    kind: str,
    item: Item | None = None,
    vignette: Item | None = None,
) -> HttpResponse:
    if item is not None and request.POST.get("do") == "order":
        return _order(request, item)
    adds = request.POST.get("adds", "")
    sent = (request.POST, request.FILES) if request.method == "POST" else None
    editor = Editor(bank=bank, kind=kind, item=item, vignette=vignette, sent=sent, adds=adds)
    newer: dict[str, Any] = {}
    if sent and not adds and editor.is_valid():
        try:
            saved = write_question(
                bank=bank,
                content=editor.content(),
                filing=editor.filing(),
                item=item,
                vignette=vignette,
                stand=editor.stand if item else None,
                makes_ready=request.POST.get("do") == "ready",
                actor=person_of(request),
                now=now(),
            )
        except ItemError as problem:
            editor.tell(problem)
        except NewerError:
            newer = _newer(editor, item)
        except AuthoringError as problem:
            editor.tell(ItemError(str(problem), field="name"))
        else:
            return _after(admin, request, saved)
    return _page(admin, request, editor, newer)


def _order(request: HttpRequest, vignette: Item) -> HttpResponse:
    """By the numbers beside the questions; equal ones stay as they are."""
    parts = list(vignette.parts.order_by("position").values_list("pk", flat=True))
    texts = {pk: request.POST.get(f"place-{pk}", "") for pk in parts}
    places = {
        pk: int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 999 for pk, text in texts.items()
    }
    if order_parts(vignette=vignette, part_ids=sorted(parts, key=lambda pk: places[pk])):
        messages.success(request, _("The questions have their new order."))
    return HttpResponseRedirect(reverse("admin:assessments_item_write", args=(vignette.pk,)) + "#heading-parts")


def _after(admin: ModelAdmin, request: HttpRequest, saved: Saved) -> HttpResponse:
    item = saved.item
    version = item.version.number if item.version else 0
    if saved.is_new:
        admin.log_addition(request, item, [{"added": {}}])
        messages.success(request, _("Saved as a draft.") if item.state == "draft" else _("Saved, and ready."))
    elif saved.has_new_version:
        admin.log_change(request, item, _("Version %(number)d") % {"number": version})
        messages.success(request, _("Saved as version %(number)d.") % {"number": version})
    elif saved.is_changed:
        admin.log_change(request, item, _("Filed otherwise"))
        messages.success(request, _("Saved. What it says has not changed."))
    else:
        messages.success(request, _("Nothing was changed."))
    return HttpResponseRedirect(reverse("admin:assessments_item_write", args=(item.pk,)))


def _newer(editor: Editor, item: Item | None) -> dict[str, Any]:
    """The form goes on from what stands now: who saves once more has seen it."""
    current = Item.objects.select_related("version__made_by", "version__watch_lesson").get(pk=item.pk if item else 0)
    version = current.version
    if version is None or editor.base is None:
        return {}
    editor.stand = stand_of(version)
    changes = differences(kind=current.kind, old=editor.base, new=version)
    return {"newer": version, "newer_changes": changes}


def _page(admin: ModelAdmin, request: HttpRequest, editor: Editor, newer: dict[str, Any]) -> HttpResponse:
    item, kind = editor.item, editor.kind.kind
    vignette = editor.vignette or (item.vignette if item else None)
    context = _context(admin, request, item.name if item else _("New question"))
    look = {"bank_id": editor.bank.pk, "kind": kind}
    context |= {
        "editor": editor,
        "item": item,
        "vignette": vignette,
        "kind_label": ItemKind(kind).label,
        "kind_help": DESCRIPTIONS[kind],
        "papers": papers_with(item) if item else 0,
        "parts": item.parts.order_by("position") if item and kind == ItemKind.VIGNETTE else (),
        "part_kinds": [(one, one.label) for one in ItemKind if one != ItemKind.VIGNETTE],
        "look": reverse("admin:assessments_item_look", kwargs=look),
        "has_errors": editor.has_errors,
        **newer,
    }
    return TemplateResponse(request, "admin/assessments/item/write.html", context)


def look_view(request: HttpRequest, *, bank: Bank, kind: str, item: Item | None, vignette: Item | None) -> HttpResponse:
    """What is in the form, as doctors will see it; nothing of it is saved but pictures. Into a frame."""
    editor = Editor(bank=bank, kind=kind, item=item, vignette=vignette, sent=(request.POST, request.FILES))
    written, form = editor.written(), form_of(kind)
    story = vignette or (item.vignette if item else None)
    context: dict[str, Any] = {"problem": "", "tried": (), "review": None, "lines": (), "kind": kind}
    context["stored"] = {f"{row.prefix}-image": row.picture for row in editor.picture_rows()}
    shown, key = written.shown, written.key
    try:
        shown, key = type_of(kind).clean(shown=shown, key=key)
    except ItemError as problem:
        context["problem"] = str(problem)
    else:
        answers = [(one.label, one.value) for one in form.tries(shown=shown, key=key)]
        context |= _marked(kind, written.stem, shown, key, answers)
    if form.can_be_shown(shown):
        version = story.version if story else None
        context["lines"] = [draft_line(kind=kind, stem=written.stem, shown=shown, story=version), *_parts(kind, item)]
    return render(request, "admin/assessments/item/look.html", context)


def _marked(kind: str, stem: str, shown: Any, key: Any, answers: Any) -> dict[str, Any]:
    right = next((type_of(kind).clean_answer(shown=shown, raw=raw) for _label, raw in answers), None)
    return {
        "tried": try_answers(kind=kind, shown=shown, key=key, answers=answers),
        "review": review_of_right(kind=kind, stem=stem, shown=shown, key=key, value=right),
    }


def _parts(kind: str, item: Item | None) -> list[Any]:
    """The saved questions of a vignette, as they follow its story."""
    if kind != ItemKind.VIGNETTE or item is None:
        return []
    parts = item.parts.filter(version__isnull=False).select_related("version").order_by("position")
    return [
        draft_line(kind=part.kind, stem=part.version.stem, shown=part.version.shown, position=number)
        for number, part in enumerate(parts, 1)
        if part.version
    ]


def versions_view(admin: ModelAdmin, request: HttpRequest, item: Item) -> HttpResponse:
    """The newest first, each with what it says otherwise than the one before."""
    versions = item.versions.select_related("made_by", "watch_lesson").prefetch_related("revisions")
    newest = list(versions.order_by("-number")[: MOST_VERSIONS + 1])
    before: list[ItemVersion | None] = [*newest[1:], None]
    listed = [
        (one, differences(kind=item.kind, old=old, new=one) if old else None)
        for one, old in zip(newest, before, strict=True)
    ][:MOST_VERSIONS]
    context = _context(admin, request, _("Versions of “%(name)s”") % {"name": item.name})
    context |= {"item": item, "listed": listed, "papers": papers_with(item)}
    return TemplateResponse(request, "admin/assessments/item/versions.html", context)


def kind_or_404(text: str) -> str:
    if text not in ItemKind.values:
        raise Http404
    return text


def _context(admin: ModelAdmin, request: HttpRequest, title: str) -> dict[str, Any]:
    return {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts}
