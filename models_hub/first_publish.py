"""Ways to fill an empty repository from the owner's machine, with the owner's names in them."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from models_hub.models import Repo


class Way(NamedTuple):
    """One way to publish: what it is for, and what to type."""

    id: str
    title: str
    text: str
    code: str
    needs_token: bool = True


def ways(repo: Repo, *, site: str, ssh: str = "") -> list[Way]:
    """Return the ways to publish that a kind of repository has, the shortest first; without `ssh` none over SSH."""
    command = Way(
        "publish-hf",
        _("With the hf command"),
        _("A whole folder of any size; what was interrupted goes on when it is run again."),
        _command(repo, site),
    )
    git = Way(
        "publish-git",
        _("With git"),
        _("Large files travel by git-lfs. The password is a token."),
        _git(repo, site),
    )
    script = Way("publish-python", _("From Python, after training"), _("Where the model is made."), _python(repo, site))
    over_ssh = Way(
        "publish-ssh",
        _("With git over SSH"),
        _("Without a token: your SSH key must be among those of your account."),
        _git(repo, ssh),
        needs_token=False,
    )
    found = [command, git] if repo.is_space else [command, script, git]
    return [*found, over_ssh] if ssh else found


def _command(repo: Repo, site: str) -> str:
    kind = "" if repo.is_model else f" --repo-type {repo.kind}"
    return (
        f"pip install -U huggingface_hub\nexport HF_ENDPOINT={site}\nhf auth login\n"
        f"hf upload {repo.full_name} ./{repo.name} .{kind}"
    )


def _python(repo: Repo, site: str) -> str:
    head = f'import os\n\nos.environ["HF_ENDPOINT"] = "{site}"  # before transformers or datasets is imported\n\n'
    if repo.is_model:
        return (
            f"{head}# at the end of your script, where `model` and `tokenizer` are what you trained\n"
            f'model.push_to_hub("{repo.full_name}")\ntokenizer.push_to_hub("{repo.full_name}")'
        )
    rows = 'from datasets import load_dataset\n\nrows = load_dataset("csv", data_files="data.csv")'
    return f'{head}{rows}\nrows.push_to_hub("{repo.full_name}")'


def _git(repo: Repo, site: str) -> str:
    return (
        f"git lfs install\ngit clone {site}{repo.path}\ncd {repo.name}\n"
        f'# copy your files here\ngit add .\ngit commit -m "Add the files"\ngit push'
    )
