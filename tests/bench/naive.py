"""What most projects would write: an endpoint in Django REST framework that saves each beat with one upsert.

Served by gunicorn with the product's own middleware and authentication, so that only the way of saving differs. It does
less than the real one: no allowance, no union of ranges, no refusals.
"""

import os
from typing import Any, cast

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402  # needs the app registry, like the rest
from django.urls import path  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.generics import get_object_or_404  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from lms.urls import urlpatterns as product_urlpatterns  # noqa: E402
from webinars.models import PlaySession, WatchRecord  # noqa: E402


class BeatSerializer(serializers.Serializer[Any]):
    session = serializers.UUIDField()
    start = serializers.FloatField(min_value=0)
    end = serializers.FloatField(min_value=0)


class NaiveBeatView(APIView):
    throttle_classes = []

    def post(self, request: Request) -> Response:
        person = cast("int", request.user.pk)
        given = BeatSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        beat = given.validated_data
        session = get_object_or_404(PlaySession, pk=beat["session"], user_id=person)
        moment = now()
        record, _ = WatchRecord.objects.update_or_create(
            user_id=person,
            webinar_id=session.webinar_id,
            phase=session.phase,
            defaults={
                "coverage": ((0, int(beat["end"]) + 1),),
                "seen_seconds": int(beat["end"]) + 1,
                "required_seconds": session.required_seconds,
                "position_seconds": beat["end"],
                "last_beat_at": moment,
            },
            create_defaults={
                "required_seconds": session.required_seconds,
                "first_beat_at": moment,
                "last_beat_at": moment,
            },
        )
        return Response({"seen": record.seen_seconds})


urlpatterns = [path("beat/", NaiveBeatView.as_view()), *product_urlpatterns]
settings.ROOT_URLCONF = __name__
