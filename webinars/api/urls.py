from django.urls import URLPattern, path

from webinars.api import registrations, room, views

urlpatterns: list[URLPattern] = [
    path("webinars/<int:webinar_id>/playback/", views.PlaybackView.as_view(), name="webinar-playback"),
    path("webinars/<int:webinar_id>/play-sessions/", views.PlaySessionsView.as_view(), name="webinar-play-sessions"),
    path("webinars/<int:webinar_id>/beats/", views.BeatsView.as_view(), name="webinar-beats"),
    path("webinars/<int:webinar_id>/events/", room.EventsView.as_view(), name="webinar-events"),
    path(
        "webinars/<int:webinar_id>/registration/",
        registrations.RegistrationView.as_view(),
        name="webinar-registration",
    ),
]
