"""The campaign desk: whom it is for with a number beside it, the words, the hour, what came of it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.decorators import display

from accounts.domain import audit
from accounts.enums import Role
from accounts.rules import person_of
from core.clock import now
from core.exports import csv_lines
from core.limits import hit
from core.time import when
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.models import Programme
from reminders.admin.campaign_desk import Desk, foretold, hour_of, told_of
from reminders.domain import campaign_drafts, campaigns
from reminders.domain.audiences import whoever_is_at_risk, whoever_stopped_at
from reminders.domain.campaign_results import results_of, table_of
from reminders.domain.campaigns import CampaignError
from reminders.domain.previewing import campaign_shown_to
from reminders.enums import CampaignState, Step
from reminders.forms.campaigns import NewCampaignForm, ScheduleForm
from reminders.models import Campaign
from reminders.rules import get_campaign_for

FOLDER = "admin/reminders/campaign"
LIST = "admin:reminders_campaign_changelist"
LOOKS = (60, 60)  # a minute and person: one for each pause of somebody who types without end
OPERATORS = frozenset({Role.OPERATOR})
COLOURS = {"draft": "default", "scheduled": "info", "running": "warning", "done": "success", "stopped": "danger"}


@admin.register(Campaign)
class CampaignAdmin(ScopedAdmin):
    list_display = ("title", "programme", "shown_state", "hour", "number", "made")
    list_filter = ("state", ("programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("programme",)
    search_fields = ("title",)
    list_per_page = 50
    actions = None
    ordering: ClassVar[Any] = ("-made_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(number=Count("deliveries"))
        return counted

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was sent stays known. Drafts have a page of their own for it, which needs no right to delete."""
        return False

    def get_urls(self) -> list[URLPattern]:
        def at(name: str, view: Callable[..., HttpResponseBase]) -> URLPattern:
            address = f"<int:campaign_id>/{name.replace('_', '-')}/"
            found: URLPattern = path(address, self.admin_site.admin_view(view), name=f"reminders_campaign_{name}")
            return found

        both = require_http_methods(["GET", "POST"])
        return [
            at("look", require_POST(self.look)),
            at("schedule", both(self.schedule)),
            at("stop", both(self.stop)),
            at("take_back", require_POST(self.take_back)),
            at("results", require_GET(self.results_file)),
            at("copy", require_POST(self.copy)),
            at("discard", both(self.discard)),
            *super().get_urls(),
        ]

    @display(description=_("State"), ordering="state", label=COLOURS)
    def shown_state(self, row: Campaign) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @display(description=_("Hour of the doctor's day"))
    def hour(self, row: Campaign) -> str:
        return hour_of(row) or (str(_("at once")) if row.scheduled_at else "–")

    @display(description=_("Messages"), ordering="number")
    def number(self, row: Any) -> int:
        return int(row.number)

    @display(description=_("Made at"), ordering="made_at")
    def made(self, row: Campaign) -> str:
        return when(row.made_at)

    # Written

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if object_id is None:
            return self._begin(request)
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_change_permission(request, found):
            raise PermissionDenied
        return self._draft(request, found) if found.state == CampaignState.DRAFT else self._results(request, found)

    def _begin(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        programmes = Programme.objects.filter(pk__in=allowed_programmes(request, self.roles))
        wanted = {name: request.GET.get(name, "") for name in ("programme", "step", "risk")}
        form = NewCampaignForm(request.POST or None, initial=wanted, programmes=programmes)
        if request.method == "POST" and form.is_valid():
            given, actor = form.cleaned_data, person_of(request)
            audience = whoever_stopped_at(Step(given["step"])) if given["step"] else {}
            audience |= whoever_is_at_risk(given["risk"]) if given["risk"] else {}
            values = {"title": given["title"], "path": "", "channels": ["email"], "audience": audience, "texts": {}}
            try:
                made = campaigns.save_campaign(
                    campaign=None, programme=given["programme"], values=values, actor=actor, request=request, now=now()
                )
            except CampaignError as refused:
                messages.error(request, str(refused))
            else:
                return HttpResponseRedirect(_page_of(made))
        return self._page(request, "new", {"title": _("New campaign"), "form": form, "back": reverse(LIST)})

    def _draft(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        desk = Desk(request, campaign)
        is_saving = request.method == "POST" and "_look" not in request.POST
        if is_saving and desk.saved():
            if "_schedule" in request.POST:
                return HttpResponseRedirect(reverse("admin:reminders_campaign_schedule", args=[campaign.pk]))
            messages.success(request, _("Saved. Nothing is sent yet."))
            return HttpResponseRedirect(_page_of(campaign))
        return self._page(request, "form", {"title": campaign.title, "back": reverse(LIST), **desk.context()})

    def look(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """What stands in the form: how many doctors, who for example, and how it looks. Nothing is saved."""
        campaign = self._mine(request, campaign_id)
        limit, seconds = LOOKS
        decision = hit(f"reminders:campaign:{person_of(request).pk}", limit=limit, window_seconds=seconds)
        if not decision:
            return HttpResponse(status=429, headers={"Retry-After": str(decision.retry_after_seconds)})
        return TemplateResponse(request, f"{FOLDER}/_look.html", Desk(request, campaign).context())

    def copy(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._mine(request, campaign_id)
        made = campaign_drafts.copy(campaign=campaign, actor=person_of(request), request=request, now=now())
        messages.success(request, _("This is the copy: a draft. Nothing is sent yet."))
        return HttpResponseRedirect(_page_of(made))

    def discard(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._mine(request, campaign_id)
        if request.method == "POST":
            try:
                campaign_drafts.discard(campaign=campaign, actor=person_of(request), request=request, now=now())
            except CampaignError as refused:
                messages.error(request, str(refused))
                return HttpResponseRedirect(_page_of(campaign))
            messages.success(request, _("The draft is deleted."))
            return HttpResponseRedirect(reverse(LIST))
        if campaign.state != CampaignState.DRAFT:
            return HttpResponseRedirect(_page_of(campaign))
        context = {"title": _("Delete this draft?"), "campaign": campaign, "back": _page_of(campaign)}
        return self._page(request, "discard", context)

    def _mine(self, request: HttpRequest, campaign_id: int) -> Campaign:
        """404 for another programme's, as for one that never was."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_campaign_for(person_of(request), campaign_id)

    # On the clock

    def schedule(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """First the hour and what would happen then, in words; the same page is asked again for a yes."""
        campaign = self._mine(request, campaign_id)
        if campaign.state != CampaignState.DRAFT:
            return HttpResponseRedirect(_page_of(campaign))
        form = ScheduleForm(request.POST or None)
        context: dict[str, Any] = {"form": form, "campaign": campaign, "problems": campaigns.not_ready(campaign)}
        if request.method == "POST" and form.is_valid() and not context["problems"]:
            local_at = form.cleaned_data["local_at"]
            if "_confirm" in request.POST and self._put_on_the_clock(request, campaign, local_at):
                return HttpResponseRedirect(_page_of(campaign))
            context |= foretold(campaign, local_at=local_at)
        title = _("When should it go out?")
        return self._page(request, "schedule", {"title": title, "back": _page_of(campaign), **context})

    def _put_on_the_clock(self, request: HttpRequest, campaign: Campaign, local_at: str) -> bool:
        actor = person_of(request)
        try:
            told = campaigns.schedule(campaign=campaign, local_at=local_at, actor=actor, request=request, now=now())
        except CampaignError as refused:
            messages.error(request, str(refused))
            return False
        text = ngettext("It goes out to %(n)d doctor.", "It goes out to %(n)d doctors.", told.doctors)
        messages.success(request, text % {"n": told.doctors})
        return True

    def take_back(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._mine(request, campaign_id)
        try:
            campaigns.take_back(campaign=campaign, actor=person_of(request), request=request, now=now())
        except CampaignError as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("It is a draft again. Nothing is sent."))
        return HttpResponseRedirect(_page_of(campaign))

    def stop(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._mine(request, campaign_id)
        if request.method == "POST":
            self._stopped(request, campaign)
            return HttpResponseRedirect(_page_of(campaign))
        if not campaigns.may_stop(campaign):
            return HttpResponseRedirect(_page_of(campaign))
        context = {"title": _("Stop this campaign?"), "campaign": campaign, "back": _page_of(campaign)}
        return self._page(request, "stop", context | {"left": sum(one.left for one in results_of(campaign).channels)})

    def _stopped(self, request: HttpRequest, campaign: Campaign) -> None:
        try:
            number = campaigns.stop(campaign=campaign, actor=person_of(request), request=request, now=now())
        except CampaignError as refused:
            messages.error(request, str(refused))
            return
        if campaign.started_at is None:
            messages.success(request, _("Stopped before it began: nobody gets it."))
            return
        told = ngettext("Stopped. %(n)d message was not sent.", "Stopped. %(n)d messages were not sent.", number)
        messages.success(request, told % {"n": number})

    # What came of it

    def _results(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        if request.method == "POST":
            messages.error(request, _("It is on its way already and stays as it is."))
            return HttpResponseRedirect(_page_of(campaign))
        context = {
            "title": campaign.title,
            "back": reverse(LIST),
            "campaign": campaign,
            "hour": hour_of(campaign),
            "may_take": campaign.programme_id in allowed_programmes(request, OPERATORS),
            **told_of(campaign, now=now()),
        }
        if "part" in request.GET:  # the page asks for it while the campaign is under way
            return TemplateResponse(request, f"{FOLDER}/_results.html", context)
        context["shown"] = campaign_shown_to(campaign, doctor=None, now=now())
        return self._page(request, "results", context)

    def results_file(self, request: HttpRequest, campaign_id: int) -> HttpResponseBase:
        """Names and addresses: for operators of the programme."""
        campaign = self._mine(request, campaign_id)
        if campaign.programme_id not in allowed_programmes(request, OPERATORS):
            raise PermissionDenied
        audit.record("campaign.exported", actor=person_of(request), subject=campaign, request=request, now=now())
        headers = {"Content-Disposition": f'attachment; filename="campaign-{campaign.pk}.csv"'}
        lines = csv_lines(table_of(campaign))
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"{FOLDER}/{name}.html", shared | context)


def _page_of(campaign: Campaign) -> str:
    return reverse("admin:reminders_campaign_change", args=[campaign.pk])
