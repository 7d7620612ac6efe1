from django.urls import include, path

from lms import views

urlpatterns = [
    path("", views.home, name="home"),
    path("programmes/", views.catalogue, name="programmes"),
    path("programmes/<slug:slug>/", views.programme, name="programme"),
    path("webinars/", include("webinars.urls")),
]
