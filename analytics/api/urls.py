from django.urls import URLPattern, path

from analytics.api import exporting, reports, views

urlpatterns: list[URLPattern] = [
    path("programmes/", views.ProgrammesView.as_view(), name="programmes"),
    path("programmes/<slug:slug>/", views.ProgrammeView.as_view(), name="programme"),
    path("programmes/<slug:slug>/courses/", views.ProgrammeCoursesView.as_view(), name="programme-courses"),
    path("courses/<int:course_id>/", views.CourseView.as_view(), name="course"),
    path("courses/<int:course_id>/lessons/", views.CourseLessonsView.as_view(), name="course-lessons"),
    path("lessons/<int:lesson_id>/", views.LessonView.as_view(), name="lesson"),
    path(
        "webinars/<int:webinar_id>/playback-reports/",
        reports.PlaybackReportsView.as_view(),
        name="webinar-playback-reports",
    ),
    path("reports/datasets/", exporting.DatasetsView.as_view(), name="datasets"),
    path(
        "reports/webinars/<int:webinar_id>/<slug:webinar_dataset>/",
        exporting.WebinarRowsView.as_view(),
        name="webinar-rows",
    ),
    path(
        "reports/programmes/<slug:slug>/<slug:programme_dataset>/",
        exporting.ProgrammeRowsView.as_view(),
        name="programme-rows",
    ),
]
