from rest_framework import authentication
from rest_framework.request import Request


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie, with CSRF checked on every unsafe method.

    DRF answers 403 to the signed-out unless the scheme has a challenge to offer; with one they get the right 401.
    """

    def authenticate_header(self, request: Request) -> str:
        return "Session"
