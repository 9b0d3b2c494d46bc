"""Downloads are counted: one for each repository, caller and day, however many files and requests it takes.

What crawlers ask and what clients ask only to see whether something changed (HEAD) is counted apart, in no sum.
A caller is an account, else an address; only a keyed digest of it is kept, for two days, and another one, of an account
or a network, for four months, which tells how many different ones there were. Whom we counted today costs a later
request one look into memory or one indexed read; only the first request of a caller and day writes.
"""

import hashlib
import hmac
import logging
import re
from datetime import date, timedelta

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from models_hub import trending
from models_hub.drafting import WEIGHT_SUFFIXES
from models_hub.models import Download, DownloadDay, Downloader, Repo
from models_hub.models.downloads import APART, Client
from portal import evidence
from portal.models import Asker

logger = logging.getLogger(__name__)

SHOWN_DAYS = 30  # `Repo.downloads` is their sum
WINDOW_DAYS = 30
DOWNLOADER_DAYS = 120  # three whole windows, and the one that runs
KEPT_DAYS = 2  # how long it is known who was counted
REMEMBERED = 10_000
# One of these stands for a model as a whole: every program that loads a model reads one of them.
QUERY_FILES = frozenset({"config.json", "adapter_config.json", "model_index.json", "modules.json"})
# Who fetches weights alone has the model too.
QUERY_ENDINGS = WEIGHT_SUFFIXES
# Words by which crawlers name themselves.
_BOT = re.compile(r"bot\b|crawl|spider|slurp|preview|facebookexternalhit|monitor|scan", re.IGNORECASE)
# The beginning of what each kind of program calls itself, as far as one tells it.
_KINDS = (
    (re.compile(r"\bhf_hub/|huggingface_hub|python-requests|python-httpx|\bfsspec\b"), Client.LIBRARY),
    (re.compile(r"^git(-lfs)?/"), Client.GIT),
    (re.compile(r"^Mozilla/"), Client.BROWSER),
    (re.compile(r"^(curl|Wget|aria2|HTTPie)/", re.IGNORECASE), Client.COMMAND),
)
DATA_ENDINGS = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".arrow", ".txt", ".zip", ".tar", ".gz", ".zst")

_counted: set[tuple[int, str]] = set()  # of this process; it may forget, for the rows do not


def is_query_file(repo: Repo, path: str) -> bool:
    """Return whether asking for this file alone is taken for a download of the repository."""
    if repo.is_model:
        return path in QUERY_FILES or path.lower().endswith(QUERY_ENDINGS)
    return path.lower().endswith(DATA_ENDINGS)


def client_of(agent: str, *, only_head: bool = False) -> Client:
    """Return what kind of program calls itself so, and whether it got anything."""
    if _BOT.search(agent):
        return Client.BOT
    if only_head:
        return Client.CHECK
    return next((client for pattern, client in _KINDS if pattern.search(agent)), Client.OTHER)


def note(repo: Repo, *, by: Asker, address: str, agent: str = "", only_head: bool = False) -> None:
    """Count a download, unless this caller was counted today. A download never fails for its count."""
    today = timezone.now().date()
    client = client_of(agent[:500], only_head=only_head)
    who = f"user:{by.pk}" if by.is_authenticated else f"address:{address}"
    caller = _digest(today, f"{client}:{who}" if client in APART else who)
    if (repo.pk, caller) in _counted:
        return
    try:
        if not Download.objects.filter(repo=repo, day=today, caller=caller).exists():
            _count(repo, today, caller, client, who)
    except OperationalError as error:  # a busy database
        logger.warning("A download of %s was not counted: %s", repo.full_name, error)
        return
    if len(_counted) >= REMEMBERED:
        forget_counted()
    _counted.add((repo.pk, caller))


def forget_counted() -> None:
    """Empty this process's memory of whom it counted; the rows know."""
    _counted.clear()


def forget_old() -> None:
    """Drop who was counted on past days, and take the days before the last 30 out of `Repo.downloads`."""
    today = timezone.now().date()
    Download.objects.filter(day__lt=today - timedelta(days=KEPT_DAYS - 1)).delete()
    Downloader.objects.filter(window__lte=today - timedelta(days=DOWNLOADER_DAYS)).delete()
    days = DownloadDay.objects.counted().filter(repo=OuterRef("pk"), day__gt=today - timedelta(days=SHOWN_DAYS))
    recent = Coalesce(Subquery(days.order_by().values("repo").annotate(total=Sum("count")).values("total")), 0)
    Repo.objects.filter(downloads__gt=0).exclude(downloads=recent).update(downloads=recent)


def _count(repo: Repo, today: date, caller: str, client: Client, who: str) -> None:
    try:
        with transaction.atomic():
            Download.objects.create(repo=repo, day=today, caller=caller)
            row, _created = DownloadDay.objects.get_or_create(repo=repo, day=today, client=client)
            DownloadDay.objects.filter(pk=row.pk).update(count=F("count") + 1)
            if client in APART:
                return
            _note_downloader(repo, today, who)
            Repo.objects.filter(pk=repo.pk).update(
                downloads=F("downloads") + 1, downloads_all_time=F("downloads_all_time") + 1
            )
            trending.add(repo.pk, trending.DOWNLOAD)
    except IntegrityError:  # counted by another thread at this moment, or the repository has gone
        return


def _note_downloader(repo: Repo, today: date, who: str) -> None:
    """Remember the caller, an account or a network, once in each window of 30 days: what “adopted” is counted from."""
    window = window_of(today)
    Downloader.objects.bulk_create(
        [Downloader(repo=repo, window=window, caller=downloader(repo.pk, who))], ignore_conflicts=True
    )


def window_of(day: date) -> date:
    """Return the first day of the 30 days to which a day belongs."""
    return day - timedelta(days=day.toordinal() % WINDOW_DAYS)


def downloader(repo_id: int, who: str) -> str:
    """Return what stands for an account, or for the network of an address, among those who download a repository."""
    kind, _colon, address = who.partition(":")
    if kind == "address":
        who = f"network:{evidence.network_of(address) or address}"
    text = f"downloader:{repo_id}:{who}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _digest(day: date, caller: str) -> str:
    text = f"download:{day.isoformat()}:{caller}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
