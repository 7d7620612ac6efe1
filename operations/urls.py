from django.urls import path

from operations import views

app_name = "operations"
urlpatterns = [
    path("status/", views.status_page, name="status"),
    path("status.json", views.status_json, name="status_json"),
]
