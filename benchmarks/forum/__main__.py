"""`python -m benchmarks.forum`: what the pages of the forum cost, on a PostgreSQL of its own, served by gunicorn.

First 5,000 topics of 20 posts: wrk with 8 connections asks for the list and for topics, as nobody and as somebody who
is signed in. CPU per request is that of the web processes and of the database together. wrk comes with Debian:
`apt-get install wrk`. With `--deep`, 500,000 topics and ten million posts: see deep.py. They take minutes to load and
20 GB: `--keep FOLDER` leaves them there, `--use FOLDER` measures them without loading them again, `--explain` shows how
the database finds what each page asks for, instead of measuring, `--cold` measures from the disk, `--only TEXT` leaves
out pages whose names lack it.
"""

import argparse
import shutil
import sys
from pathlib import Path

from benchmarks.forum import serving
from tests.worker import postgres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=int, default=0, help="5,000, with --deep 500,000")
    parser.add_argument("--posts", type=int, default=20, help="of each topic")
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement with wrk")
    parser.add_argument("--deep", action="store_true", help="what must not grow with the forum")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="load there, and leave it")
    parser.add_argument("--use", type=Path, metavar="FOLDER", help="measure what was kept there")
    parser.add_argument("--load-only", action="store_true", help="measure nothing now")
    parser.add_argument(
        "--cold", action="store_true", help="with --deep: nothing of the database is in memory before each page"
    )
    parser.add_argument("--explain", action="store_true", help="with --deep: rows and buffers, not times")
    parser.add_argument("--only", default="", metavar="TEXT", help="with --deep: of the pages those that are named so")
    options = parser.parse_args()
    if postgres.programs() is None:
        sys.exit("PostgreSQL is not installed here: apt-get install postgresql")
    if not options.deep and shutil.which("wrk") is None:
        sys.exit("wrk is not installed here, and without it nothing can be measured: apt-get install wrk")
    if options.cold and not options.use:
        sys.exit("--cold measures what was kept: --use FOLDER")
    if options.use and not (options.use / "data").exists():
        sys.exit(f"{options.use} holds no database")
    if options.keep and (options.keep / "data").exists():
        sys.exit(f"{options.keep} holds a database already: --use it, or remove it")
    topics = options.topics or (500_000 if options.deep else 5_000)
    print(f"{topics} topics, {topics * options.posts} posts", flush=True)
    kept = options.keep or options.use
    with serving.loaded(lambda: _load(options.deep, topics, options.posts), kept=kept, is_cold=options.cold) as url:
        if options.load_only:
            return
        if options.deep:
            from benchmarks.forum import deep

            if options.explain:
                deep.explain(options.only)
            else:
                deep.measure(url, only=options.only, cold=options.use if options.cold else None)
        else:
            from benchmarks.forum import busy

            busy.measure(url, topics, options.posts, options.seconds)


def _load(is_deep: bool, topics: int, posts: int) -> None:
    from benchmarks.forum import crowd, stock

    if is_deep:
        crowd.load_deep(topics, posts)
    else:
        stock.load(topics, posts)


if __name__ == "__main__":
    main()
