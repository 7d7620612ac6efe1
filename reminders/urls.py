from django.urls import URLPattern, path

from reminders.views import calendars, inbox, notices, numbers, preferences, unsubscribing

app_name = "reminders"
urlpatterns: list[URLPattern] = [
    path("u/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    path("messages/", inbox.messages_page, name="messages"),
    path("messages/read/", inbox.read_all, name="read_all"),
    path("messages/<int:message_id>/open/", inbox.open_message, name="open_message"),
    path("account/messages/", preferences.show, name="preferences"),
    path("account/messages/try-again/", preferences.try_again, name="try_again"),
    path("account/messages/number/", numbers.confirm, name="confirm_number"),
    path("account/messages/number/code/", numbers.code, name="number_code"),
    path("account/messages/calendar/", preferences.calendar, name="feed_address"),
    path("account/messages/notices/", notices.add, name="add_notices"),
    path("account/messages/notices/<int:subscription_id>/end/", notices.end, name="end_notices"),
    path("notices.js", notices.worker, name="notices_worker"),
    path("webinars/<int:webinar_id>/calendar/", calendars.add, name="add_to_calendar"),
    path("webinars/<int:webinar_id>/calendar.ics", calendars.download, name="calendar"),
    path("calendar/<str:token>.ics", calendars.feed, name="feed"),
]
