"""What a project elsewhere writes into its configuration, so that its jobs publish without a stored secret."""

from dataclasses import dataclass

from models_hub.models import Repo
from portal.models import Namespace

# The first client that asks by itself.
CLIENT = "huggingface_hub>=1.19"
_GITHUB = """\
# .github/workflows/publish.yml
on:
  push:
    branches: [main]
permissions:
  contents: read
  id-token: write
jobs:
  publish:
    runs-on: ubuntu-latest
    env:
      HF_ENDPOINT: {site}
      HF_OIDC_RESOURCE: {resource}
    steps:
      - uses: actions/checkout@v4
      - run: pip install "{client}"
      - run: hf upload {name} ./model .{option}
"""
_GITLAB = """\
# .gitlab-ci.yml
publish:
  image: python:3.12
  rules:
    - if: $CI_COMMIT_BRANCH == "main"
  id_tokens:
    HF_OIDC_ID_TOKEN:
      aud: {site}
  variables:
    HF_ENDPOINT: {site}
    HF_OIDC_RESOURCE: {resource}
  script:
    - pip install "{client}"
    - hf upload {name} ./model .{option}
"""


@dataclass(frozen=True)
class Example:
    """A file of a project elsewhere."""

    key: str
    title: str
    code: str


def of_repo(repo: Repo, site: str) -> list[Example]:
    """Return what publishes to one repository; `site` is this portal's address."""
    option = "" if repo.kind == Repo.Kind.MODEL else f" --repo-type {repo.kind}"
    return _written(site=site, resource=repo.path.strip("/"), name=repo.full_name, option=option)


def of_owner(namespace: Namespace, site: str) -> list[Example]:
    """Return what publishes to a repository of an owner, whose name is still to be filled in."""
    name = f"{namespace.name}/my-model"
    return _written(site=site, resource=name, name=name, option="")


def _written(**words: str) -> list[Example]:
    return [
        Example("github", "GitHub Actions", _GITHUB.format(client=CLIENT, **words)),
        Example("gitlab", "GitLab CI/CD", _GITLAB.format(client=CLIENT, **words)),
    ]
