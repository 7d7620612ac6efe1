from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from core.api.views import NowhereView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("lms.page_urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("lms.api_urls")),
    re_path(r"^api/", NowhereView.as_view()),
]
