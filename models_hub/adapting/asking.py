"""From a wish to a run with its job: refused early and readably where it could only fail."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import browsing, permissions
from models_hub.adapting import (
    aids,
    allowance,
    bases,
    columns,
    ending,
    registry,
    rewriting,
    seeing,
    targets,
    teaching,
    unlabelled,
    wishes,
)
from models_hub.adapting.aids import Aid
from models_hub.adapting.wishes import LEXICON, METHOD, Wish
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo, Run, RunAid, Study
from portal.errors import InvalidInput, NotFound, SignInRequired
from portal.models import Asker, Event, Job, User

MAX_DATA_BYTES = 256 * 1024**2
TABLES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
LEXICONS = (".json", ".tsv", ".txt")
JOB = "finetune"
SENT_TWICE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A wish that can be asked for, and what it names."""

    wish: Wish
    base: Repo | None
    base_commit: Commit | None
    data: Repo
    data_commit: Commit
    aids: list[Aid]


def ask(
    wish: Wish, *, by: Asker, study: Study | None = None, number: int | None = None, from_form: bool = False
) -> Run:
    """Ask for a run; returns it with its job. A form that is sent twice finds the run that it asked for first.

    Whoever asks must be able to download the model and the data, and to write where the result goes. Raises NotFound,
    NotAllowed, InvalidInput or QuotaExceeded.
    """
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to train a model."))
    found = check(wish, by=by)
    wish = found.wish
    with transaction.atomic():
        allowance.require(by)  # which holds the person: of two requests the second one sees what the first one made
        values = _values(found)
        if from_form and (twin := _twin(by, values, found.aids)):
            return twin
        run = Run.objects.create(owner=by, study=study, number=number, **values)
        aids.keep(run, found.aids)
        start(run)
    return run


def _values(found: Found) -> dict[str, Any]:
    """Return the columns of a run that say what was asked for."""
    wish = found.wish
    return {
        "kind": Run.Kind.FINETUNE,
        "title": wish.title or _title(wish),
        "base": found.base,
        "base_commit": found.base_commit.oid if found.base_commit else "",
        "data": found.data,
        "data_commit": found.data_commit.oid,
        "files": wish.files,
        "task": wish.task,
        "fields": wish.fields,
        "settings": {"labels": wish.labels} if wish.labels else {},
        "recipe": wish.recipe,
        "architecture": wish.architecture,
        "options": _options(wish),
        "seed": wish.seed,
        "target": wish.target,
    }


def _twin(user: User, values: Mapping[str, Any], reads: list[Aid]) -> Run | None:
    """Return the last run of a person, where it was asked for a moment ago with the same values and is not in vain."""
    last = Run.objects.filter(owner=user, study=None).select_related("job", "base", "data").order_by("-pk").first()
    if last is None or last.created_at < timezone.now() - SENT_TWICE or (last.is_over and not last.is_finished):
        return None
    if not all(getattr(last, name) == value for name, value in values.items()):
        return None
    kept = {(aid.role, aid.repo_id, aid.commit, aid.path) for aid in last.aids.all()}
    return last if kept == {(one.role, one.repo.pk, one.commit.oid, one.path) for one in reads} else None


def check(wish: Wish, *, by: User) -> Found:
    """Return what the wish names, at its commits, when it can be asked for; raises as `ask` does."""
    wish = _with_teacher(wish, by)
    base = commit = None
    if wish.base:
        base = readable(by, Repo.Kind.MODEL, wish.base)
        commit = browsing.resolve_revision(base, wish.base_revision)
        _check_base(base, commit, wish)
    else:
        _check_fits(wish.architecture["model_type"], wish)
    data = readable(by, Repo.Kind.DATASET, wish.data)
    data_commit = browsing.resolve_revision(data, wish.data_revision)
    check_files(data, data_commit, wish.files)
    columns.require(data, data_commit, wish)
    targets.check(wish.target, by=by)
    named = [_aid(one, by) for one in aids.named_in(wish.teacher, wish.helpers, wish.unlabelled)]
    for one in named:
        if one.role == aids.Role.TEACHER:
            labels = teaching.check(wish, (base, commit) if base and commit else None, one.repo, one.commit)
            wish = replace(wish, labels=wish.labels or labels)
        elif one.role in rewriting.ROLES:
            rewriting.check(one.role, one.repo, one.commit)
        else:
            unlabelled.check(one.repo, one.commit, one.path)
    return Found(wish=wish, base=base, base_commit=commit, data=data, data_commit=data_commit, aids=named)


