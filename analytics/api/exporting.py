"""The datasets of reports, page by page. The same rows, doors and trail as of the files."""

from typing import Any, cast

from django.core import signing
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.models import User
from analytics.domain.exporting.catalogue import DATASETS, find_dataset
from analytics.domain.exporting.datasets import Dataset, Scope, Source
from analytics.domain.exporting.files import page_of, record_export
from analytics.rules import get_reported_programme, get_reported_webinar, sees_all_of
from core.api.views import ApiView
from core.clock import now

PAGE, MOST_PAGE = 100, 1_000
PAGING = [
    OpenApiParameter("cursor", str, description="From `next`."),
    OpenApiParameter("page_size", int, description=f"1 to {MOST_PAGE}; without it {PAGE}."),
]


class ColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    unit = serializers.CharField()
    definition = serializers.CharField()


class DatasetSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    scope = serializers.ChoiceField(choices=[(one.value, one.value) for one in Scope])
    title = serializers.CharField()
    about = serializers.CharField()
    has_people = serializers.BooleanField(help_text="Whether its rows name doctors.")
    columns = ColumnSerializer(many=True)


class RowsSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    results = serializers.ListField(
        child=serializers.DictField(), help_text="By column; the definitions stand in `/reports/datasets/`."
    )


class DatasetsView(ApiView):
    @extend_schema(responses=DatasetSerializer(many=True), operation_id="reports_datasets_list")
    def get(self, request: Request) -> Response:
        """What there is to take along, and what each column says. For everybody who is signed in."""
        return Response(DatasetSerializer(list(DATASETS.values()), many=True).data)


class WebinarRowsView(ApiView):
    @extend_schema(responses=RowsSerializer, parameters=PAGING, operation_id="reports_webinar_rows")
    def get(self, request: Request, webinar_id: int, webinar_dataset: str) -> Response:
        """Rows of a dataset about a webinar: for its presenters and the staff of its programme."""
        webinar = get_reported_webinar(request.user, webinar_id)
        source = Source(webinar.lesson.course.programme, webinar, sees_all=sees_all_of(request, webinar))
        return _page(request, find_dataset(webinar_dataset, Scope.WEBINAR), source)


class ProgrammeRowsView(ApiView):
    @extend_schema(responses=RowsSerializer, parameters=PAGING, operation_id="reports_programme_rows")
    def get(self, request: Request, slug: str, programme_dataset: str) -> Response:
        """Rows of a dataset about a programme: for its staff. They name doctors, and each page is recorded."""
        source = Source(get_reported_programme(request, slug), sees_all=True)
        return _page(request, find_dataset(programme_dataset, Scope.PROGRAMME), source)


def _page(request: Request, dataset: Dataset | None, source: Source) -> Response:
    if dataset is None:
        raise NotFound
    after, size = _after(request, dataset), _size(request)
    person = cast("User", request.user)
    asked = request._request  # noqa: SLF001 – DRF offers no public way to it
    record_export(dataset=dataset, source=source, form="api", actor=person, request=asked, now=now())
    rows, going_on = page_of(dataset, source, after=after, size=size)
    here = request.build_absolute_uri()
    token = signing.dumps(going_on, salt=_salt(request)) if going_on else None
    return Response({"next": replace_query_param(here, "cursor", token) if token else None, "results": rows})


def _after(request: Request, dataset: Dataset) -> tuple[Any, ...]:
    given = request.query_params.get("cursor")
    if given is None:
        return ()
    try:
        key = signing.loads(given, salt=_salt(request))
    except signing.BadSignature as error:
        raise ParseError(_("The cursor is not valid. Please start from the first page.")) from error
    return tuple(key)


def _size(request: Request) -> int:
    given = request.query_params.get("page_size", "")[:6]
    return min(MOST_PAGE, int(given)) if given.isascii() and given.isdigit() and int(given) else PAGE


def _salt(request: Request) -> str:
    """A cursor belongs to one list: its position means nothing in another."""
    return f"reports:{request.path}"
