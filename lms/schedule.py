"""What beat sends, and how often in seconds. A name is never used for another task: RedBeat keeps it in Redis."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "accounts-sweep": {"task": "accounts.tasks.sweep", "schedule": 60.0},
    "accounts-tidy": {"task": "accounts.tasks.tidy", "schedule": 3600.0},
    "courses-sweep": {"task": "courses.tasks.sweep", "schedule": 60.0},
    "submit-overdue": {"task": "assessments.submit_overdue", "schedule": 5.0},
    "mark-again": {"task": "assessments.mark_again", "schedule": 30.0},
    "refresh-rankings": {"task": "assessments.refresh_rankings", "schedule": 10.0},
    "make-reports": {"task": "assessments.make_due_reports", "schedule": 60.0},
    "media-sweep": {"task": "media.tasks.sweep", "schedule": 60.0},
    "sweep-broadcasts": {"task": "webinars.sweep_broadcasts", "schedule": 15.0},
    "tend-recordings": {"task": "webinars.tend_recordings", "schedule": 15.0},
    "settle-watch-records": {"task": "webinars.settle_watch_records", "schedule": 30.0},
    "close-silent-visits": {"task": "webinars.close_silent_visits", "schedule": 60.0},
    "remove-old-events": {"task": "webinars.remove_old_events", "schedule": 86_400.0},
    "announce-tallies": {"task": "webinars.announce_tallies", "schedule": 10.0},
    "grant-credits": {"task": "certification.grant_credits", "schedule": 300.0},
    "grant-all-credits": {"task": "certification.grant_all_credits", "schedule": 86_400.0},
    "close-settled-activities": {"task": "certification.close_settled", "schedule": 3600.0},
    "issue-certificates": {"task": "certification.issue_due", "schedule": 300.0},
    "make-certificate-files": {"task": "certification.make_missing_files", "schedule": 60.0},
    "make-evidence-packs": {"task": "certification.make_packs", "schedule": 60.0},
    "publish-heads": {"task": "certification.publish_heads", "schedule": 3600.0},
    "send-disclosure-requests": {"task": "certification.send_disclosure_requests", "schedule": 60.0},
    "tell-office": {"task": "certification.tell_office", "schedule": 300.0},
    "plan-messages": {"task": "reminders.plan", "schedule": 60.0},
    "drain-messages": {"task": "reminders.drain", "schedule": 10.0},
    "reconcile-messages": {"task": "reminders.reconcile", "schedule": 60.0},
    "tell-incidents": {"task": "operations.tell_incidents", "schedule": 20.0},
    "tend-capacity": {"task": "operations.tend_capacity", "schedule": 300.0},
}
