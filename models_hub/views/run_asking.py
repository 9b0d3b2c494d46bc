"""Asking for a run: what to begin from, then how; or another one like one that was."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from models_hub import browsing, publishing
from models_hub.adapting import allowance, asking, bases, bringing, registry, seeing, sources, targets, texts, wishes
from models_hub.forms import writable_namespaces
from models_hub.models import Commit, Repo, Run
from models_hub.publishing import PutFile
from models_hub.run_forms import BeginningForm, RunForm, UploadForm
from models_hub.study_forms import StudyForm
from models_hub.views import studies
from portal.authentication import require_user
from portal.errors import Conflict, DomainError, InvalidInput, status_of
from portal.models import User


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_run(request: HttpRequest) -> HttpResponse:
    """Choose task, model and data; with all three in the address, the form of the run itself."""
    user = require_user(request)
    known = _like(request, user) or {name: request.GET.get(name, "").strip() for name in ("task", "base", "dataset")}
    is_sent = known["task"] and "dataset" in request.GET  # a link to here may leave the data set open
    form = BeginningForm(known if is_sent or known["dataset"] else None, initial=known)
    if "choose" in request.GET:  # back from the form of the run, to choose otherwise
        return _beginning(request, user, BeginningForm(initial=known))
    if not form.is_bound or not form.is_valid():
        return _beginning(request, user, form)
    try:
        return _form(request, user, {**known, **form.cleaned_data})
    except DomainError as error:
        form.add_error(None, error.message)
        return _beginning(request, user, form, status=status_of(error))


def _like(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """Return the wish of the run that another one is to be like, None where the address names none."""
    number = request.GET.get("like", "")
    if not number.isdecimal() or len(number) > 18:
        return None
    run = seeing.find(int(number), user)
    if run.kind != Run.Kind.FINETUNE or run.owner_id != user.pk:
        raise InvalidInput(_("Only one of your own fine-tuning runs can be asked for again."))
    wish = asking.wish_of(run).as_json()
    if "newest" in request.GET:  # the data set was corrected since
        del wish["data_revision"]
    return {**wish, "dataset": wish["data"]}


def _beginning(
    request: HttpRequest, user: User, form: BeginningForm, upload: UploadForm | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "upload": upload or UploadForm(prefix="upload"), "allowance": allowance.of(user)}
    return render(request, "models_hub/runs/begin.html", context, status=status)


def _form(request: HttpRequest, user: User, known: dict[str, Any]) -> HttpResponse:
    task = registry.find_task(known["task"])
    base = commit = None
    if known["base"]:
        base = asking.readable(user, Repo.Kind.MODEL, known["base"])
        commit = browsing.resolve_revision(base, known.get("base_revision", "main"))
    model_type = _model_type(base, commit, task)
    data = asking.readable(user, Repo.Kind.DATASET, known["dataset"])
    data_commit = browsing.resolve_revision(data, known.get("data_revision", "main"))
    source = sources.look(data, data_commit, request.POST.get("file_train", "") or request.GET.get("file", ""))
    if not source.paths:
        raise InvalidInput(
            _("%(data)s has no CSV or JSONL file that could be learned from.") % {"data": data.full_name}
        )
    values = known if "recipe" in known else None
    form = RunForm(request.POST or None, task=task, model_type=model_type, source=source, values=values)
    form.fields["target"].initial = targets.free_name(known["base"] or f"new-{task.name}", user.username)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            revisions = {"data_revision": data_commit.oid} | ({"base_revision": commit.oid} if commit else {})
            asked = form.wish(
                base=known["base"], data=known["dataset"], revisions=revisions, only_check="check" in request.POST
            )
            try:
                wish = wishes.read(asked)
                if "search" in request.POST:
                    asking.check(wish, by=user)
                    return _editor(request, wish)
                run = asking.ask(wish, by=user, from_form=True)
            except DomainError as error:
                form.add_error(_field_of(error, form), error.message)
                status = status_of(error)
            else:
                return redirect(run)
    context = {
        "form": form,
        "task": task,
        "task_label": texts.task_label(task.name),
        "base": base,
        "data": data,
        "newest": _newest(request, data, data_commit),
        "model_type": model_type,
        "source": source,
        "allowance": allowance.of(user),
        "again": urlencode({name: known[name] for name in ("task", "base", "dataset")} | {"choose": "1"}),
    }
    return render(request, "models_hub/runs/form.html", context, status=status)


def _newest(request: HttpRequest, data: Repo, commit: Commit) -> str:
    """Return the address of the same form with the data set as it is now, "" where it is shown so."""
    like = request.GET.get("like", "")
    return f"?{urlencode({'like': like, 'newest': '1'})}" if like and commit.oid != data.head else ""


def _field_of(error: DomainError, form: RunForm) -> str | None:
    """Return which field an error is about, where it is one of the form."""
    named = str(error.data.get("field", "")).replace("fields.", "column_").replace("helpers.", "helper_")
    return next((name for name in (f"file_{named}", f"{named}_file", named) if name in form.fields), None)


def _editor(request: HttpRequest, wish: wishes.Wish) -> HttpResponse:
    """Lead from the form of a run to the editor of a search over its options."""
    context = {
        "form": StudyForm(wish=wish), "wish": wish, "sealed": studies.sealed(wish),
        "task_label": texts.task_label(wish.task),
    }  # fmt: skip
    return render(request, "models_hub/runs/study_form.html", context)


def _model_type(base: Repo | None, commit: Commit | None, task: registry.Task) -> str:
    """Return the type of the base, "" for a new model; raises where the base could not learn the task."""
    if base is None or commit is None:
        return ""
    model_type = bases.model_type(base, commit)
    family = registry.family(model_type)
    bases.require_weights(base, commit, needs_tokenizer=family != "vision")
    if family not in task.families:
        raise InvalidInput(
            _("A model of type “%(type)s” cannot learn this kind of task.") % {"type": model_type[:60] or "–"}
        )
    return model_type


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Make a private data set of a table, and go on with it."""
    user = require_user(request)
    known = {name: request.POST.get(name, "").strip() for name in ("task", "base")}
    form = UploadForm(request.POST, request.FILES, prefix="upload")
    status = 400
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            table = bringing.as_table(file.read(), file.name)
            repo = publishing.create_repo(
                by=user, namespace=writable_namespaces(user)[0], kind=Repo.Kind.DATASET, private=True,
                name=form.cleaned_data["name"] or bringing.free_name(file.name, user.username),
            )  # fmt: skip
            publishing.commit(
                repo=repo, by=user, changes=[PutFile(table.path, table.content)], title=_("Upload a table")
            )
        except DomainError as error:
            places = {"bad_table": "file", InvalidInput.code: "name", Conflict.code: "name"}
            form.add_error(places.get(error.code), error.message)
            status = status_of(error)
        else:
            said = _("The table is the private data set %(name)s now.") % {"name": repo.full_name}
            messages.success(request, " ".join([said, *table.notes]))
            return redirect(f"{reverse('new_run')}?{urlencode({**known, 'dataset': repo.full_name})}")
    return _beginning(request, user, BeginningForm(initial=known), upload=form, status=status)
