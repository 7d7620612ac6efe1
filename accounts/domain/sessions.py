"""Names of what is kept in a session."""

METHOD = "accounts.sign_in_method"  # how the person got in; read when the device is opened
DEVICE_ENDED = "accounts.device_ended"  # why this browser was signed out; the sign-in page explains it once
PENDING = "accounts.sign_in_request"  # id of the request whose code this browser may enter
PENDING_EMAIL = "accounts.sign_in_email"  # what the person typed, to show it again
