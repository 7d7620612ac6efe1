from django.urls import include, path

from lms import reports, views
from lms.door import enter_door
from lms.message_link import message_link
from webinars.views import spot

urlpatterns = [
    path("", views.home, name="home"),
    path("programmes/", views.catalogue, name="programmes"),
    path("programmes/<slug:slug>/", views.programme, name="programme"),
    path("lessons/<int:lesson_id>/", views.lesson, name="lesson"),
    path("m/<str:token>/", message_link, name="message_link"),
    path("webinars/", include("webinars.urls")),
    path("", include("assessments.urls")),
    path("", include("certification.urls")),
    path("", include("reminders.urls")),
    path("", include("analytics.urls")),
    path("reports/<slug:slug>/", reports.programme, name="report"),
    path("door/<str:slug>/", spot.door, name="door"),
    path("door/<str:slug>/state/", spot.state, name="door_state"),
    path("door/<str:slug>/enter/", enter_door, name="door_enter"),
]
