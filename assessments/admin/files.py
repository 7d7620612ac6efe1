"""Questions as files: choose one, look at what it would do row by row, confirm; and the way out."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import slugify
from django.utils.timezone import now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from accounts.models import User
from accounts.rules import person_of
from assessments.domain.bank_files import ImportReport, drafts_of, export_bank, exported_items, import_bank
from assessments.domain.formats import FORMATS, Format, FormatError, Reading, guess
from assessments.domain.pending_files import MOST_BYTES, forget_file, keep_file, kept_file
from assessments.models import Bank

SHOWN = 200
"""Lines of each list on the page; the numbers are always of all."""
MOST_AT_ONCE = 1_000
"""Questions that fit into one request. More are for `manage.py import_items`."""
ITSELF = ("", _("told by the file itself"))


class ImportForm(forms.Form):
    file = forms.FileField(label=_("File"), widget=UnfoldAdminFileFieldWidget())
    format = forms.ChoiceField(label=_("Format"), required=False, widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["format"]
        choice.choices = [ITSELF, *((one.name, one.title) for one in FORMATS.values())]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            most = MOST_BYTES // 1_000_000
            raise ValidationError(gettext("Files of more than %(most)d MB are for the operator.") % {"most": most})
        return file


def import_view(admin: ModelAdmin, request: HttpRequest, bank: Bank) -> HttpResponse:
    user = person_of(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "title": _("Import questions into “%(bank)s”") % {"bank": bank},
        "opts": admin.opts,
        "bank": bank,
        "form": form,
        "shown": SHOWN,
    }
    if request.method == "POST" and "token" in request.POST:
        return _confirm(request, bank, user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        data = file.read()
        chosen = form.cleaned_data["format"] or guess(file.name, data).name
        try:
            report = _run(request, bank, FORMATS[chosen], data, user, dry_run=True)
        except FormatError as refused:
            form.add_error("file", str(refused))
        else:
            token = keep_file(bank=bank, user=user, name=chosen, data=data)
            context |= {"report": report, "token": token, "file_name": file.name, "format": FORMATS[chosen]}
    return TemplateResponse(request, "admin/assessments/bank/import.html", context)


def _confirm(request: HttpRequest, bank: Bank, user: User) -> HttpResponse:
    here = HttpResponseRedirect(reverse("admin:assessments_bank_import_items", args=(bank.pk,)))
    token = request.POST["token"]
    kept = kept_file(bank=bank, user=user, token=token)
    if kept is None:
        messages.error(request, _("The file is not kept any longer. Choose it again."))
        return here
    name, data = kept
    try:
        report = _run(request, bank, FORMATS[name], data, user, dry_run=False)
    except FormatError as refused:
        messages.error(request, str(refused))
        return here
    forget_file(bank=bank, user=user, token=token)
    text = _("New: %(new)d, changed: %(changed)d, the same: %(same)d, left out: %(bad)d.")
    numbers = {"new": len(report.created), "changed": len(report.changed), "same": len(report.unchanged)}
    messages.success(request, text % {**numbers, "bad": len(report.errors)})
    return HttpResponseRedirect(f"{reverse('admin:assessments_item_changelist')}?bank__id__exact={bank.pk}")


def _run(request: HttpRequest, bank: Bank, form: Format, data: bytes, user: User, *, dry_run: bool) -> ImportReport:
    """Raises FormatError."""
    reading: Reading = form.read(data)
    if len(reading.drafts) > MOST_AT_ONCE:
        text = gettext("More than %(most)d questions at once are for the operator (manage.py import_items).")
        raise FormatError(text % {"most": MOST_AT_ONCE})
    return import_bank(bank=bank, reading=reading, actor=user, now=now(), dry_run=dry_run, request=request)


def export_view(admin: ModelAdmin, request: HttpRequest, bank: Bank) -> HttpResponse:
    """`?format=qti` says what that cannot carry, `&as=file` is the file. Taking the keys along is recorded."""
    chosen = FORMATS.get(request.GET.get("format", ""))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Export the questions of “%(bank)s”") % {"bank": bank},
        "opts": admin.opts,
        "bank": bank,
        "formats": FORMATS.values(),
        "format": chosen,
        "shown": SHOWN,
    }
    if chosen is not None and request.GET.get("as") == "file":
        writing = export_bank(bank=bank, form=chosen, actor=person_of(request), now=now(), request=request)
        name = f"{slugify(bank.title)[:60] or bank.pk}.{chosen.extension}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(writing.data, content_type=chosen.media_type, headers=headers)
    if chosen is not None:
        context["losses"] = chosen.write(list(drafts_of(bank, exported_items()))).losses
    return TemplateResponse(request, "admin/assessments/bank/export.html", context)
