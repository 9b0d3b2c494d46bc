"""Asking for an export or a compression."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from models_hub import browsing
from models_hub.adapting import allowance, asking, bases, converting, registry, sources, targets
from models_hub.convert_forms import NEED_ROWS, ConvertForm, SubjectForm
from models_hub.models import Commit, Repo
from portal.authentication import require_user
from portal.errors import DomainError, InvalidInput, status_of
from portal.models import User


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_conversion(request: HttpRequest) -> HttpResponse:
    """Choose the model, and rows to compare on; then what is made of it."""
    user = require_user(request)
    known = {name: request.GET.get(name, "").strip() for name in ("base", "dataset", "task")}
    if "choose" in request.GET:
        known["task"] = known["task"] or _task_of(user, known["base"])
    is_known = known["base"] and "choose" not in request.GET
    subject = SubjectForm(known if is_known else None, initial=known)
    if not subject.is_bound or not subject.is_valid():
        return _choose(request, user, subject)
    try:
        return _form(request, user, subject.cleaned_data)
    except DomainError as error:
        subject.add_error(None, error.message)
        return _choose(request, user, subject, status=status_of(error))


def _task_of(user: User, name: str) -> str:
    """Return what a model says that it does, where that is a task that answers can be compared of."""
    owner, _slash, short = name.partition("/")
    repo = Repo.objects.visible_to(user).named(Repo.Kind.MODEL, owner, short).first()
    return repo.task if repo is not None and repo.task in registry.tasks() else ""


def _choose(request: HttpRequest, user: User, form: SubjectForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "allowance": allowance.of(user)}
    return render(request, "models_hub/runs/convert_choose.html", context, status=status)


def _form(request: HttpRequest, user: User, known: dict[str, Any]) -> HttpResponse:
    base = asking.readable(user, Repo.Kind.MODEL, known["base"])
    commit = browsing.resolve_revision(base, "main")
    task = source = data = data_commit = None
    if known["dataset"]:
        task = registry.find_task(known["task"])
        data = asking.readable(user, Repo.Kind.DATASET, known["dataset"])
        data_commit = browsing.resolve_revision(data, "main")
        source = sources.look(data, data_commit, request.POST.get("file_train", ""))
        if not source.paths:
            raise InvalidInput(
                _("%(data)s has no CSV or JSONL file that could be learned from.") % {"data": data.full_name}
            )
    fitting = _fitting(base, commit, has_rows=task is not None)
    form = ConvertForm(request.POST or None, task=task, source=source, fitting=fitting)
    form.fields["target"].initial = targets.free_name(known["base"], user.username, ending="converted")
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            revisions = {"base_revision": commit.oid} | ({"data_revision": data_commit.oid} if data_commit else {})
            try:
                asked = form.wish(base=known["base"], data=known["dataset"], revisions=revisions)
                return redirect(converting.ask(converting.read(asked), by=user))
            except DomainError as error:
                field = str(error.data.get("field", ""))
                form.add_error(field if field in form.fields else None, error.message)
                status = status_of(error)
    context = {
        "form": form,
        "base": base,
        "data": data,
        "allowance": allowance.of(user),
        "again": urlencode({**known, "choose": "1"}),
    }
    return render(request, "models_hub/runs/convert.html", context, status=status)


def _fitting(base: Repo, commit: Commit, *, has_rows: bool) -> list[str]:
    """Return what can be made of the model; raises InvalidInput where nothing can."""
    paths = set(browsing.items_below(base, commit))
    found: list[str] = []
    if any(path.endswith(bases.WEIGHTS_SUFFIX) for path in paths):
        family = registry.family(bases.model_type(base, commit))
        found += ["onnx"] if family in ("encoder", "decoder") else []
        found += ["gguf"] if family == "decoder" else []
        found += list(NEED_ROWS) if has_rows and family == "encoder" else []
        found += ["quantize"] if has_rows and family == "decoder" else []
    elif any(path.startswith("pytorch_model") for path in paths):
        found += ["safetensors"]
    if not found:
        raise InvalidInput(
            _("Nothing can be made of %(model)s here: it needs weights of a known architecture.")
            % {"model": base.full_name},
            code="unsupported_architecture",
        )
    return found
