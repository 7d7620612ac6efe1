from django.urls import path

from media import views

app_name = "media"
urlpatterns = [
    path("videos/<uuid:key>/<path:name>", views.deliver, name="deliver"),
    path("grant/", views.check_grant, name="grant"),
]
