from django.urls import path

from webinars import views

app_name = "webinars"
urlpatterns = [
    path("<int:webinar_id>/", views.watch, name="watch"),
    path("<int:webinar_id>/keep-alive/", views.keep_alive, name="keep_alive"),
]
