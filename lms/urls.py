from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from accounts.views import sign_in
from core.api.views import NowhereView
from reminders.views import callbacks
from webinars.views import front

admin.autodiscover()  # before some are read by what is included: inlines stand in the order of the apps

handler400 = "lms.errors.bad_request"
handler403 = "lms.errors.permission_denied"
handler404 = "lms.errors.page_not_found"
handler500 = "lms.errors.server_error"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("lms.page_urls")),
    path("", include("accounts.urls")),
    path("", include("operations.urls")),
    path("dev/mail/", include("lms.dev_mail_urls")),
    path("admin/login/", sign_in.admin_entrance),
    path("admin/logout/", sign_in.sign_out),
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password")),
    path("admin/invite-people/", include("lms.people_import")),
    path("admin/webinars/desk/", include("webinars.admin.desk_urls")),
    path("admin/webinars/recordings/", include("webinars.admin.recording")),
    path("admin/", admin.site.urls),
    path("internal/rtmp/publish/", front.publish),
    path("internal/rtmp/publish-done/", front.publish_done),
    path("media/", include("media.urls")),
    path("callbacks/<slug:name>/", callbacks.receive, name="callback"),
    path("api/v1/", include("lms.api_urls")),
    re_path(r"^api/", NowhereView.as_view()),
]
