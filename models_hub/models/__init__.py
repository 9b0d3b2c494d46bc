"""Rows of the hub."""

from models_hub.models.contents import Blob, Piece, RepoBlob, Xorb
from models_hub.models.labels import Label
from models_hub.models.objects import Commit, GitObject
from models_hub.models.refs import Ref
from models_hub.models.repos import DEFAULT_BRANCH, ZERO_OID, Repo, RepoQuerySet

__all__ = [
    "DEFAULT_BRANCH",
    "ZERO_OID",
    "Blob",
    "Commit",
    "GitObject",
    "Label",
    "Piece",
    "Ref",
    "Repo",
    "RepoBlob",
    "RepoQuerySet",
    "Xorb",
]
