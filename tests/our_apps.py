"""Our own apps: what is measured, and what an image must have."""

APPS = (
    "accounts",
    "analytics",
    "assessments",
    "certification",
    "core",
    "courses",
    "lms",
    "media",
    "operations",
    "reminders",
    "webinars",
)
