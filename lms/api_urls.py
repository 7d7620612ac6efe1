from django.urls import URLPattern, URLResolver, include, path, re_path

from core.api.schema import DocsView, SchemaView
from core.api.views import NowhereView

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("", include("accounts.api.urls")),
    path("", include("analytics.api.urls")),
    path("", include("assessments.api.urls")),
    path("", include("certification.api.urls")),
    path("", include("webinars.api.urls")),
    re_path(r"^.*$", NowhereView.as_view(), name="nowhere"),
]
