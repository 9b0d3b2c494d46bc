"""How the web process is served: gunicorn with threads, so that a slow upload holds a thread and not a process.

Behind a proxy that buffers or without one: portal/config/web_worker.py keeps slow clients from using the threads up.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from portal.config import env, forking, heap

_host = env.text("HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{env.number('PORT', 8000)}"
worker_class = "portal.config.web_worker.PatientWorker"
workers = env.number("WEB_PROCESSES", 2)
threads = env.number("WEB_THREADS", 24)  # a quarter of them is for pages; they are made when they are needed
# Pages are loaded once before the fork, and the workers share the memory that they never write to.
_together = forking.adopt_orphans()
preload_app = not _together
# A thread may stream a large file for long; a process is only judged by its own heartbeat.
timeout = 60
graceful_timeout = 20
keepalive = 5
loglevel = "warning"
control_socket_disable = True  # it would lie in the home folder, one for all installations
# Names of files may be long, and every byte of them may be quoted as three.
limit_request_line = 8190
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")
accesslog = "-" if env.flag("ACCESS_LOG") else None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'  # no query string: it may carry a signature
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the heartbeat must not touch a disk

heap.give_back()


def on_starting(server: Any) -> None:
    """Before the first worker."""
    if _together:
        forking.start_together(server)


def when_ready(server: Any) -> None:
    """Before the fork, where gunicorn itself has loaded the pages."""
    if preload_app:
        forking.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """In each worker, first of all."""
    if _together:
        forking.join(server, worker)


def post_worker_init(worker: Any) -> None:
    """When a worker is ready, and before its first request. gunicorn itself needs none of what this loads."""
    import_module("portal.config.warming").warm_up(worker.wsgi, worker.tpool)
