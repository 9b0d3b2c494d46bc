"""Large content: stored once under its sha256, reachable only through a repository that holds it."""

from datetime import datetime

from django.db import models

from models_hub.models.repos import Repo


class Blob(models.Model):
    """A large file's bytes. Stored whole in the blob store, or as pieces of xorbs.

    `pointer_oid` is the git id of its LFS pointer file: that is how a tree refers to it.
    `dtypes` counts the parameters of a safetensors file by dtype; None until its header was read and found true.
    `header` is what the header of a file of weights tells beyond that, see counting.py; None until it was read.
    `unheld_since` is when the collector first found no repository with a right to it.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    pointer_oid = models.CharField(max_length=40, unique=True)
    in_pieces = models.BooleanField(default=False)
    xet_hash = models.CharField(max_length=64, blank=True, db_index=True)
    dtypes = models.JSONField(null=True)
    header = models.JSONField(null=True)
    unheld_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # Set on a blob that is no row yet: the mirror whose upstream hub still has the bytes; see AwaitedBlob.
    awaited_by: Repo | None = None

    def __str__(self) -> str:
        return self.sha256


class RepoBlob(models.Model):
    """A repository's right to a blob: given only when the bytes, not just their digest, were shown to us for it.

    `unreferenced_since` is when the collector first found no reference that leads to it; use clears the mark.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="repo_blobs")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="repo_blobs")
    created_at = models.DateTimeField(auto_now_add=True)
    unreferenced_since = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "blob"), name="repo_blob_once"),)

    def __str__(self) -> str:
        return f"{self.repo_id}: {self.blob_id}"


class XorbQuerySet(models.QuerySet["Xorb"]):
    def unreferenced(self, *, before: datetime) -> "XorbQuerySet":
        """Those that no file uses and that nobody has sent since `before`: clients may refer to what they sent.

        A client remembers what it sent for three weeks: take `before` longer ago. A row may be deleted at any
        moment, a file that came in between protects it; the bytes at `key` may belong to other rows too: to a blob
        kept whole, or to a xorb of the same bytes in other chunks.
        """
        return self.filter(pieces__isnull=True, created_at__lt=before).exclude(rights__renewed_at__gte=before)


class Xorb(models.Model):
    """A container of chunks that a Xet client sent, kept uncompressed in the blob store under `key` (a sha256).

    `chunks` packs the chunk table: for each chunk its 32-byte hash and its length as u32, little endian.
    """

    hash = models.CharField(max_length=64, unique=True)
    key = models.CharField(max_length=64)
    size = models.BigIntegerField()
    chunk_count = models.PositiveIntegerField()
    chunks = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = XorbQuerySet.as_manager()

    def __str__(self) -> str:
        return self.hash


class Piece(models.Model):
    """One run of chunks of a xorb, which is a plain byte range of it; a file is its pieces in order."""

    blob = models.ForeignKey(Blob, models.CASCADE, related_name="pieces")
    index = models.PositiveIntegerField()
    xorb = models.ForeignKey(Xorb, models.PROTECT, related_name="pieces")
    first_chunk = models.PositiveIntegerField()
    end_chunk = models.PositiveIntegerField()
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    # Where the piece starts in the file: a range request finds its first piece by this.
    position = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("blob", "index"), name="piece_once"),)

    def __str__(self) -> str:
        return f"{self.blob_id}[{self.index}]"
