"""Forms of people about themselves."""

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.totp.internal.auth import validate_totp_code
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import EditWebAuthnForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.domain import limits
from accounts.domain.people import LONGEST_PASSWORD, PROFILE_FIELDS, STAFF_FIELDS, check_language, check_timezone
from accounts.domain.secrets import CODE_DIGITS
from accounts.models import User
from core.languages import is_known, offered, offered_choices, own_name
from core.time import zone_names

# Isolated: in a sentence that runs to the left the groups of the number would change places.
EXAMPLE_NUMBER = "\u2066+91 98765 43210\u2069"


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
    names = sorted(name for name in zone_names() if name.partition("/")[0] in areas)
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm[User]):
    timezone = forms.ChoiceField(label=_("Time zone"), choices=_zones)
    language = forms.ChoiceField(label=_("Language"), choices=offered_choices)
    phone = PhoneNumberField(
        label=_("Phone"),
        required=False,
        help_text=format_lazy(_("With the country code, for example {number}."), number=EXAMPLE_NUMBER),
        error_messages={"invalid": _("This is no phone number. Write it with the country code.")},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )

    class Meta:
        model = User
        fields = PROFILE_FIELDS
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "honorific-prefix", "placeholder": _("Dr")}),
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "country": forms.Select(attrs={"autocomplete": "country"}),
            "medical_council": forms.TextInput(attrs={"list": "council-names"}),
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
    """In place of allauth's check, which counts guesses and remembers used codes in the cache only: without Redis it
    would let nobody in. Ours are counted in `accounts.domain.limits`, and a code of the app opens once.
    """

    user: User
    cleaned_data: dict[str, Any]
    authenticator: Authenticator

    def clean_code(self) -> str:
        if not limits.SECOND_STEPS_PER_ACCOUNT.hit(str(self.user.pk)):
            raise forms.ValidationError(_("Too many wrong codes. Wait ten minutes and try again."), code="limit")
        code = "".join(sign for sign in str(self.cleaned_data["code"]) if sign.isalnum())
        known = list(Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN))
        found = next((one for one in known if self._opens(one, code)), None)
        if found is None:
            for one in known[:1]:
                authentication_failed.send(
                    sender=Authenticator, request=context.request, user=self.user, authenticator=one
                )
            raise forms.ValidationError(_("This is not the code your app shows now, nor a recovery code."), code="code")
        if found.type == Authenticator.Type.TOTP and not limits.ONCE.hit(f"totp:{found.pk}:{code}"):
            raise forms.ValidationError(_("This code was used already. Wait for the next one."), code="used")
        found.user = self.user
        self.authenticator = found
        limits.SECOND_STEPS_PER_ACCOUNT.forget(str(self.user.pk))
        return code

    @staticmethod
    def _opens(authenticator: Authenticator, code: str) -> bool:
        """A recovery code is used up by looking at it."""
        if authenticator.type == Authenticator.Type.TOTP:
            return bool(validate_totp_code(decrypt(authenticator.data["secret"]), code))
        return bool(authenticator.wrap().validate_code(code))


class SecondStepForm(_CountedCode, AuthenticateForm):  # type: ignore[misc]  # allauth is untyped
    pass


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    """allauth's own has a label that no catalogue translates, and no limit."""

    name = forms.CharField(label=_("Name of this passkey"), max_length=80)


class SecondStepAgainForm(_CountedCode, ReauthenticateForm):  # type: ignore[misc]  # allauth is untyped
    pass
