"""How the web process is served: gunicorn with threads, so that a slow upload holds a thread and not a process.

Behind a proxy that buffers or without one: portal/config/web_worker.py keeps slow clients from using the threads up.
"""

import ctypes
import gc
from pathlib import Path
from typing import Any

from portal.config import env, warming

_host = env.text("HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{env.number('PORT', 8000)}"
worker_class = "portal.config.web_worker.PatientWorker"
workers = env.number("WEB_PROCESSES", 2)
threads = env.number("WEB_THREADS", 24)  # a quarter of them is for pages; they are made when they are needed
# Imported once before the fork: the workers share the pages that they never write to.
preload_app = True
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

# glibc gives threads heaps of their own and keeps what was free once: four transfers of 4 GiB left 35 MB more.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
if hasattr(_libc := ctypes.CDLL(None), "mallopt"):
    _libc.mallopt(M_ARENA_MAX, 2)
    _libc.mallopt(M_TRIM_THRESHOLD, 128 * 1024)
    _libc.mallopt(M_MMAP_THRESHOLD, 128 * 1024)


def when_ready(server: object) -> None:
    """Before the fork: what is loaded lives as long as the process, so the collector need not write to its pages."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """After the fork, and before the first request."""
    warming.warm_up(worker.wsgi, worker.tpool)
