from django.urls import URLPattern, path

from assessments.api import evaluations, marking, ranking, views

urlpatterns: list[URLPattern] = [
    path("quizzes/<int:quiz_id>/", views.QuizView.as_view(), name="quiz"),
    path("quizzes/<int:quiz_id>/attempts/", views.AttemptsView.as_view(), name="quiz-attempts"),
    path("quizzes/<int:quiz_id>/ranking/", ranking.RankingView.as_view(), name="quiz-ranking"),
    path("quizzes/<int:quiz_id>/ranking/name/", ranking.RankingNameView.as_view(), name="quiz-ranking-name"),
    path("attempts/<int:attempt_id>/", views.AttemptView.as_view(), name="attempt"),
    path("attempts/<int:attempt_id>/answers/<int:position>/", views.AnswerView.as_view(), name="attempt-answer"),
    path("attempts/<int:attempt_id>/position/", views.GoOnView.as_view(), name="attempt-position"),
    path("attempts/<int:attempt_id>/submission/", views.SubmitView.as_view(), name="attempt-submission"),
    path("attempts/<int:attempt_id>/result/", views.ResultView.as_view(), name="attempt-result"),
    path("marking/", marking.DesksView.as_view(), name="marking"),
    path("marking/<int:quiz_id>/next/", marking.NextAnswerView.as_view(), name="marking-next"),
    path("marking/answers/<int:answer_id>/", marking.PaperView.as_view(), name="marking-answer"),
    path("marking/answers/<int:answer_id>/mark/", marking.MarkView.as_view(), name="marking-mark"),
    path("marking/answers/<int:answer_id>/put-off/", marking.PutOffView.as_view(), name="marking-put-off"),
    path("evaluations/<int:evaluation_id>/", evaluations.EvaluationView.as_view(), name="evaluation"),
]
