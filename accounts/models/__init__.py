from accounts.models.access import AuditEvent, Device, Invitation, LimitCounter, PendingImport, SignInRequest
from accounts.models.people import User, UserManager

__all__ = [
    "AuditEvent",
    "Device",
    "Invitation",
    "LimitCounter",
    "PendingImport",
    "SignInRequest",
    "User",
    "UserManager",
]
