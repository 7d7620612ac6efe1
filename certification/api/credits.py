"""One's own credit by API: the same rows as the page, and taking what is there."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from certification.domain.claiming import AmountError, ClaimError, claim
from certification.domain.overview import Row, State, row_of, rows_of
from certification.domain.people import today_of
from certification.domain.transcript import transcript_of
from certification.enums import AuthorityKey, Format
from certification.rules import get_accreditation_for
from core.api.problems import Conflict
from core.api.serializers import InputSerializer
from core.api.views import ApiView
from core.clock import now

FIGURE: dict[str, Any] = {"max_digits": 6, "decimal_places": 2}


class GoOnSerializer(serializers.Serializer[object]):
    code = serializers.CharField(help_text="council, acknowledge, watch, pass, evaluate or number.")
    text = serializers.CharField(source="label")
    address = serializers.CharField(help_text="A page of this site.")


class CreditSerializer(serializers.Serializer[object]):
    accreditation = serializers.IntegerField(source="accreditation.pk")
    lesson = serializers.IntegerField(source="accreditation.activity.lesson_id")
    title = serializers.CharField()
    format = serializers.ChoiceField(choices=Format.choices, source="accreditation.activity.format")
    authority = serializers.ChoiceField(choices=AuthorityKey.choices, source="accreditation.authority")
    council = serializers.CharField(source="accreditation.council")
    unit = serializers.CharField(source="pack.unit")
    version = serializers.CharField(source="pack.version", help_text="Of the authority's rules.")
    state = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in State],
        help_text="ready: can be taken; missing: something is to do; refused: nothing can be done.",
    )
    credits = serializers.DecimalField(**FIGURE, source="credit", help_text="Granted, or what can be taken now.")
    waiting = serializers.DecimalField(
        **FIGURE, help_text="Comes when what is missing is done; 0 while the council is not known."
    )
    amounts = serializers.ListField(
        child=serializers.DecimalField(**FIGURE), help_text="What may be taken, the most first."
    )
    take_until = serializers.DateTimeField(
        allow_null=True, help_text="The last moment, of credit that doctors take themselves."
    )
    took_part_on = serializers.DateField(allow_null=True, help_text="On the wall of the programme's home.")
    missing = serializers.ListField(child=serializers.CharField(), source="decision.missing")
    go_on = GoOnSerializer(allow_null=True, help_text="One step further.")
    steps = serializers.ListField(
        child=serializers.CharField(), source="step_words", help_text="How it was counted, in sentences."
    )
    reasons = serializers.ListField(child=serializers.CharField(), source="reason_words")


class YearSerializer(serializers.Serializer[object]):
    year = serializers.IntegerField()
    credits = serializers.DecimalField(max_digits=8, decimal_places=2)


class CycleSerializer(serializers.Serializer[object]):
    first = serializers.DateField()
    last = serializers.DateField(help_text="Is in it.")
    credits = serializers.DecimalField(max_digits=8, decimal_places=2)
    needed = serializers.DecimalField(max_digits=8, decimal_places=2)
    is_now = serializers.BooleanField()


class AccountSerializer(serializers.Serializer[object]):
    authority = serializers.ChoiceField(choices=AuthorityKey.choices)
    council = serializers.CharField()
    unit = serializers.CharField()
    total = serializers.DecimalField(max_digits=8, decimal_places=2)
    count = serializers.IntegerField(help_text="Of claims.")
    years = YearSerializer(many=True)
    cycles = CycleSerializer(many=True)


class CreditsSerializer(serializers.Serializer[object]):
    credits = CreditSerializer(many=True)
    accounts = AccountSerializer(many=True, help_text="By authority and council, what is granted.")


class ClaimInput(InputSerializer):
    credits = serializers.DecimalField(**FIGURE, required=False, help_text="One of `amounts`; left out: all of it.")


class CreditsView(ApiView):
    @extend_schema(responses=CreditsSerializer, operation_id="credits_retrieve")
    def get(self, request: Request) -> Response:
        """All credit that concerns one: granted, ready, still to be earned."""
        person, moment = cast("User", request.user), now()
        rows = rows_of(user=person, now=moment)
        accounts = transcript_of(user=person, rows=rows, today=today_of(person, now=moment))
        return Response(CreditsSerializer({"credits": rows, "accounts": accounts}).data)


class ClaimView(ApiView):
    @extend_schema(
        request=ClaimInput,
        responses={201: CreditSerializer, 200: CreditSerializer, 409: None},
        operation_id="credits_claim",
        parameters=[OpenApiParameter("accreditation_id", int, OpenApiParameter.PATH)],
    )
    def post(self, request: Request, accreditation_id: int) -> Response:
        """Take what can be taken; 200 with what there is for who has it already, 409 while there is nothing to take."""
        person = cast("User", request.user)
        accreditation = get_accreditation_for(person, accreditation_id)
        given = ClaimInput(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            taken = claim(
                accreditation=accreditation, user=person, asked=given.validated_data.get("credits"), now=now()
            )
        except AmountError as wrong:
            raise ValidationError({"credits": [str(wrong.message)]}) from wrong
        except ClaimError as refused:
            raise Conflict(str(refused.message)) from refused
        row = cast("Row", row_of(user=person, accreditation=accreditation, now=now()))
        return Response(CreditSerializer(row).data, status=201 if taken.is_new else 200)
