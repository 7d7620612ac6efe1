"""Why a backup was not made or not restored, in words for whoever sits at the terminal."""


class BackupError(Exception):
    """Nothing was changed: neither the backups that were there nor the database."""


class NoProgramError(BackupError):
    """pg_dump or pg_restore of a fitting version is missing."""


class NotABackupError(BackupError):
    """The file is damaged, cut off, changed since it was made, or of something else."""


class NoSpaceError(BackupError):
    """The disk would be full, and the site with it."""


class NotEmptyError(BackupError):
    """The database that was to be restored into holds something, or somebody uses it."""


class NotTheSameError(BackupError):
    """What came out of the restore is not what went into the backup."""
