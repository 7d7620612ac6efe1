from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Func
from django.db.models.functions import Lower, Upper
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from phonenumber_field.modelfields import PhoneNumberField

# Signs that people put into a registration number or leave out.
LOOSE_SIGNS = " .-/_\t"


def loose(name: str) -> Upper:
    """'Reg. 48-213' and 'REG 48213' are one number: what the index below is over, for whoever looks for it."""
    return Upper(Func(models.F(name), models.Value(LOOSE_SIGNS), models.Value(""), function="translate"))


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Without a password the account signs in by link, code or passkey only."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Signs in by e-mail address, which is kept in lower case."""

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    title = models.CharField(_("title"), max_length=30, blank=True, help_text=_("For example Dr or Prof."))
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    specialty = models.CharField(_("specialty"), max_length=120, blank=True)
    country = CountryField(_("country"), blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    timezone_confirmed_at = models.DateTimeField(_("time zone confirmed at"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=12, default="en")
    phone = PhoneNumberField(_("phone"), blank=True)
    # A trigger empties it with every change of the number, whoever makes it: it is of the number beside it.
    phone_proved_at = models.DateTimeField(_("phone confirmed at"), null=True, editable=False)
    medical_council = models.CharField(_("medical council"), max_length=120, blank=True)
    registration_number = models.CharField(_("registration number"), max_length=60, blank=True)
    # Whether their page of progress says how colleagues are doing: nobody is compared who has not asked for it.
    compares_progress = models.BooleanField(
        _("compares their progress with others"), default=False, db_default=False, editable=False
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the admin"), default=False)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    erasure_asked_at = models.DateTimeField(_("asked to be erased at"), null=True, editable=False)
    erasure_told_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("last_name", "first_name", "id")
        indexes = (
            models.Index(loose("registration_number"), name="accounts_user_loose_number"),
            models.Index(Lower("last_name"), Lower("first_name"), name="accounts_user_lower_name"),
        )
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_user_email_lower_case"),
            models.CheckConstraint(condition=~models.Q(email=""), name="accounts_user_email_given"),
            models.CheckConstraint(
                condition=models.Q(phone_proved_at=None) | ~models.Q(phone=""), name="accounts_user_proof_of_a_number"
            ),
        )

    def __str__(self) -> str:
        return self.get_full_name()

    def get_full_name(self) -> str:
        """'Dr Meera Nair', or the e-mail address while no name is known."""
        return " ".join(part for part in (self.title, self.first_name, self.last_name) if part) or self.email

    def get_short_name(self) -> str:
        return " ".join(part for part in (self.title, self.last_name or self.first_name) if part) or self.email
