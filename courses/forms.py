"""Forms of the admin: ordered inlines, rules that can be met, and the bulk enrolment."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import User
from core.time import zone_names
from courses.domain import authoring, bulk
from courses.enums import CompletionRule, EnrolmentStatus
from courses.models import Cohort, Course, Enrolment, Lesson, Programme, RoleGrant


class _RuleMixin(forms.ModelForm[Any]):
    def clean(self) -> dict[str, Any]:
        """A number is given exactly when the rule needs one; "all" with a number left over forgets the number."""
        cleaned = super().clean() or {}
        if "completion_rule" not in self.fields:
            return cleaned
        if cleaned.get("completion_rule") == CompletionRule.ALL:
            cleaned["required_count"] = None
        elif not cleaned.get("required_count") and "required_count" not in self.errors:
            self.add_error("required_count", _("Say how many of the parts are needed."))
        return cleaned


class _WindowMixin(forms.ModelForm[Any]):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        opens_at, closes_at = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", _("It has to close after it opens."))
        return cleaned


class ProgrammeForm(_RuleMixin, _WindowMixin):
    class Meta:
        model = Programme
        fields = "__all__"  # noqa: DJ007  # the admin's fieldsets choose; status is read-only there
        help_texts = {
            "timezone": _(
                "Region/City. All dates of the programme are typed in this zone. Changing it keeps the times of day on "
                "this page; look at the dates of the lessons again."
            )
        }

    def clean_timezone(self) -> str:
        zone: str = self.cleaned_data["timezone"]
        if zone not in zone_names():
            raise ValidationError(_("Write the zone as Region/City, for example Asia/Kolkata."))
        return zone


class CourseForm(_RuleMixin, _WindowMixin):
    class Meta:
        model = Course
        fields = "__all__"  # noqa: DJ007

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        programme = self.instance.programme if self.instance.pk else cleaned.get("programme")
        for other in cleaned.get("prerequisites") or ():
            if other.pk == self.instance.pk:
                self.add_error("prerequisites", _("A course cannot wait for itself."))
            elif programme and other.programme_id != programme.pk:
                self.add_error("prerequisites", _("Choose courses of the same programme."))
            elif self.instance.pk and authoring.waits_for(other, self.instance):
                self.add_error(
                    "prerequisites", _("“%(course)s” already waits for this course.") % {"course": other.title}
                )
        return cleaned


class LessonForm(_WindowMixin):
    class Meta:
        model = Lesson
        fields = "__all__"  # noqa: DJ007


class OrderedRow(forms.ModelForm[Any]):
    """A row whose position comes from dragging, counted from 0, and is only an order: the domain numbers them afresh.

    Leaving the position out of the validation also leaves out its unique constraint, which holds at commit only.
    """

    position = forms.IntegerField(
        label=_("Position"),
        required=False,
        min_value=0,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "position"}  # type: ignore[misc]  # not in the stubs

    def _post_clean(self) -> None:
        kept = self.instance.position
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        self.instance.position = kept


class CourseRow(OrderedRow):
    class Meta:
        model = Course
        fields = ("position", "title", "is_required", "opens_at", "closes_at")
        labels = {"is_required": _("Counts")}


class LessonRow(OrderedRow, _WindowMixin):
    class Meta:
        model = Lesson
        fields = ("position", "kind", "title", "is_required", "opens_at", "closes_at")

    def clean(self) -> dict[str, Any]:
        """The tick is taken back: Django would go on and list everybody who has watched as the reason."""
        cleaned = super().clean()
        if cleaned.get("DELETE") and self.instance.pk:
            try:
                authoring.check_deletable(lesson=self.instance)
            except authoring.InUseError as refused:
                cleaned["DELETE"] = False
                self.add_error("title", str(refused))
        return cleaned


class OrderedFormSet(BaseInlineFormSet[Any, Any, Any]):
    def in_order(self) -> list[Any]:
        """The instances that stay, as the person sees them. A cleared number keeps its place, a new row is last."""
        rows = [form for form in self.forms if form not in self.deleted_forms]
        rows = [form for form in rows if form.instance.pk or form.has_changed()]

        def key(form: Any) -> tuple[bool, int]:
            given: int | None = form.cleaned_data.get("position")
            place: int | None = form.instance.position if given is None else given
            return place is None, place or 0

        return [form.instance for form in sorted(rows, key=key)]


class EnrolmentForm(forms.ModelForm[Any]):
    class Meta:
        model = Enrolment
        fields = ("cohort",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "cohort" in self.fields:
            field: Any = self.fields["cohort"]
            field.queryset = Cohort.objects.filter(programme=self.instance.programme_id)


class RoleGrantForm(forms.ModelForm[Any]):
    """The person is named by e-mail address: a list of everybody would be a directory of all doctors."""

    email = forms.EmailField(label=_("E-mail address of the person"), widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = RoleGrant
        fields = ("role", "programme")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        user = User.objects.filter(email=email, is_active=True).first()
        if user is None:
            raise ValidationError(_("Nobody with this address has an account. Create the person first."))
        self.instance.user = user
        return email

    def clean(self) -> dict[str, Any]:
        """Granting twice is no error in the domain, but a person who asks for it should hear about it."""
        cleaned = super().clean() or {}
        user = getattr(self.instance, "user", None) if "email" in cleaned else None
        if (
            user
            and RoleGrant.objects.filter(
                user=user, role=cleaned.get("role", ""), programme=cleaned.get("programme")
            ).exists()
        ):
            raise ValidationError(_("This person has this role already."))
        return cleaned


class BulkEnrolForm(forms.Form):
    """First the list, then a look at what would happen, then the same list again with `confirmed`."""

    cohort = forms.ModelChoiceField(
        label=_("Cohort"), queryset=Cohort.objects.none(), required=False, widget=UnfoldAdminSelectWidget()
    )
    status = forms.ChoiceField(
        label=_("They start as"),
        choices=[
            (EnrolmentStatus.INVITED, _("Invited: opens at their first sign-in")),
            (EnrolmentStatus.ACTIVE, _("Active at once")),
        ],
        widget=UnfoldAdminSelectWidget(),
        initial=EnrolmentStatus.INVITED,
    )
    addresses = forms.CharField(
        label=_("E-mail addresses"),
        required=False,
        max_length=bulk.LONGEST_TEXT,
        help_text=_("One on each line, or separated by commas. Names around the address do no harm."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=_("or a CSV file"),
        required=False,
        help_text=_("With a column named email; the other columns are ignored."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv,text/plain"}),
    )

    def __init__(self, *args: Any, programme: Programme, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cohort: Any = self.fields["cohort"]
        cohort.queryset = programme.cohorts.all()

    def clean_file(self) -> str:
        """The file's text. The preview carries it on in the text field, so that what was seen is what is done."""
        file = self.cleaned_data.get("file")
        if not file:
            return ""
        if file.size > bulk.LONGEST_TEXT:
            raise ValidationError(
                _("The file is too large. Up to 2 MB, about 50,000 addresses, can be enrolled at once.")
            )
        try:
            return bulk.addresses_of_csv(file.read())
        except bulk.UnreadableFileError as unreadable:
            raise ValidationError(str(unreadable)) from unreadable

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text = "\n".join(part for part in (cleaned.get("addresses"), cleaned.get("file")) if part)
        if not self.errors and not text.strip():
            raise ValidationError(_("Paste addresses or choose a file."))
        cleaned["text"] = text
        return cleaned
