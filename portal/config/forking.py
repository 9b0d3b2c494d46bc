"""Web processes that part from one which loads the pages and then ends, so that gunicorn itself stays small.

With `preload_app` gunicorn loads the pages itself and stays their parent: of each page of memory that its workers have
written to, and they do where Python counts references, it keeps a copy of its own that nobody reads. Here a process
between them loads and forks. When it ends, the kernel gives its children to gunicorn, which watches them as if it had
forked them. A worker that is started later, for one that has died, shares its memory with no other.
"""

import ctypes
import gc
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.errors import HaltServer

PR_SET_CHILD_SUBREAPER = 36
ADOPTION_SECONDS = 10.0


def adopt_orphans() -> bool:
    """Make children of children that end ours, and say whether this system can do that: Linux alone does."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return prctl is not None and prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def freeze() -> None:
    """Before the fork: what is loaded lives as long as the process, so the collector need not write to its pages."""
    gc.collect()
    gc.freeze()


def start_together(server: Any) -> None:
    """Let gunicorn's arbiter start its workers in this way from now on: it has no setting for it."""
    server.spawn_worker = partial(_start, server, lambda: 1)
    server.spawn_workers = partial(_start, server, lambda: server.num_workers - len(server.WORKERS))


def _start(server: Any, count: Callable[[], int]) -> None:
    workers = [_worker(server) for _ in range(count())]
    if not workers:
        return
    server.pipe = os.pipe()
    loader = os.fork()
    if loader == 0:
        _load_and_part(server, workers)
    _register(server, workers)
    _, status = os.waitpid(loader, 0)
    if status:
        raise HaltServer("The application could not be loaded.", server.APP_LOAD_ERROR)


def _worker(server: Any) -> Any:
    """Return a worker that has no process yet: gunicorn looks at its heartbeat, so that it is made there."""
    server.worker_age += 1
    given = (server.LISTENERS, server.app, server.timeout / 2.0, server.cfg, server.log)
    return server.worker_class(server.worker_age, server.pid, *given)


def _load_and_part(server: Any, workers: list[Any]) -> None:
    """In the process between: load the pages, become the parent of the workers, and end. Only workers return."""
    try:
        server.app.wsgi()
        freeze()
        remaining = iter(workers)
        server.worker_class = lambda *_: next(remaining)
        for _ in workers:
            type(server).spawn_worker(server)  # a worker leaves it by SystemExit
    except SystemExit:
        raise
    except BaseException:
        server.log.exception("The application could not be loaded")
        os._exit(server.APP_LOAD_ERROR)
    os._exit(0)


def _register(server: Any, workers: list[Any]) -> None:
    """Wait until all workers have told their ids, or have died, and watch them."""
    reading, writing = server.pipe
    os.close(writing)
    with os.fdopen(reading) as lines:
        ids = {int(age): int(pid) for age, pid in (line.split() for line in lines)}
    for worker in workers:
        if pid := ids.get(worker.age):
            worker.pid = pid
            server.WORKERS[pid] = worker
        else:
            worker.tmp.close()


def join(server: Any, worker: Any) -> None:
    """In a new worker: tell gunicorn who this is, and wait until it is the parent, without which a worker ends."""
    worker.notify()
    reading, writing = server.pipe
    os.write(writing, b"%d %d\n" % (worker.age, worker.pid))
    os.close(reading)
    os.close(writing)
    deadline = time.monotonic() + ADOPTION_SECONDS
    while os.getppid() != worker.ppid and time.monotonic() < deadline:
        time.sleep(0.005)
