"""Correcting the key of a question: what is right, why, whom it would change, and what has been corrected so far."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain import audit
from accounts.rules import person_of
from assessments.domain.images import pictures_of
from assessments.domain.key_trail import (
    Effect,
    attempts_of,
    changed_results,
    corrections_of,
    papers_of,
    remarking_of,
    right_of,
)
from assessments.domain.keys import current_key, last_revision
from assessments.domain.remarking import (
    ChangedMeanwhileError,
    CorrectionError,
    Preview,
    correct_key,
    preview_correction,
)
from assessments.forms.keys import KeyForm, Wanted
from assessments.items.correcting import correcting_of
from assessments.models import Item, ItemVersion
from core.clock import now

PER_PAGE = 50
REFRESH_SECONDS = 5


class KeyPages:
    """For the admin of questions."""

    def get_urls(self: Any) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        key = require_http_methods(["GET", "HEAD", "POST"])(self.correct)
        return [
            path("<path:object_id>/key/", wrap(key), name="assessments_item_key"),
            path("<path:object_id>/corrections/", wrap(require_safe(self.trail)), name="assessments_item_corrections"),
            *super().get_urls(),  # type: ignore[misc]  # of the admin it is mixed into
        ]

    def correct(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        item = self.object_or_404(request, object_id)
        if not self.has_change_permission(request, item):
            raise PermissionDenied
        return key_view(self, request, item)

    def trail(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        item = self.object_or_404(request, object_id)
        if not self.has_view_permission(request, item):
            raise PermissionDenied
        return trail_view(self, request, item)


def key_view(admin: Any, request: HttpRequest, item: Item) -> HttpResponse:
    """`do` of a form: preview, confirm, or edit it once more; `page` of the preview's list."""
    version = _version(item, request.GET.get("version", ""))
    correcting = correcting_of(item.kind)
    if correcting is None:
        raise Http404
    last = last_revision(version)
    form = KeyForm(
        version=version,
        key=current_key(version),
        gives_everybody=last is not None and last.gives_everybody,
        correcting=correcting,
        data=request.POST if request.method == "POST" else None,
    )
    do = request.POST.get("do", "preview")
    wanted = form.wanted() if do != "edit" and form.is_bound and form.is_valid() else None
    if wanted is None:
        return _page(admin, request, item, "key.html", _form_context(form))
    try:
        if do == "confirm":
            return _confirm(request, item, version, wanted)
        return _preview(admin, request, item, form, wanted)
    except ChangedMeanwhileError as changed:
        messages.warning(request, f"{changed.message} {_('Please look at it once more.')}")
        return _preview(admin, request, item, form, wanted)
    except CorrectionError as refused:
        messages.error(request, str(refused.message))
        return _page(admin, request, item, "key.html", _form_context(form))


def trail_view(admin: Any, request: HttpRequest, item: Item) -> HttpResponse:
    """With `correction` the results that it changed, by name: that is looked at only where it is recorded."""
    remarking = remarking_of(item=item)
    corrections = corrections_of(item=item)
    context: dict[str, Any] = {"corrections": corrections, "remarking": remarking, "refresh_seconds": 0}
    if not remarking.is_over:
        context["refresh_seconds"] = REFRESH_SECONDS
    chosen = request.GET.get("correction")
    if chosen is not None:
        one = next((one for one in corrections if str(one.revision.pk) == chosen), None)
        if one is None:
            raise Http404
        page = Paginator(changed_results(revision=one.revision), PER_PAGE).get_page(request.GET.get("page"))
        _record_look(request, item, correction=one.revision.number)
        context |= {"chosen": one, "page": page, "refresh_seconds": 0}
    return _page(admin, request, item, "corrections.html", context)


def _preview(admin: Any, request: HttpRequest, item: Item, form: KeyForm, wanted: Wanted) -> HttpResponse:
    version = form.version
    preview = preview_correction(version=version, key=wanted.key, gives_everybody=wanted.gives_everybody)
    _record_look(request, item, correction=None)
    page = Paginator(preview.changes, PER_PAGE).get_page(request.POST.get("page"))
    context = {
        "form": form,
        "version": version,
        "preview": preview,
        "page": page,
        "effects": effects_of(preview, page),
        "wanted": wanted,
        "before": right_of(item.kind, version, current_key(version)),
        "after": right_of(item.kind, version, wanted.key),
    }
    return _page(admin, request, item, "key_preview.html", context)


def _confirm(request: HttpRequest, item: Item, version: ItemVersion, wanted: Wanted) -> HttpResponse:
    """Raises CorrectionError."""
    correct_key(
        version=version,
        key=wanted.key,
        gives_everybody=wanted.gives_everybody,
        reason=wanted.reason,
        actor=person_of(request),
        stamp=request.POST.get("stamp", ""),
        request=request,
        now=now(),
    )
    messages.success(request, _("The key is corrected. Everybody who had this question is being marked again."))
    return HttpResponseRedirect(reverse("admin:assessments_item_corrections", args=(item.pk,)))


def effects_of(preview: Preview, page: Any) -> list[Effect]:
    attempts = attempts_of([change.attempt_id for change in page])
    return [
        Effect(attempts[one.attempt_id], one.score_before, one.score_after, one.was_passed, one.is_passed)
        for one in page
        if one.attempt_id in attempts
    ]


def _version(item: Item, number: str) -> ItemVersion:
    """The one of that number, otherwise the newest."""
    versions = item.versions.select_related("item").prefetch_related("revisions")
    if number:
        versions = versions.filter(number=int(number) if number.isdecimal() and len(number) < 5 else -1)
    found = versions.order_by("-number").first()
    if found is None:
        raise Http404
    return found


def _form_context(form: KeyForm) -> dict[str, Any]:
    version = form.version
    numbers = [version.shown[name] for name in ("image",) if name in version.shown]
    return {
        "form": form,
        "version": version,
        "papers": papers_of(version=version),
        "remarking": remarking_of(item=version.item),
        "others": version.item.versions.exclude(pk=version.pk).order_by("-number"),
        "pictures": pictures_of([*numbers, *version.shown.get("images", ())]),
    }


def _record_look(request: HttpRequest, item: Item, *, correction: int | None) -> None:
    """It shows results by name."""
    details = {"correction": correction}
    audit.record("key.previewed", actor=person_of(request), subject=item, request=request, details=details, now=now())


def _page(admin: Any, request: HttpRequest, item: Item, name: str, context: dict[str, Any]) -> HttpResponse:
    titles = {"corrections.html": _("Corrections of “%(name)s”"), "key_preview.html": _("Who would change")}
    title = titles.get(name, _("Correct the key of “%(name)s”")) % {"name": item.name}
    shared = {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts, "item": item}
    return TemplateResponse(request, f"admin/assessments/item/{name}", {**shared, **context})
