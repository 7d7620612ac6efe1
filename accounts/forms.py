"""Forms of people about themselves."""

import zoneinfo
from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.domain import limits
from accounts.domain.people import LONGEST_PASSWORD, PROFILE_FIELDS, STAFF_FIELDS, check_language, check_timezone
from accounts.domain.secrets import CODE_DIGITS
from accounts.models import User
from core.languages import is_known, offered, offered_choices, own_name


class EmailForm(forms.Form):
    """No hint whether the address is known: only its shape is looked at."""

    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email webauthn", "inputmode": "email", "spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code from the e-mail"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "pattern": r"[0-9\s]*"}
        ),
    )

    def clean_code(self) -> str:
        """People copy it with spaces; phones type other scripts' digits."""
        digits = "".join(str(int(sign)) for sign in self.cleaned_data["code"] if sign.isdecimal())
        if len(digits) != CODE_DIGITS:
            raise forms.ValidationError(_("The code has six digits."), code="length")
        return digits


class PasswordSignInForm(EmailForm):
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label=_("New password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters; 15 are better. A few unrelated words are easy to remember."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


def _zones() -> list[tuple[str, str]]:
    """'Europe/Berlin' and its like; the files also hold odds and ends (posix/…, SystemV/…) that nobody lives in."""
    areas = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    names = sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in areas)
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm[User]):
    timezone = forms.ChoiceField(label=_("Time zone"), choices=_zones)
    language = forms.ChoiceField(label=_("Language"), choices=offered_choices)
    phone = PhoneNumberField(
        label=_("Phone"),
        required=False,
        help_text=_("With the country code, for example +91 98765 43210."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )

    class Meta:
        model = User
        fields = PROFILE_FIELDS
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "honorific-prefix", "placeholder": "Dr"}),
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "country": forms.Select(attrs={"autocomplete": "country"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].help_text = ""
        current = self.instance.timezone
        zone = self.fields["timezone"]
        if isinstance(zone, forms.ChoiceField) and current not in dict(_zones()):
            zone.choices = [(current, current), *_zones()]
        self._offer_languages()

    def _offer_languages(self) -> None:
        """No question with one answer. A preference that is not offered stays when the rest is saved."""
        field, current = self.fields["language"], self.instance.language
        if len(offered()) < 2:
            del self.fields["language"]
        elif isinstance(field, forms.ChoiceField) and current not in offered() and is_known(current):
            later = _("%(language)s (not available yet)") % {"language": own_name(current)}
            field.choices = [*offered_choices(), (current, later)]


class PersonForm(forms.ModelForm[User]):
    """For staff. Rights and second steps are not fields: roles and actions give and take them."""

    class Meta:
        model = User
        fields = STAFF_FIELDS

    def clean_email(self) -> str:
        """In lower case, before the form looks whether somebody has it."""
        return str(self.cleaned_data["email"]).strip().lower()

    def clean_timezone(self) -> str:
        return check_timezone(self.cleaned_data["timezone"])

    def clean_language(self) -> str:
        return check_language(self.cleaned_data["language"])


class TimeZoneForm(forms.Form):
    """From the banner: the name comes from the browser, so every name of the tz database will do."""

    timezone = forms.CharField(max_length=64)

    def clean_timezone(self) -> str:
        return check_timezone(self.cleaned_data["timezone"])


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=offered_choices)


class _CountedCode:
    """Guesses of a second step are counted in our limits, which outlive Redis; allauth's own live in the cache only.

    A right code of the authenticator app opens once, also when Redis forgot that it was used.
    """

    user: User
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        if not limits.SECOND_STEPS_PER_ACCOUNT.hit(str(self.user.pk)):
            raise forms.ValidationError(_("Too many wrong codes. Wait ten minutes and try again."), code="limit")
        code: str = super().clean_code()  # type: ignore[misc]  # the other base class is allauth's form
        authenticator = getattr(self, "authenticator", None)
        if authenticator is not None and authenticator.type == Authenticator.Type.TOTP:
            digits = "".join(sign for sign in code if sign.isalnum())
            if not limits.ONCE.hit(f"totp:{authenticator.pk}:{digits}"):
                raise forms.ValidationError(_("This code was used already. Wait for the next one."), code="used")
        limits.SECOND_STEPS_PER_ACCOUNT.forget(str(self.user.pk))
        return code


class SecondStepForm(_CountedCode, AuthenticateForm):  # type: ignore[misc]  # allauth is untyped
    pass


class SecondStepAgainForm(_CountedCode, ReauthenticateForm):  # type: ignore[misc]  # allauth is untyped
    pass
