from typing import Any

from django.utils.translation import gettext_lazy as _
from django_countries import countries
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.domain.people import check_language, check_timezone
from accounts.models import Device, User
from core.api.serializers import InputSerializer


class MeSerializer(serializers.ModelSerializer[User]):
    """The caller's own account."""

    name = serializers.CharField(source="get_full_name", help_text="As it is written on certificates.")
    country = serializers.CharField(source="country.code", help_text="ISO 3166-1, two letters, or empty.")
    phone = serializers.CharField(help_text="E.164, or empty.")

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "name",
            "title",
            "first_name",
            "last_name",
            "specialty",
            "country",
            "timezone",
            "timezone_confirmed_at",
            "language",
            "phone",
            "medical_council",
            "registration_number",
            "is_staff",
            "created_at",
        )
        read_only_fields = fields


class ProfileSerializer(InputSerializer):
    """What people may change about themselves. The same checks as the form: they are the domain's."""

    title = serializers.CharField(max_length=30, allow_blank=True, required=False)
    first_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    specialty = serializers.CharField(max_length=120, allow_blank=True, required=False)
    country = serializers.CharField(allow_blank=True, required=False, help_text="ISO 3166-1, two letters.")
    timezone = serializers.CharField(max_length=64, required=False)
    language = serializers.CharField(
        max_length=12,
        required=False,
        help_text="A code such as `fr` or `pt-br`. Pages in English where it is not offered.",
    )
    phone = PhoneNumberField(allow_blank=True, required=False)
    medical_council = serializers.CharField(max_length=120, allow_blank=True, required=False)
    registration_number = serializers.CharField(max_length=60, allow_blank=True, required=False)

    def validate_timezone(self, name: str) -> str:
        return check_timezone(name)

    def validate_language(self, code: str) -> str:
        return check_language(code)

    def validate_country(self, code: str) -> str:
        """Not a list of choices: 249 of them would bury the description of the API."""
        if code and code not in countries:
            raise serializers.ValidationError(_("This country code is not known."), code="country")
        return code


class DeviceSerializer(serializers.ModelSerializer[Device]):
    is_current = serializers.SerializerMethodField(help_text="Whether this request comes from it.")

    class Meta:
        model = Device
        fields = ("id", "name", "method", "created_at", "last_seen_at", "is_current")
        read_only_fields = fields

    def get_is_current(self, device: Device) -> bool:
        current: Device | None = self.context["current"]
        return current is not None and current.pk == device.pk


class EndedSerializer(serializers.Serializer[Any]):
    ended = serializers.IntegerField(help_text="How many devices were signed out.")
