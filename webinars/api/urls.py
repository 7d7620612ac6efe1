from django.urls import URLPattern, path

from webinars.api import desk, desk_room, polls, questions, registrations, room, stage, views

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
    path("webinars/<int:webinar_id>/questions/", questions.QuestionsView.as_view(), name="webinar-questions"),
    path(
        "webinars/<int:webinar_id>/questions/<int:question_id>/votes/",
        questions.VotesView.as_view(),
        name="webinar-question-votes",
    ),
    path(
        "webinars/<int:webinar_id>/questions/<int:question_id>/messages/",
        questions.MessagesView.as_view(),
        name="webinar-question-messages",
    ),
    path("webinars/<int:webinar_id>/polls/", polls.PollsView.as_view(), name="webinar-polls"),
    path("webinars/<int:webinar_id>/polls/<int:poll_id>/vote/", polls.PollVoteView.as_view(), name="webinar-poll-vote"),
    path(
        "webinars/<int:webinar_id>/stage/questions/", stage.StageQuestionsView.as_view(), name="webinar-stage-questions"
    ),
    path("webinars/<int:webinar_id>/stage/polls/", stage.StagePollsView.as_view(), name="webinar-stage-polls"),
    path(
        "webinars/<int:webinar_id>/stage/questions/<int:question_id>/<slug:stage_move>/",
        stage.StageMoveView.as_view(),
        name="webinar-stage-move",
    ),
    path("webinars/<int:webinar_id>/desk/questions/", desk.DeskQuestionsView.as_view(), name="webinar-desk-questions"),
    path(
        "webinars/<int:webinar_id>/desk/questions/<int:question_id>/<slug:move>/",
        desk.DeskMoveView.as_view(),
        name="webinar-desk-move",
    ),
    path("webinars/<int:webinar_id>/desk/replies/", desk.RepliesView.as_view(), name="webinar-desk-replies"),
    path("webinars/<int:webinar_id>/desk/polls/", desk_room.DeskPollsView.as_view(), name="webinar-desk-polls"),
    path(
        "webinars/<int:webinar_id>/desk/polls/<int:poll_id>/",
        desk_room.DeskPollView.as_view(),
        name="webinar-desk-poll",
    ),
    path(
        "webinars/<int:webinar_id>/desk/polls/<int:poll_id>/<slug:poll_move>/",
        desk_room.DeskPollMoveView.as_view(),
        name="webinar-desk-poll-move",
    ),
    path(
        "webinars/<int:webinar_id>/desk/announcements/",
        desk_room.AnnouncementsView.as_view(),
        name="webinar-desk-announcements",
    ),
    path("webinars/<int:webinar_id>/desk/pins/", desk_room.PinsView.as_view(), name="webinar-desk-pins"),
    path("webinars/<int:webinar_id>/desk/pins/<int:pin_id>/", desk_room.PinView.as_view(), name="webinar-desk-pin"),
    path("webinars/<int:webinar_id>/desk/people/", desk_room.RestrictedView.as_view(), name="webinar-desk-people"),
    path(
        "webinars/<int:webinar_id>/desk/people/<int:user_id>/<slug:person_move>/",
        desk_room.PersonMoveView.as_view(),
        name="webinar-desk-person-move",
    ),
    path("webinars/<int:webinar_id>/desk/lanes/", desk_room.LanesView.as_view(), name="webinar-desk-lanes"),
    path("webinars/<int:webinar_id>/desk/log/", desk_room.LogView.as_view(), name="webinar-desk-log"),
]
