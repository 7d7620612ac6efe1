"""The site's routes, and one more that nobody has classified."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from lms import urls


def surprise(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(pk))


urlpatterns = [path("inner/", include([path("surprise/<int:pk>/", surprise)])), *urls.urlpatterns]
