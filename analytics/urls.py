from django.urls import path

from analytics.views import exporting, learning, operating, presenting, quality, report_paper, sharing

app_name = "analytics"
urlpatterns = [
    path("progress/<slug:slug>/", learning.progress, name="progress"),
    path("progress/<slug:slug>/comparison/", learning.comparison, name="comparison"),
    path("presenting/", presenting.lectures, name="lectures"),
    path("presenting/<int:webinar_id>/", presenting.lecture, name="lecture"),
    path("presenting/<int:webinar_id>/report.pdf", report_paper.report_pdf, name="lecture_pdf"),
    path(
        "presenting/<int:webinar_id>/export/<slug:webinar_dataset>.<slug:form>",
        exporting.of_webinar,
        name="export_webinar",
    ),
    path(
        "reports/<slug:slug>/export/<slug:programme_dataset>.<slug:form>",
        exporting.of_programme,
        name="export_programme",
    ),
    path("reports/<slug:slug>/quality/", quality.quality, name="quality"),
    path("numbers/", exporting.definitions, name="definitions"),
    path("shared/", sharing.programmes, name="shared_programmes"),
    path("shared/<slug:slug>/", sharing.figures, name="shared"),
    path("shared/<slug:slug>/figures.<slug:form>", sharing.take, name="shared_file"),
    path("account/sharing/", sharing.consents, name="sharing"),
    path("account/sharing/<slug:slug>/agree/", sharing.agree, name="share"),
    path("account/sharing/<slug:slug>/withdraw/", sharing.withdraw, name="withdraw_sharing"),
    path("reports/", operating.programmes, name="reports"),
    path("reports/<slug:slug>/at-risk/", operating.risks, name="risks"),
]
