from django.urls import URLPattern, path

from certification.views import certificates, credit, disclosures, ledger, my_data, verify

app_name = "certification"
urlpatterns: list[URLPattern] = [
    path("disclosures/<str:token>/", disclosures.disclosure, name="disclosure"),
    path("disclosures/<str:token>/thanks/", disclosures.thanks, name="disclosure_thanks"),
    path("activities/<int:activity_id>/disclosures/", disclosures.sheet, name="sheet"),
    path("credits/", credit.overview, name="credits"),
    path("credits/transcript.csv", credit.transcript, name="transcript"),
    path("credits/transcript.pdf", credit.transcript_pdf, name="transcript_pdf"),
    path("credits/<int:accreditation_id>/", credit.counted, name="credit"),
    path("credits/<int:accreditation_id>/claim/", credit.take, name="claim"),
    path("certificates/", certificates.certificates, name="certificates"),
    path("certificates/<str:public_id>/", certificates.certificate, name="certificate"),
    path("account/data/", my_data.my_data, name="my_data"),
    path("account/data/download/", my_data.download, name="download_data"),
    path("account/data/erasure/", my_data.erasure, name="erasure"),
    path("account/data/erasure/withdraw/", my_data.withdraw, name="withdraw_erasure"),
    path("verify/", verify.verify, name="verify"),
    path("verify/check/", verify.check, name="check"),
    path("verify/<str:public_id>/", verify.verify_one, name="verify_one"),
    path("verify/<str:public_id>/badge/", verify.badge, name="badge"),
    path("verify/<str:public_id>/badge/status/", verify.badge_status, name="badge_status"),
    path(".well-known/did.json", verify.keys, name="keys"),
    path("ledger/", ledger.ledger, name="ledger"),
]
