"""What calls of boto3 have in common: never twice, and what their failures mean."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from django.conf import settings

from reminders.transports.base import NOT_REACHED, Refused, Uncertain
from reminders.transports.calling import CONNECT_SECONDS, LANES, WRONG_CREDENTIALS_SECONDS, read_seconds

SLOW = {"ThrottlingException", "TooManyRequestsException", "LimitExceededException", "ServiceQuotaExceededException"}
WRONG = {"AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch"}
CREDENTIALS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the role of the machine"
# botocore would send again by itself after a failure, without knowing whether the first was taken.
CONFIG: dict[str, Any] = {
    "retries": {"total_max_attempts": 1, "mode": "standard"},
    "connect_timeout": CONNECT_SECONDS,
    "max_pool_connections": LANES,
}


def client(service: str) -> Any:
    """Of a session of its own: the one that boto3 keeps for all is not made for several threads."""
    session: Any = boto3.session.Session()
    return session.client(service, **client_options())


def client_options() -> dict[str, Any]:
    return {
        "region_name": settings.AWS_REGION,
        "endpoint_url": settings.AWS_ENDPOINT_URL or None,
        "config": Config(**CONFIG, read_timeout=read_seconds()),
    }


def what_it_means(problem: BaseException) -> Refused | Uncertain | None:
    """None: a code of the service's own, for it to read."""
    if isinstance(problem, ClientError):
        return _of_answer(problem)
    if isinstance(problem, NoCredentialsError | PartialCredentialsError):
        why = f"no credentials: {CREDENTIALS}"
        return Refused(why, is_temporary=True, retry_after=WRONG_CREDENTIALS_SECONDS)
    if isinstance(problem, ParamValidationError):
        return Refused("not a message for AWS")
    if isinstance(problem, EndpointConnectionError | ConnectTimeoutError):
        return Refused(f"no connection ({type(problem).__name__})", is_temporary=True)
    if isinstance(problem, BotoCoreError):
        return Uncertain(f"no answer ({type(problem).__name__})")
    return Uncertain(f"not understood ({type(problem).__name__})")


def _of_answer(problem: ClientError) -> Refused | Uncertain | None:
    code = str(problem.response.get("Error", {}).get("Code", ""))
    status = int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500:
        return Uncertain(f"HTTP {status}")
    if code in SLOW or status == 429:
        return Refused(f"too many messages ({code})", is_temporary=True)
    if code in WRONG or status in {401, 403}:
        why = f"credentials refused ({code}): {CREDENTIALS}"
        return Refused(why, is_temporary=True, retry_after=WRONG_CREDENTIALS_SECONDS)
    return None


def problem_of(problem: BaseException) -> str:
    """For `Transport.check`."""
    result = what_it_means(problem)
    if result is None or not isinstance(result, Refused) or "credentials" not in result.why:
        return f"{NOT_REACHED}: {result.why if result else code_of(problem)}"
    return result.why


def code_of(problem: BaseException) -> str:
    return str(problem.response.get("Error", {}).get("Code", "")) if isinstance(problem, ClientError) else ""
