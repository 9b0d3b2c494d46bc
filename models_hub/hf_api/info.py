"""What a repository is: ModelInfo and DatasetInfo, whole or with the asked fields alone."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from models_hub import browsing, cards, describing, listing, permissions, stated_scores, trending
from models_hub.browsing import Entry
from models_hub.describing import Description
from models_hub.git.objects import TreeItem
from models_hub.hf_api import security
from models_hub.hf_api.calls import Call
from models_hub.hf_api.shapes import pointer_size, timestamp
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput

# The class of transformers that loads an architecture, by the end of its name.
AUTO_MODELS = {
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ForMultipleChoice": "AutoModelForMultipleChoice",
    "ForConditionalGeneration": "AutoModelForSeq2SeqLM",
    "ForCausalLM": "AutoModelForCausalLM",
    "ForMaskedLM": "AutoModelForMaskedLM",
    "LMHeadModel": "AutoModelForCausalLM",
    "Model": "AutoModel",
}


class Info:
    """One repository at one revision; what is costly is read when a field asks for it."""

    def __init__(
        self, repo: Repo, commit: Commit | None = None, *, with_sizes: bool = False, is_alone: bool = False
    ) -> None:
        self.repo = repo
        self.is_alone = is_alone
        self.with_sizes = with_sizes
        self._commit = commit

    @property
    def sha(self) -> str:
        return self._commit.oid if self._commit else self.repo.head

    @cached_property
    def description(self) -> Description:
        if self.sha == self.repo.head:
            return describing.describe_head(self.repo)
        return describing.describe(self.repo, self.files)

    @cached_property
    def commit(self) -> Commit | None:
        """None while the history of a copy is still on its way."""
        return self._commit or Commit.objects.filter(repo=self.repo, oid=self.repo.head).first()

    @cached_property
    def items(self) -> dict[str, TreeItem]:
        if self.commit is None:
            return {}
        below = browsing.items_below(self.repo, self.commit, recursive=True)
        return {path: item for path, item in below.items() if not item.is_folder}

    @cached_property
    def files(self) -> list[Entry]:
        return browsing.entries(self.repo, self.items)

    @property
    def security(self) -> dict[str, Any] | None:
        return security.repo_status(self.repo, self.commit, self.files) if self.commit else None

    @property
    def siblings(self) -> list[dict[str, Any]]:
        if not self.with_sizes:
            return [{"rfilename": path} for path in self.items]
        return [_sized_sibling(entry) for entry in self.files]

    @property
    def safetensors(self) -> dict[str, Any] | None:
        dtypes = self.description.dtypes if "safetensors" in self.description.counts.formats else {}
        return {"parameters": dtypes, "total": sum(dtypes.values())} if dtypes else None

    @property
    def gguf(self) -> dict[str, Any] | None:
        """What the header of a GGUF file tells, where weights are in no other format that tells it."""
        counts = self.description.counts
        if "gguf" not in counts.formats or counts.parameters is None:
            return None
        told = {"architecture": counts.model_type, "context_length": counts.context_length}
        return {"total": counts.parameters} | {name: value for name, value in told.items() if value}

    @property
    def stated_scores(self) -> list[dict[str, Any]] | None:
        """What files of an open model state; of one model alone, for a list would read the files of each."""
        if not self.is_alone or self.repo.gated:
            return None
        return stated_scores.as_entries(self.repo, self.commit) if self.commit else None

    @property
    def used_storage(self) -> int:
        """The bytes of all versions: a list brings them along, for a single repository they are counted now."""
        known = getattr(self.repo, "used_storage", None)
        return listing.storage_of(self.repo) if known is None else known

    @property
    def children(self) -> int:
        """How many public models say that they are made of this one."""
        known = getattr(self.repo, "children_count", None)
        return listing.children_of(self.repo) if known is None else known

    @property
    def base_models(self) -> list[str] | None:
        return describing.base_models(self.description.card, self.description.config) or None

    def linked(self, field: str) -> list[str]:
        """The repositories that the card of a Space names."""
        return cards.texts(self.description.card.get(field) or [])

    @property
    def transformers_info(self) -> dict[str, Any] | None:
        architecture = next(iter(self.description.config.get("architectures", [])), "")
        loader = next((name for ending, name in AUTO_MODELS.items() if architecture.endswith(ending)), None)
        return {"auto_model": loader, "pipeline_tag": self.description.task or None} if loader else None


Field = Callable[[Info], Any]

COMMON: dict[str, Field] = {
    "author": lambda info: info.repo.namespace.name,
    "cardData": lambda info: info.description.card,
    "createdAt": lambda info: timestamp(info.repo.created_at),
    "disabled": lambda info: permissions.is_tombstone(info.repo),
    "downloads": lambda info: info.repo.downloads,
    "downloadsAllTime": lambda info: info.repo.downloads_all_time,
    "gated": lambda info: info.repo.gated or False,
    "lastModified": lambda info: timestamp(info.repo.updated_at),
    "likes": lambda info: info.repo.likes,
    "private": lambda info: info.repo.private,
    "resourceGroup": lambda info: None,
    "sha": lambda info: info.sha,
    "siblings": lambda info: info.siblings,
    "tags": lambda info: info.description.hub_labels,
    "trendingScore": lambda info: trending.score(info.repo.trend),
    "usedStorage": lambda info: info.used_storage,
    "gitalyUid": lambda info: None,
    # Older clients take Xet for uploads when this is true; they speak an older form of it, so they get LFS.
    "xetEnabled": lambda info: False,
}
MODEL: dict[str, Field] = COMMON | {
    "baseModels": lambda info: info.base_models,
    "childrenModelCount": lambda info: info.children,
    "config": lambda info: info.description.config or None,
    "evalResults": lambda info: info.stated_scores,
    "gguf": lambda info: info.gguf,
    "inference": lambda info: None,
    # Not an empty list, of which InferenceClient takes the first: so it says that there is none.
    "inferenceProviderMapping": lambda info: None,
    "library_name": lambda info: info.description.library or None,
    "mask_token": lambda info: None,
    "model-index": lambda info: info.description.card.get("model-index"),
    "pipeline_tag": lambda info: info.description.task or None,
    "safetensors": lambda info: info.safetensors,
    "spaces": lambda info: [],
    "transformersInfo": lambda info: info.transformers_info,
    "widgetData": lambda info: info.description.card.get("widget"),
}
DATASET: dict[str, Field] = COMMON | {
    "citation": lambda info: info.description.citation or None,
    "description": lambda info: info.description.description or None,
    "mainSize": lambda info: info.description.size,
    "paperswithcode_id": lambda info: info.description.card.get("paperswithcode_id"),
}
SPACE: dict[str, Field] = {
    **{key: field for key, field in COMMON.items() if key not in {"downloads", "downloadsAllTime", "gated"}},
    "datasets": lambda info: info.linked("datasets"),
    "models": lambda info: info.linked("models"),
    "region": lambda info: None,
    # It is not hosted: there is neither a process nor an address of its own.
    "runtime": lambda info: None,
    "sdk": lambda info: cards.first_text(info.description.card.get("sdk") or "") or None,
    "subdomain": lambda info: None,
}
FIELDS = {"model": MODEL, "dataset": DATASET, "space": SPACE}
STANDARD = (
    "author", "sha", "lastModified", "createdAt", "private", "gated", "disabled", "downloads", "likes", "tags",
    "cardData", "siblings", "usedStorage",
)  # fmt: skip
SPACE_STANDARD = (
    "author", "sha", "lastModified", "createdAt", "private", "disabled", "likes", "tags", "cardData", "siblings",
    "usedStorage", "sdk", "runtime", "subdomain", "models", "datasets",
)  # fmt: skip
DATASET_STANDARD = ("description", "citation")
MODEL_STANDARD = (
    "library_name", "pipeline_tag", "config", "model-index", "safetensors", "transformersInfo", "widgetData", "spaces",
)  # fmt: skip
WHOLE: dict[str, tuple[str, ...]] = {
    "model": (*STANDARD, *MODEL_STANDARD),
    "dataset": (*STANDARD, *DATASET_STANDARD),
    "space": SPACE_STANDARD,
}


def at_head(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    return at_revision(call, kind, namespace, name, "")


def at_revision(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    wanted = expanded(call, kind)
    repo = call.repo(kind, namespace, name)
    commit = browsing.resolve_revision(repo, revision) if revision else None
    info = Info(repo, commit, with_sizes=call.flag("blobs"), is_alone=True)
    if wanted:
        return JsonResponse(selected(info, wanted))
    shown = selected(info, WHOLE[repo.kind])
    if repo.is_model:
        shown["modelId"] = repo.full_name
    if call.flag("securityStatus") and permissions.can_download(call.user, repo):
        shown["securityRepoStatus"] = info.security
    return JsonResponse(shown)


def expanded(call: Call, kind: str) -> list[str]:
    """Return the fields that the query asks for alone; an unknown one is refused in the words that clients parse."""
    wanted = call.words("expand")
    if any(key not in FIELDS[kind] for key in wanted):
        raise InvalidInput(f'"expand" must be one of [{", ".join(sorted(FIELDS[kind], key=_as_listed))}]')
    return wanted


def selected(info: Info, keys: Sequence[str]) -> dict[str, Any]:
    """Return the identity of a repository and the fields named."""
    fields = FIELDS[info.repo.kind]
    identity: dict[str, Any] = {"_id": f"{info.repo.pk:024x}", "id": info.repo.full_name}
    return identity | {key: fields[key](info) for key in keys}


def _as_listed(key: str) -> tuple[bool, str]:
    """Alphabetical, with the two fields at the end that only the Hub itself uses."""
    return key in {"gitalyUid", "xetEnabled"}, key


def _sized_sibling(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"rfilename": entry.path, "size": entry.size, "blobId": entry.oid}
    if entry.blob:
        shown["lfs"] = {"sha256": entry.blob.sha256, "size": entry.size, "pointerSize": pointer_size(entry)}
    return shown
