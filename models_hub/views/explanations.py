"""A page that says why a model answers as it does: the words of a question, coloured by what each adds."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from models_hub import permissions
from models_hub.adapting import explaining
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal import waiting
from portal.authentication import require_user
from portal.errors import DomainError, status_of
from portal.models import Job

STOP_POLLING = 286  # htmx's word for “nothing more will come”
MAX_ADDRESS = 2000  # characters of an address that every browser and proxy takes
LABELS = {
    "text": _("Text"),
    "text2": _("Second text, for models of pairs"),
    "question": _("Question"),
    "context": _("Passage"),
    "tokens": _("Text"),
}
METHODS = [("gradients", _("Integrated gradients")), ("occlusion", _("Hiding one word after the other"))]


class ExplanationForm(forms.Form):
    """The question, and how its words are weighed."""

    def __init__(self, *args: object, fields: tuple[str, ...], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name in fields:
            self.fields[name] = forms.CharField(
                label=LABELS[name],
                required=name != "text2",
                max_length=explaining.MAX_TEXT,
                widget=forms.Textarea(attrs={"rows": 2 if name in ("question", "text2") else 4}),
            )
        self.fields["method"] = forms.ChoiceField(label=_("Method"), choices=METHODS)
        self.fields["target"] = forms.CharField(
            label=_("Label to explain"),
            required=False,
            max_length=200,
            help_text=_("Leave empty for the one that the model gives."),
        )
        if "context" in fields:
            del self.fields["target"]
        if "tokens" in fields:
            self.fields["word"] = forms.IntegerField(
                label=_("Number of the word to explain"),
                required=False,
                min_value=1,
                max_value=explaining.MAX_WORDS,
                help_text=_("Leave empty for the name that the model is surest of."),
            )


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Ask for an explanation; a worker makes it."""
    user = require_user(request)
    permissions.require_download(user, repo)
    try:
        fields = explaining.explainable(repo, user).fields
    except DomainError as error:
        return _page(request, repo, obstacle=error.message)
    form = ExplanationForm(request.POST or None, fields=fields, initial=request.GET.dict())
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            values = form.cleaned_data
            try:
                number = values.get("word")
                job = explaining.ask(
                    repo,
                    values,
                    by=user,
                    method=values["method"],
                    target=values.get("target", "").strip(),
                    word=number - 1 if number else None,
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect(f"{repo.path}/explanation/{job.pk}")
    return _page(request, repo, form=form, status=status)


def _page(request: HttpRequest, repo: Repo, *, status: int = 200, **context: object) -> HttpResponse:
    return respond(request, repo, "models_hub/runs/explain.html", tab="card", status=status, **context)


def _asked(job: Job) -> str:
    """Return the question as the form takes it in its address, to be asked otherwise; "" for a long one."""
    words = job.spec["question"].get("tokens")
    asked = urlencode({"tokens": " ".join(words)} if words else job.spec["question"])
    return f"?{asked}" if len(asked) < MAX_ADDRESS else ""


@repo_page
@require_safe
def explanation(request: HttpRequest, repo: Repo, job_id: int) -> HttpResponse:
    """What came of it; htmx asks until it is there. Only who asked may read it."""
    user = require_user(request)
    job = get_object_or_404(Job, pk=job_id, owner=user, kind=explaining.JOB, spec__repo=repo.pk)
    words = job.spec["question"].get("tokens")
    context = {
        "job": job,
        "question": {"text": " ".join(words)} if words else job.spec["question"],
        "asked": _asked(job),
        "tags": explaining.tags_of(job.result, words),
        "explanation": waiting.explanation(job),
        "found": job.result,
        "texts": explaining.pieces_of(job.result),
    }
    is_part = request.headers.get("HX-Request") == "true"
    template = "models_hub/runs/explained.html" + ("#state" if is_part else "")
    answer = respond(request, repo, template, tab="card", **context)
    if is_part and job.is_finished:
        answer.status_code = STOP_POLLING
    answer["Vary"] = "HX-Request"
    return answer
