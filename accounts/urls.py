"""Sign-in, invitation and account pages.

allauth's own list of pages is not included: sign-up, e-mail management, password reset and its sign-in page would be
second doors with other rules. The names without a namespace are those that allauth looks up.
"""

from allauth.account.views import reauthenticate
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import invitation, profile, sign_in

app = [
    path("sign-in/link/<str:token>/", sign_in.link, name="sign_in_link"),
    path("sign-in/link/<str:token>/new/", sign_in.new_link, name="sign_in_link_new"),
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("sign-in/password/", sign_in.password, name="sign_in_password"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("invitation/<str:token>/", invitation.show, name="invitation"),
    path("invitation/<str:token>/new/", invitation.new_link, name="invitation_new"),
    path("language/", profile.language, name="language"),
    path("account/", profile.profile, name="profile"),
    path("account/time-zone/", profile.time_zone, name="time_zone"),
    path("account/devices/", profile.device_list, name="devices"),
    path("account/devices/end-others/", profile.end_other_devices, name="end_other_devices"),
    path("account/devices/<uuid:device_id>/end/", profile.end_device, name="end_device"),
    path("account/password/", profile.password, name="password"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((app, "accounts"))),
    path("sign-in/", sign_in.start, name="account_login"),
    path("account/sign-out/", sign_in.sign_out, name="account_logout"),
    path("account/reauthenticate/", reauthenticate, name="account_reauthenticate"),
    path("account/second-step/", include("allauth.mfa.urls")),
]
