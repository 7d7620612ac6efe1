from django.urls import path

from analytics.views import presenting

app_name = "analytics"
urlpatterns = [
    path("presenting/", presenting.lectures, name="lectures"),
    path("presenting/<int:webinar_id>/", presenting.lecture, name="lecture"),
]
