"""Rows of the hub."""

from models_hub.models.access import AccessRequest
from models_hub.models.aliases import RepoAlias
from models_hub.models.annotations import Annotation, AnnotationQueue, AnnotationRow
from models_hub.models.base_scores import BaseScore
from models_hub.models.card_reviews import CardReview
from models_hub.models.collections import Collection, CollectionItem, CollectionUpvote
from models_hub.models.contents import Blob, Piece, RepoBlob, Xorb
from models_hub.models.deletions import Deletion
from models_hub.models.downloads import Download, DownloadDay, Downloader
from models_hub.models.known_chunks import KnownChunk
from models_hub.models.labels import Label
from models_hub.models.likes import Like
from models_hub.models.locks import FileLock
from models_hub.models.mirrors import AwaitedBlob, ContentUse, Import, Mirror
from models_hub.models.objects import Commit, GitObject
from models_hub.models.pull_requests import Numbering, Proposer, PullRequest
from models_hub.models.quotas import QuotaAccount, QuotaEntry, Reservation, XorbHolding
from models_hub.models.ref_rules import RefRule, Review
from models_hub.models.refs import Ref
from models_hub.models.releases import Release
from models_hub.models.repos import DEFAULT_BRANCH, ZERO_OID, Repo, RepoQuerySet
from models_hub.models.restrictions import BlockedDigest, Restriction
from models_hub.models.runs import Run, RunAid, RunPoint, Study
from models_hub.models.search import CatalogueChange, CatalogueSnapshot, SavedSearch, SearchDocument
from models_hub.models.tensor_comparisons import TensorComparison
from models_hub.models.upkeep import DamagedContent, RepoMeasure, UpkeepRun
from models_hub.models.uploads import Upload, UploadFile, UploadPart
from models_hub.models.watches import Watch
from models_hub.models.webhooks import Webhook, WebhookDelivery, WebhookTarget
from models_hub.models.xorb_rights import XorbRight

__all__ = [
    "DEFAULT_BRANCH",
    "ZERO_OID",
    "AccessRequest",
    "Annotation",
    "AnnotationQueue",
    "AnnotationRow",
    "AwaitedBlob",
    "BaseScore",
    "Blob",
    "BlockedDigest",
    "CardReview",
    "CatalogueChange",
    "CatalogueSnapshot",
    "Collection",
    "CollectionItem",
    "CollectionUpvote",
    "Commit",
    "ContentUse",
    "DamagedContent",
    "Deletion",
    "Download",
    "DownloadDay",
    "Downloader",
    "FileLock",
    "GitObject",
    "Import",
    "KnownChunk",
    "Label",
    "Like",
    "Mirror",
    "Numbering",
    "Piece",
    "Proposer",
    "PullRequest",
    "QuotaAccount",
    "QuotaEntry",
    "Ref",
    "RefRule",
    "Release",
    "Repo",
    "RepoAlias",
    "RepoBlob",
    "RepoMeasure",
    "RepoQuerySet",
    "Reservation",
    "Restriction",
    "Review",
    "Run",
    "RunAid",
    "RunPoint",
    "SavedSearch",
    "SearchDocument",
    "Study",
    "TensorComparison",
    "UpkeepRun",
    "Upload",
    "UploadFile",
    "UploadPart",
    "Watch",
    "Webhook",
    "WebhookDelivery",
    "WebhookTarget",
    "Xorb",
    "XorbHolding",
    "XorbRight",
]
