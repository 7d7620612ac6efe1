from django.urls import URLPattern, path

from assessments.views import attempts, evaluations, images, marking, ranking

app_name = "assessments"
urlpatterns: list[URLPattern] = [
    path("tests/<int:quiz_id>/", attempts.quiz, name="quiz"),
    path("tests/<int:quiz_id>/start/", attempts.start, name="start"),
    path("tests/<int:quiz_id>/ranking/", ranking.ranking, name="ranking"),
    path("tests/<int:quiz_id>/ranking/name/", ranking.name, name="ranking_name"),
    path("tests/images/<int:image_id>/", images.image, name="image"),
    path("attempts/<int:attempt_id>/", attempts.attempt, name="attempt"),
    path("attempts/<int:attempt_id>/questions/", attempts.questions, name="questions"),
    path("attempts/<int:attempt_id>/questions/<int:position>/", attempts.answer, name="answer"),
    path("attempts/<int:attempt_id>/finish/", attempts.finish, name="finish"),
    path("attempts/<int:attempt_id>/result/", attempts.result, name="result"),
    path("marking/", marking.desks, name="marking"),
    path("marking/<int:quiz_id>/", marking.desk, name="marking_desk"),
    path("marking/<int:quiz_id>/next/", marking.take, name="marking_next"),
    path("marking/answers/<int:answer_id>/", marking.answer, name="marking_answer"),
    path("marking/answers/<int:answer_id>/put-off/", marking.off, name="marking_off"),
    path("evaluations/<int:evaluation_id>/", evaluations.evaluation, name="evaluation"),
]