def _with_teacher(wish: Wish, user: User) -> Wish:
    """Return a wish that names the model of its teacher, where it named the run that made it."""
    number = wish.teacher.get(teaching.RUN)
    if number is None:
        return wish
    run = seeing.find(number, user)
    if run.result is None or not run.result_commit:
        raise InvalidInput(
            _("Run %(number)d has no result that could teach.") % {"number": number}, code="unfit_teacher"
        )
    named = {aids.MODEL: run.result.full_name, aids.REVISION: run.result_commit}
    teacher = {name: value for name, value in wish.teacher.items() if name != teaching.RUN} | named
    return wishes.from_its_teacher(replace(wish, teacher=teacher))


def _aid(named: aids.Named, user: User) -> Aid:
    repo = readable(user, named.kind, named.name)
    return Aid(role=named.role, repo=repo, commit=browsing.resolve_revision(repo, named.revision), path=named.path)


def _options(wish: Wish) -> dict[str, Any]:
    shares = {"dev_share": wish.dev_share, "test_share": wish.test_share, "only_check": wish.only_check}
    teacher = teaching.options_of(wish.teacher)
    return shares | ({teaching.TEACHER: teacher} if teacher else {})


def start(run: Run) -> Job:
    """Give a run a job, in the transaction that makes it or finds that it has failed."""
    run.job = Job.enqueue(
        JOB if run.kind == Run.Kind.FINETUNE else run.kind,
        spec={
            "run": run.pk,
            "reads": aids.read_by(run),
            "url": run.get_absolute_url(),
        },
        owner=run.owner,
        title=run.title,
    )
    run.save(update_fields=("job",))
    Event.record("run.asked", subject=f"run:{run.pk}", by=run.owner, kind=run.kind)
    return run.job


def ask_again(run: Run, *, by: User) -> Run:
    """Give a failed or cancelled run another job; it goes on from its checkpoint. Raises InvalidInput otherwise."""
    with transaction.atomic():
        row = Run.objects.select_for_update(of=("self",)).select_related("job").get(pk=run.pk, owner=by)
        if row.is_finished or (row.job is not None and not row.job.is_finished):
            raise InvalidInput(_("This run waits, runs or is finished; only one that failed can be tried again."))
        if row.has_packed_model:
            ending.publish_packed(row)
            return row
        _require_read(row, by)
        allowance.require(by)
        start(row)
    return row


def _require_read(run: Run, by: User) -> None:
    """Refuse a run whose model or data was deleted, or hidden, since it was asked for."""
    there = seeing.seen([run], by)
    for pk, commit, message in (
        (
            run.base_id,
            run.base_commit,
            _("The model that this run begins from is gone, or you may not see it any more."),
        ),
        (run.data_id, run.data_commit, _("The data set of this run is gone, or you may not see it any more.")),
    ):
        if commit and pk not in there:
            raise InvalidInput(message, code="repo_not_found")


def readable(user: User, kind: str, name: str) -> Repo:
    """Return the repository owner/name whose files the user may read; hidden and missing are the same."""
    owner, _slash, short = name.partition("/")
    rows = Repo.objects.visible_to(user).select_related("namespace", "restriction")
    repo = rows.named(kind, owner, short).first()
    if repo is None:
        raise NotFound(
            _("There is no repository “%(name)s”, or you may not see it.") % {"name": name[:200]}, code="repo_not_found"
        )
    permissions.require_download(user, repo)
    return repo


def _check_base(base: Repo, commit: Commit, wish: Wish) -> None:
    """Refuse a base that the engine could not begin from."""
    model_type = bases.model_type(base, commit)
    bases.require_weights(base, commit, needs_tokenizer=registry.family(model_type) != "vision")
    _check_fits(model_type, wish)


