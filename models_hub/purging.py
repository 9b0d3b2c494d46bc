"""Large content is removed for good: from the store's books, and from every commit that named it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile, Tree

from models_hub import browsing, describing, drafting, landing, protecting, quotas, rights
from models_hub.contents import SHA256
from models_hub.git import objects
from models_hub.models import DEFAULT_BRANCH, Commit, GitObject, Ref, Repo, RepoBlob
from models_hub.models.pull_requests import pull_number
from models_hub.models.refs import HEADS
from models_hub.protecting import RefChange
from models_hub.publishing import require_manager
from portal.errors import NotFound
from portal.models import Asker, Event, User


def purge(repo: Repo, digests: Iterable[str], *, by: Asker, rewrite_history: bool) -> int:
    """Remove large content from a repository for good; returns how many bytes its owner gets back.

    With `rewrite_history`, every branch, tag and pull request goes on without the files, under new commit ids, and
    the commits that named them are gone. Without it, commits still name the files, and their content is missing.
    """
    user = require_manager(by, repo)
    with transaction.atomic():
        account = quotas.hold(repo)
        wanted = [digest for digest in digests if SHA256.fullmatch(digest)][:1000]
        found = RepoBlob.objects.filter(repo=repo, blob__sha256__in=wanted).select_related("blob")
        held = list(found)
        if not held:
            raise NotFound(_("This repository has none of these files."))
        if rewrite_history:
            freed = _Rewriting(repo, user, {right.blob.pointer_oid for right in held}).run()
            quotas.charge(account, repo, -freed, reason=quotas.Reason.COLLECTED)
        given_back = rights.take(account, repo, [right.pk for right in held])
        Event.record(
            "repo.content_removed",
            subject=f"repo:{repo.pk}",
            by=user,
            digests=[right.blob.sha256 for right in held],
            rewritten=rewrite_history,
        )
    repo.refresh_from_db()
    return given_back


def purge_small(repo: Repo, oids: Iterable[str]) -> None:
    """Remove small files from a repository whose folders go on naming them, in the caller's transaction."""
    account, wanted = quotas.hold(repo), list(oids)
    for start in range(0, len(wanted), objects.BATCH):
        rows = GitObject.objects.filter(
            repo=repo, type=GitObject.Type.BLOB, oid__in=wanted[start : start + objects.BATCH]
        )
        freed = rows.aggregate(total=Sum("size"))["total"] or 0
        rows.delete()
        quotas.charge(account, repo, -freed, reason=quotas.Reason.COLLECTED)


@dataclass
class _Rewriting:
    """One pass over all commits that references lead to, the oldest first."""

    repo: Repo
    user: User
    unwanted: Collection[str]
    trees: dict[str, str | None] = field(default_factory=dict)  # old id -> new id, None when nothing is left in it
    commits: dict[str, str] = field(default_factory=dict)
    fresh: list[ShaFile] = field(default_factory=list)

    def run(self) -> int:
        """Rewrite and move the references; returns the bytes of the commits that are gone."""
        refs = list(Ref.objects.select_for_update().filter(repo=self.repo))
        rows = {row.oid: row for row in Commit.objects.filter(repo=self.repo).select_related("author")}
        for oid in TopologicalSorter({oid: row.parents for oid, row in rows.items()}).static_order():
            if oid in rows:
                self._rewrite(rows[oid])
        for ref in refs:
            if self.commits.get(ref.oid, ref.oid) != ref.oid:
                self._move(ref, rows[ref.oid])
        return self._forget([oid for oid, new in self.commits.items() if new != oid])

    def _rewrite(self, row: Commit) -> None:
        tree = self._stripped(row.tree_oid)
        parents = [self.commits.get(oid, oid) for oid in row.parents]
        if tree == row.tree_oid and parents == row.parents:
            self.commits[row.oid] = row.oid
            return
        if tree is None:
            self._keep(Tree())
            tree = Tree().id.decode()
        old = objects.read(self.repo, [row.oid])[row.oid]
        made = GitCommit.from_string(objects.body(old))
        made.tree, made.parents = ObjectID(tree.encode()), [ObjectID(oid.encode()) for oid in parents]
        made.gpgsig = None  # it signed what is no longer so
        objects.write(self.repo, [*self.fresh, made])
        self.fresh = []
        digest = row.weights_digest if tree == row.tree_oid else self._weights_of(tree)
        landing.note_commit(self.repo, made, author=row.author, weights_digest=digest)
        self.commits[row.oid] = made.id.decode()

    def _stripped(self, oid: str) -> str | None:
        """Return the id of a tree without the unwanted files, None when it is empty then."""
        if oid not in self.trees:
            self.trees[oid] = self._strip(oid)
        return self.trees[oid]

    def _strip(self, oid: str) -> str | None:
        row = objects.read(self.repo, [oid]).get(oid)
        if row is None:
            return oid
        tree, changed = Tree(), False
        for item in objects.tree_items(row):
            new = self._stripped(item.oid) if item.is_folder else None if item.oid in self.unwanted else item.oid
            changed |= new != item.oid
            if new is not None:
                tree.add(item.name.encode("utf-8", "surrogateescape"), item.mode, ObjectID(new.encode()))
        if not changed:
            return oid
        if not len(tree):
            return None
        self._keep(tree)
        return str(tree.id.decode())

    def _keep(self, tree: Tree) -> None:
        self.fresh.append(tree)

    def _weights_of(self, tree_oid: str) -> str:
        files = objects.flatten(self.repo, tree_oid)
        return drafting.weights_digest({path: item for path, item in files.items() if not item.is_folder})

    def _move(self, ref: Ref, old: Commit) -> None:
        new = Commit.objects.get(repo=self.repo, oid=self.commits[ref.oid])
        if ref.name.startswith(HEADS):
            described = None
            if ref.name == HEADS + DEFAULT_BRANCH:
                described = describing.describe(self.repo, browsing.list_folder(self.repo, new, recursive=True))
            landing.move_branch(self.repo, ref.name, old=old, new=new, by=self.user, description=described)
            return
        protecting.require(RefChange(self.repo, ref.name, old.oid, new.oid), by=self.user)
        Ref.move(self.repo, ref.name, expected=old.oid, new=new.oid)
        if pull_number(ref.name) is None:  # the object of an annotated tag names the commit that is gone
            Ref.objects.filter(pk=ref.pk).update(tag_oid="")

    def _forget(self, oids: list[str]) -> int:
        freed = 0
        for start in range(0, len(oids), objects.BATCH):
            batch = oids[start : start + objects.BATCH]
            gone = GitObject.objects.filter(repo=self.repo, oid__in=batch)
            freed += gone.aggregate(total=Sum("size"))["total"] or 0
            gone.delete()
            Commit.objects.filter(repo=self.repo, oid__in=batch).delete()
        return freed
