"""A first card for a repository that has none: sections in two languages, with what was counted filled in."""

from pathlib import Path
from string import Template

from models_hub.models import Repo

_FOLDER = Path(__file__).parent / "card_templates"


def body(repo: Repo) -> str:
    """Return the text of a first card, below its metadata."""
    text = Template((_FOLDER / f"{repo.kind}.md").read_text("utf-8"))
    return text.substitute(name=repo.name, facts=_facts(repo), usage=_usage(repo)).replace("\n\n\n", "\n")


def whole(repo: Repo) -> str:
    """Return a first README.md, metadata and text, to be filled in."""
    model = f"pipeline_tag: {repo.task or 'text-classification'}\ndatasets: []"
    dataset = "task_categories:\n- text-classification"
    fields = model if repo.is_model else "sdk: static" if repo.is_space else dataset
    return f"---\nlicense: apache-2.0\nlanguage:\n- en\n{fields}\ntags: []\n---\n\n{body(repo)}"


def _facts(repo: Repo) -> str:
    """List what was counted, in both languages."""
    precisions = ", ".join(repo.precisions)
    rows = (
        ("Architecture / 架构", repo.architecture),
        ("Parameters / 参数量", f"{repo.parameters:,}" if repo.parameters else ""),
        ("Number format / 数值格式", precisions),
        ("Context / 上下文长度", f"{repo.context_length:,} tokens" if repo.context_length else ""),
        ("Vocabulary / 词表", f"{repo.vocabulary:,} tokens" if repo.vocabulary else ""),
    )
    return "\n".join(f"- {name}: {value}" for name, value in rows if value)


def _usage(repo: Repo) -> str:
    name = repo.full_name
    if repo.kind == Repo.Kind.DATASET:
        return f'```python\nfrom datasets import load_dataset\n\nrows = load_dataset("{name}")\n```'
    if repo.library == "sentence-transformers":
        code = f'from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer("{name}")'
        return f"```python\n{code}\n```"
    if repo.library == "transformers" and repo.task:
        return f'```python\nfrom transformers import pipeline\n\nmodel = pipeline("{repo.task}", model="{name}")\n```'
    return f"```bash\nhf download {name}\n```"
