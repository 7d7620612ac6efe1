from accounts.models.access import AuditEvent, Device, Invitation, SignInRequest
from accounts.models.people import User, UserManager

__all__ = ["AuditEvent", "Device", "Invitation", "SignInRequest", "User", "UserManager"]
