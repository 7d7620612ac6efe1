from django.urls import URLPattern, path

from accounts.api import views

urlpatterns: list[URLPattern] = [
    path("me/", views.MeView.as_view(), name="me"),
    path("devices/", views.DevicesView.as_view(), name="devices"),
    path("devices/sign-out-others/", views.SignOutOthersView.as_view(), name="devices-sign-out-others"),
    path("devices/<uuid:device_id>/", views.DeviceView.as_view(), name="device"),
]
