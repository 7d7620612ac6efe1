from django.urls import path

from webinars.views import watch

app_name = "webinars"
urlpatterns = [
    path("<int:webinar_id>/", watch.watch, name="watch"),
    path("<int:webinar_id>/keep-alive/", watch.keep_alive, name="keep_alive"),
]
