"""Forms of the admin of tests. Each refuses beside the field what the domain and the database refuse as well."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from assessments.domain.formats.base import tags_of
from assessments.domain.interventions import LONGEST_REASON, MOST_ATTEMPTS, MOST_PERCENT
from assessments.enums import CompletesBy, QuizKind
from assessments.items.base import ItemError
from assessments.models import Candidate, Item, Pick, Quiz, Section
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.admin.ordered import OrderedRow
from courses.domain.authoring import TITLE_LENGTH, copied_title
from courses.models import Course


class QuizForm(forms.ModelForm[Quiz]):
    minutes = forms.DecimalField(
        label=_("Time, minutes"),
        required=False,
        min_value=Decimal("0.5"),
        max_value=Decimal(1440),
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text=_("Empty: as long as the test is open. Extra time for single doctors is given while it runs."),
    )

    class Meta:
        model = Quiz
        exclude = ("lesson", "time_limit_seconds")  # noqa: DJ006  # the admin's groups name the fields
        help_texts = {
            "kind": _("Doctors read it above the title. It changes no rule."),
            "instructions": _("Doctors read it before they start."),
            "attempts_allowed": _("Empty: without limit. More for single doctors are given while it runs."),
            "counting": _("For the result, the ranking and the figures."),
            "pass_percent": _("Of the points of the paper. Empty: there is nothing to pass."),
            "is_one_way": _("One question at a time, and none can be changed afterwards."),
            "marks_when": _("The points and whether it is passed."),
            "answers_when": _("Never while the doctor has an open attempt."),
            "shuffles_items": _("Within their section. The questions of a vignette stay together."),
            "markers_needed": _("With two, a third person decides where they differ by more than a fifth."),
            "has_ranking": _("Doctors see their place once they see their result, and choose whether to be named."),
            "pre_test": _("For a test after: the figures tell what doctors have learned."),
            "during": _("For a check within a webinar."),
        }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        seconds = self.instance.time_limit_seconds
        if seconds is not None:
            self.fields["minutes"].initial = (Decimal(seconds) / 60).quantize(Decimal("0.01")).normalize()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        minutes = cleaned.get("minutes")
        if "minutes" in self.changed_data and "minutes" not in self.errors:
            self.instance.time_limit_seconds = None if minutes is None else round(minutes * 60)
        kind = cleaned.get("kind", self.instance.kind)
        if cleaned.get("pre_test") and kind != QuizKind.POST_TEST:
            self.add_error("pre_test", _("Only a test after is compared with one before."))
        if cleaned.get("during") and kind != QuizKind.CHECK:
            self.add_error("during", _("Only a check is shown within a webinar."))
        passing = cleaned.get("completes_by", self.instance.completes_by) == CompletesBy.PASSING
        if passing and "pass_percent" not in self.errors and cleaned.get("pass_percent") is None:
            self.add_error("pass_percent", _("Give the pass mark, or let handing in complete the lesson."))
        return cleaned


class SectionRow(OrderedRow):
    class Meta:
        model = Section
        fields = ("position", "title")

    def __init__(self, *given: Any, **named: Any) -> None:
        """A heading above a column is no name for who cannot see the table."""
        super().__init__(*given, **named)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)


class ItemSelect(AutocompleteSelect):
    """Finds questions of one programme: somebody who staffs several has the others' in the list otherwise."""

    programme: int | None = None
    known: Mapping[str, str] = MappingProxyType({})  # names by number: a page of fifty rows asks once

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        chosen = [one for one in value if one]
        if any(one not in self.known for one in chosen):
            return super().optgroups(name, value, attr)
        empty = self.create_option(name, "", "", False, 0)
        options = [self.create_option(name, one, self.known[one], True, n) for n, one in enumerate(chosen, 1)]
        return [(None, [empty, *options], 0)]

    def get_url(self) -> str:
        return f"{super().get_url()}?programme={self.programme or 0}"

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Its text is also the name of the empty field: it is read out by what is chosen in it."""
        made: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return {**made, "data-placeholder": str(_("Search for a question"))}


class PickRow(OrderedRow):
    """Either a question by its name, or a draw from a bank; conditions are only for a draw."""

    class Meta:
        model = Pick
        fields = (
            "position", "item", "bank", "count", "tags", "difficulty_from", "difficulty_to", "topic", "points",
        )  # fmt: skip
        help_texts = {
            "item": _("On every paper. Or leave it empty and draw:"),
            "count": _("A vignette counts as one."),
            "tags": _("With commas between."),
            "points": _("Of a vignette: for each of its questions."),
        }

    def clean_tags(self) -> list[str]:
        try:
            return list(tags_of(self.cleaned_data.get("tags") or ()))
        except ItemError as refused:
            raise forms.ValidationError(str(refused)) from refused

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        item, bank = cleaned.get("item"), cleaned.get("bank")
        if cleaned.get("DELETE") or {"item", "bank"} & self.errors.keys():
            return cleaned
        if item is not None and bank is not None:
            self.add_error("bank", _("Choose a question, or a bank to draw from; not both."))
        elif item is None and bank is None:
            self.add_error("item", _("Choose a question, or a bank to draw from."))
        if item is not None:
            cleaned |= {"count": 1, "tags": [], "difficulty_from": None, "difficulty_to": None, "topic": None}
        for name in ("difficulty_from", "difficulty_to"):
            if cleaned.get(name) is not None and not 1 <= cleaned[name] <= 5:
                self.add_error(name, _("From 1 (easy) to 5 (hard)."))
        least, most = cleaned.get("difficulty_from"), cleaned.get("difficulty_to")
        if least and most and most < least:
            self.add_error("difficulty_to", _("Not below where it begins."))
        return cleaned


class AddItemsForm(forms.Form):
    """Ticked questions, of those that are offered."""

    items = forms.ModelMultipleChoiceField(Item.objects.none(), error_messages={"required": _("Tick a question.")})
    points = forms.DecimalField(
        label=_("Points each"),
        min_value=0,
        max_digits=6,
        decimal_places=2,
        initial=1,
        widget=UnfoldAdminDecimalFieldWidget(),
    )

    def __init__(self, *given: Any, offered: QuerySet[Item], **named: Any) -> None:
        super().__init__(*given, **named)
        field: Any = self.fields["items"]
        field.queryset = offered


class CopyDialog(BaseDialogForm):
    course = forms.ModelChoiceField(
        label=_("Into the course"), queryset=Course.objects.none(), widget=UnfoldAdminSelectWidget()
    )
    title = forms.CharField(label=_("Title of the copy"), max_length=TITLE_LENGTH, widget=UnfoldAdminTextInputWidget())

    def __init__(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        mine = allowed_programmes(request, ScopedAdmin.roles)
        quiz = Quiz.objects.filter(pk=object_id or 0, lesson__course__programme__in=mine).first()
        if quiz is not None:
            field: Any = self.fields["course"]
            field.queryset = Course.objects.filter(programme=quiz.lesson.course.programme_id).order_by("position")
            field.initial = quiz.lesson.course_id
            self.fields["title"].initial = copied_title(quiz.lesson.title)


def reason_field(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


class HoldDialog(BaseDialogForm):
    reason = reason_field(_("Why? Doctors read it."))


class ReasonForm(forms.Form):
    reason = reason_field(_("Why? The doctor will ask, and an auditor too."))


class ExtraForm(forms.Form):
    percent = forms.IntegerField(
        label=_("Extra time, percent"),
        min_value=0,
        max_value=MOST_PERCENT,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=_("25 makes an hour 75 minutes. 0: none."),
    )
    attempts = forms.IntegerField(
        label=_("Extra attempts"), min_value=0, max_value=MOST_ATTEMPTS, widget=UnfoldAdminIntegerFieldWidget()
    )
    reason = forms.CharField(
        label=_("Why? An auditor will ask."),
        required=False,
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("No diagnosis: “accommodation granted on 3 May” is enough."),
    )

    def __init__(self, *given: Any, candidate: Candidate | None = None, **named: Any) -> None:
        if candidate is not None:
            known = {"percent": candidate.extra_percent, "attempts": candidate.extra_attempts}
            named.setdefault("initial", {**known, "reason": candidate.extra_reason})
        else:
            named.setdefault("initial", {"percent": 0, "attempts": 0})
        super().__init__(*given, **named)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (cleaned.get("percent") or cleaned.get("attempts")) and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Say why: the doctor will ask, and an auditor too."))
        return cleaned
