from django.urls import path

from lms import dev_mail

app_name = "dev_mail"
urlpatterns = [
    path("", dev_mail.inbox, name="inbox"),
    path("<str:name>/html/", dev_mail.html_part, name="html"),
]
