"""Rows of the hub."""

from models_hub.models.access import AccessRequest
from models_hub.models.aliases import RepoAlias
from models_hub.models.collections import Collection, CollectionItem, CollectionUpvote
from models_hub.models.contents import Blob, Piece, RepoBlob, Xorb
from models_hub.models.downloads import Download, DownloadDay
from models_hub.models.labels import Label
from models_hub.models.likes import Like
from models_hub.models.objects import Commit, GitObject
from models_hub.models.pull_requests import Numbering, Proposer, PullRequest
from models_hub.models.quotas import QuotaAccount, QuotaEntry, Reservation, XorbHolding
from models_hub.models.refs import Ref
from models_hub.models.repos import DEFAULT_BRANCH, ZERO_OID, Repo, RepoQuerySet
from models_hub.models.upkeep import DamagedContent, RepoMeasure, UpkeepRun
from models_hub.models.webhooks import Webhook, WebhookDelivery, WebhookTarget

__all__ = [
    "DEFAULT_BRANCH",
    "ZERO_OID",
    "AccessRequest",
    "Blob",
    "Collection",
    "CollectionItem",
    "CollectionUpvote",
    "Commit",
    "DamagedContent",
    "Download",
    "DownloadDay",
    "GitObject",
    "Label",
    "Like",
    "Numbering",
    "Piece",
    "QuotaAccount",
    "QuotaEntry",
    "Proposer",
    "PullRequest",
    "Ref",
    "Repo",
    "RepoAlias",
    "RepoBlob",
    "RepoMeasure",
    "RepoQuerySet",
    "Reservation",
    "UpkeepRun",
    "Webhook",
    "WebhookDelivery",
    "WebhookTarget",
    "Xorb",
    "XorbHolding",
]
