from django.contrib import admin
from django.urls import path

from webinars.admin import desk

app_name = "desk"
urlpatterns = [
    path("", admin.site.admin_view(desk.desk_list), name="list"),
    path("<int:webinar_id>/", admin.site.admin_view(desk.desk), name="page"),
    path("<int:webinar_id>/data/", admin.site.admin_view(desk.data), name="data"),
    path("<int:webinar_id>/status/", admin.site.admin_view(desk.status), name="status"),
    path("<int:webinar_id>/people/", admin.site.admin_view(desk.people), name="people"),
    path("<int:webinar_id>/door/", admin.site.admin_view(desk.door), name="door"),
    path("<int:webinar_id>/door/<int:request_id>/<slug:door_move>/", admin.site.admin_view(desk.decide), name="decide"),
    path("<int:webinar_id>/state/<slug:state_move>/", admin.site.admin_view(desk.change_state), name="change_state"),
]