def _check_fits(model_type: str, wish: Wish) -> None:
    family, known_types = registry.family(model_type), registry.architectures()
    task = registry.find_task(wish.task)
    if not family:
        known = ", ".join(sorted(known_types))
        raise InvalidInput(
            _("Models of type “%(type)s” cannot be trained here; known are: %(known)s.")
            % {"type": model_type[:60], "known": known},
            code="unsupported_architecture",
        )
    if family not in task.families:
        fitting = sorted(name for name, facts in known_types.items() if facts["family"] in task.families)
        raise InvalidInput(
            _("A model of type “%(type)s” cannot learn this kind of task; types that can are: %(known)s.")
            % {"type": model_type, "known": ", ".join(fitting)},
            code="unsupported_architecture",
        )
    method = registry.find_method(wish.recipe.get(METHOD, "full"))
    if refusal := registry.refusal(method, model_type, wish.task):
        raise InvalidInput(_(refusal), code="unsupported_method", data={"method": method.name})
    if not wish.base and method.name != "full":
        raise InvalidInput(
            _("A model that begins from random numbers has to learn all of its weights: take the method “full”."),
            code="unsupported_method",
        )


def check_files(data: Repo, commit: Commit, files: Mapping[str, str]) -> None:
    """Refuse files that are not there, not tables, or too large together."""
    total = 0
    for part, path in files.items():
        entry = _file(data, commit, path)
        if part == LEXICON:
            if not path.lower().endswith(LEXICONS):
                raise InvalidInput(
                    _("%(path)s: a lexicon must be a JSON object or lines with tabs (%(endings)s).")
                    % {"path": path, "endings": ", ".join(LEXICONS)},
                    data={"field": part},
                )
        elif not path.lower().endswith(TABLES):
            raise InvalidInput(
                _("%(path)s: the rows must be CSV or lines of JSON (%(endings)s).")
                % {"path": path, "endings": ", ".join(TABLES)},
                data={"field": part},
            )
        total += entry.size
    if total > MAX_DATA_BYTES:
        raise InvalidInput(
            _("The data files have %(size)d bytes together; a run takes at most %(max)d.")
            % {"size": total, "max": MAX_DATA_BYTES},
            code="too_large",
        )


def _file(data: Repo, commit: Commit, path: str) -> Entry:
    try:
        entry = browsing.find(data, commit, path)
    except browsing.EntryNotFound:
        raise InvalidInput(
            _("The data set has no file “%(path)s” at this revision.") % {"path": path[:200]}, code="entry_not_found"
        ) from None
    if entry.is_folder:
        raise InvalidInput(_("“%(path)s” is a folder; name a file.") % {"path": path[:200]})
    return entry


def _title(wish: Wish) -> str:
    begin = wish.base or f"new {wish.architecture['model_type']}"
    return f"{begin} · {wish.data}"[:200]


def wish_of(run: Run) -> Wish:
    """Return the wish that asks for the same again, with the commits that were used then."""
    used = aids.of(run)
    return Wish(
        task=run.task,
        data=run.data.full_name if run.data else "",
        data_revision=run.data_commit,
        base=run.base.full_name if run.base else "",
        base_revision=run.base_commit,
        target=run.target,
        files=run.files,
        fields=run.fields,
        labels=run.settings.get("labels", []),
        recipe=run.recipe,
        architecture=run.architecture,
        dev_share=run.options.get("dev_share", 0.1),
        test_share=run.options.get("test_share", 0.1),
        seed=run.seed,
        title=run.title,
        only_check=run.options.get("only_check", False),
        teacher=_teacher_of(run, used),
        helpers={role: aids.as_named(aid) for role, aid in used.items() if role in rewriting.ROLES},
        unlabelled=aids.as_named(used[aids.Role.UNLABELLED]) if aids.Role.UNLABELLED in used else {},
    )


def _teacher_of(run: Run, used: Mapping[str, RunAid]) -> dict[str, Any]:
    aid = used.get(aids.Role.TEACHER)
    if aid is None or aid.repo is None:
        return {}
    options: dict[str, Any] = run.options.get(teaching.TEACHER, {})
    return aids.as_named(aid) | options
