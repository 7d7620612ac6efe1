"""Who discloses: asked by e-mail, what they stated, and what the office found of it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from accounts.rules import person_of
from certification.admin.shared import tell, telling
from certification.domain.disclosers import NO_NAME, TAKEN, is_address, save_person
from certification.domain.disclosures import ask, newest_of, withdraw
from certification.domain.reviews import NotNewestError, ReviewError, review
from certification.domain.sheets import readable_interest
from certification.enums import DisclosureStanding, ReviewDecision
from certification.models import Discloser, Disclosure, DisclosureRequest
from core.clock import now
from core.time import when
from courses.admin.base import ScopedAdmin, done

LABELS = {
    DisclosureStanding.MISSING: "warning",
    DisclosureStanding.TO_REVIEW: "info",
    DisclosureStanding.FINE: "success",
    DisclosureStanding.OUT_OF_DATE: "warning",
    DisclosureStanding.EXCLUDED: "danger",
}
SHOWN = 10  # statements; earlier ones stay in the database


class StandingFilter(admin.SimpleListFilter):
    title = _("Disclosure")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(DisclosureStanding.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(standing=self.value()) if self.value() in DisclosureStanding.values else queryset


class DiscloserForm(forms.ModelForm[Discloser]):
    class Meta:
        model = Discloser
        fields = ("programme", "name", "email")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        programme = cleaned.get("programme") or (self.instance.programme if self.instance.pk else None)
        cleaned["email"] = str(cleaned.get("email", "")).lower()
        same = Discloser.objects.filter(programme=programme, email=cleaned["email"]).exclude(pk=self.instance.pk)
        if programme is not None and same.exists():
            self.add_error("email", TAKEN)
        if is_address(str(cleaned.get("name", ""))):
            self.add_error("name", NO_NAME)
        return cleaned


class ReviewDialog(BaseDialogForm):
    """Shows the statement that it decides about, and brings its number back: another one is never meant."""

    form_before_template = "admin/certification/discloser/_reviewed.html"
    disclosure = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    decision = forms.ChoiceField(
        label=_("Decision"), choices=ReviewDecision.choices, widget=UnfoldAdminRadioSelectWidget()
    )
    mitigation = forms.CharField(
        label=_("What was done"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_(
            "Where a relationship is relevant. Doctors read it before they start: “Two colleagues without "
            "relationships reviewed the slides.”"
        ),
    )

    def __init__(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> None:
        """The button has asked already whether this person may decide about these statements."""
        super().__init__(request, object_id, *args, **kwargs)
        stated = Disclosure.objects.filter(person=object_id).order_by("-made_at", "-pk")
        if self.is_bound:
            number = str(self["disclosure"].value())
            stated = stated.filter(pk=number) if number.isdecimal() and len(number) < 18 else stated.none()
        self.stated = stated.first()
        self.fields["disclosure"].initial = self.stated.pk if self.stated else None

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        return {"one": _readable(self.stated)} if self.stated else {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("decision") == ReviewDecision.MITIGATED and not cleaned.get("mitigation", "").strip():
            self.add_error("mitigation", _("Say what was done: doctors read it before they start."))
        return dict(cleaned)


@admin.register(Discloser)
class DiscloserAdmin(ScopedAdmin):
    form = DiscloserForm
    list_display = ("name", "email", "programme", "shown_standing", "stated", "asked")
    list_filter = (StandingFilter, ("programme", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("programme",)
    search_fields = ("name", "email")
    ordering = ("name", "pk")
    actions = ("ask_chosen", "find_nothing")
    actions_detail = ("review", "ask_again", "withdraw_link")
    fieldsets = (
        (None, {"fields": ("programme", "name", "email")}),
        (_("Disclosure"), {"fields": ("standing_text", "link_text", "part", "statements")}),
    )
    add_fieldsets = ((None, {"fields": ("programme", "name", "email")}),)
    readonly_fields: ClassVar[tuple[str, ...]] = ("programme", "standing_text", "link_text", "part", "statements")

    class Media:
        css = {"all": ["css/pages/tests-office.css", "css/pages/credit-office.css"]}

    # What is shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newest: Any = DisclosureRequest.objects.filter(person=OuterRef("pk")).order_by("-pk")
        rows: Any = super().get_queryset(request)
        found: QuerySet[Any] = rows.with_standing(on=now().date()).annotate(
            asked_at=Subquery(newest.values("created_at")[:1])
        )
        return found

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that can do something now."""
        found = self.get_object(request, str(object_id))
        if found is None or not self.has_change_permission(request, found):
            return []
        hidden = set() if newest_of(found) else {"review"}
        if not _works(found):
            hidden.add("withdraw_link")
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if one.action_name.removeprefix("certification_discloser_") not in hidden]

    @display(description=_("Disclosure"), ordering="standing", label=LABELS)
    def shown_standing(self, person: Any) -> tuple[str, str]:
        return person.standing, str(DisclosureStanding(person.standing).label)

    @display(description=_("Stated"), ordering="stated_at")
    def stated(self, person: Any) -> str:
        return when(person.stated_at)

    @display(description=_("Asked"), ordering="asked_at")
    def asked(self, person: Any) -> str:
        return when(person.asked_at)

    @display(description=_("How it stands"))
    def standing_text(self, person: Any) -> str:
        return str(DisclosureStanding(person.standing).label)

    @display(description=_("The personal link"))
    def link_text(self, person: Discloser) -> str:
        last = DisclosureRequest.objects.filter(person=person).order_by("-pk").first()
        return render_to_string("admin/certification/discloser/_link.html", {"last": last, "now": now()})

    @display(description=_("Takes part in"))
    def part(self, person: Discloser) -> str:
        rows = person.contributions.select_related("activity").order_by("activity", "role")
        return render_to_string("admin/certification/discloser/_part.html", {"rows": rows})

    @display(description=_("What was stated"))
    def statements(self, person: Discloser) -> str:
        rows = Disclosure.objects.filter(person=person).prefetch_related("reviews__reviewed_by")
        found = [_readable(one) for one in rows.order_by("-made_at", "-pk")[:SHOWN]]
        return render_to_string("admin/certification/discloser/_statements.html", {"statements": found})

    # What is done

    def save_model(self, request: HttpRequest, obj: Discloser, form: Any, change: bool) -> None:
        if change and not form.changed_data:
            return
        with telling(request):
            save_person(person=obj, actor=person_of(request), request=request, now=now())

    @action(
        description=_("Review what was stated"),
        icon="rate_review",
        permissions=("change",),
        dialog={
            "title": _("Review this statement"),
            "description": _("Your review is kept with your name and the date. The newest one counts."),
            "form_class": ReviewDialog,
            "form_submit_text": _("Keep the review"),
        },
    )
    def review(self, request: HttpRequest, form: ReviewDialog, object_id: str) -> HttpResponse:
        person = self.object_or_404(request, object_id)
        given = form.cleaned_data
        with telling(request):
            if form.stated is None:
                raise NotNewestError
            self._review(request, form.stated, given["decision"], given["mitigation"])
            messages.success(request, _("The review was kept."))
        return self._back(request, person)

    def _review(self, request: HttpRequest, stated: Disclosure, decision: str, mitigation: str = "") -> None:
        review(
            disclosure=stated,
            decision=decision,
            mitigation=mitigation,
            actor=person_of(request),
            request=request,
            now=now(),
        )

    @action(
        description=_("Ask by e-mail"),
        icon="mail",
        permissions=("change",),
        dialog={
            "title": _("Ask by e-mail?"),
            "description": _("A new personal link, good for 60 days. Earlier links stop working."),
            "form_class": None,
            "form_submit_text": _("Send it"),
        },
    )
    def ask_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        person = self.object_or_404(request, object_id)
        ask(person=person, actor=person_of(request), request=request, now=now())
        messages.success(request, _("The e-mail is on its way."))
        return self._back(request, person)

    @action(
        description=_("Withdraw the link"),
        icon="link_off",
        permissions=("change",),
        dialog={
            "title": _("Withdraw the link?"),
            "description": _("It stops working at once. What was stated stays."),
            "form_class": None,
            "form_submit_text": _("Withdraw it"),
        },
    )
    def withdraw_link(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        person = self.object_or_404(request, object_id)
        if withdraw(person=person, actor=person_of(request), request=request, now=now()):
            messages.success(request, _("The link no longer works."))
        return self._back(request, person)

    @admin.action(description=_("Ask by e-mail"), permissions=("change",))
    def ask_chosen(self, request: HttpRequest, queryset: QuerySet[Discloser]) -> None:
        people = list(queryset)
        for person in people:
            ask(person=person, actor=person_of(request), request=request, now=now())
        text = ngettext("%(n)d e-mail is on its way.", "%(n)d e-mails are on their way.", len(people))
        messages.success(request, text % {"n": len(people)})

    @admin.action(description=_("“No relationship” was stated: found fine"), permissions=("change",))
    def find_nothing(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Only where the newest statement names nothing and waits: everything else is read one by one."""
        number = 0
        for person in queryset.filter(standing=DisclosureStanding.TO_REVIEW):
            stated = newest_of(person)
            if stated is None or stated.has_interests:
                continue
            try:
                self._review(request, stated, ReviewDecision.NONE_RELEVANT)
                number += 1
            except ReviewError as refused:
                tell(request, refused)
        text = ngettext("%(n)d statement was found fine.", "%(n)d statements were found fine.", number)
        messages.success(request, text % {"n": number})

    def _back(self, request: HttpRequest, person: Discloser) -> HttpResponse:
        return done(request, reverse("admin:certification_discloser_change", args=(person.pk,)))


def _readable(stated: Disclosure) -> dict[str, Any]:
    return {"disclosure": stated, "interests": [readable_interest(each) for each in stated.interests]}


def _works(person: Discloser) -> bool:
    return DisclosureRequest.objects.filter(person=person, revoked_at=None, expires_at__gt=now()).exists()
