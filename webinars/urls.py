from django.urls import path

from webinars.views import live, stage, watch

app_name = "webinars"
urlpatterns = [
    path("<int:webinar_id>/", watch.watch, name="watch"),
    path("<int:webinar_id>/keep-alive/", watch.keep_alive, name="keep_alive"),
    path("<int:webinar_id>/registration/", live.registration, name="registration"),
    path("<int:webinar_id>/questions/", live.ask, name="ask"),
    path("<int:webinar_id>/questions/<int:question_id>/messages/", live.say, name="say"),
    path("<int:webinar_id>/questions/<int:question_id>/vote/", live.vote, name="vote"),
    path("<int:webinar_id>/polls/<int:poll_id>/vote/", live.poll_vote, name="poll_vote"),
    path("<int:webinar_id>/stage/", stage.stage, name="stage"),
    path("<int:webinar_id>/meeting/", live.meeting, name="meeting"),
    path("<int:webinar_id>/meeting/keep/", live.meeting_keep, name="meeting_keep"),
    path("<int:webinar_id>/meeting/leave/", live.meeting_leave, name="meeting_leave"),
]
