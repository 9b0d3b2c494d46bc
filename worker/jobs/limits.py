"""What one child of a job may take of its machine."""

from django.conf import settings

from worker.sandbox.contracts import Limits

PROCESSES = 256  # threads count as processes
OPEN_FILES = 1024


def limits_of(*, memory_mb: int, threads: int) -> Limits:
    """Return the bounds of a child with so much memory and so many threads, the rest from the settings."""
    return Limits(
        memory_mb=memory_mb,
        cpu_seconds=settings.JOB_MAX_SECONDS * threads,
        wall_seconds=settings.JOB_MAX_SECONDS,
        processes=PROCESSES,
        disk_mb=settings.JOB_DISK_MB,
        open_files=OPEN_FILES,
    )
