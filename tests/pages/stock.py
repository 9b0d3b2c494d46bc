"""A small world for browsers: `python -m tests.pages.stock` fills the portal of DATA_DIR and prints its facts."""

import io
import json
import struct
import tempfile
import wave
import zlib
from pathlib import Path
from typing import Any

import django

from tests.pages import accounts

LONG = "a-rather-long-name-of-a-file-that-somebody-gave-without-thinking-of-phones-at-all.txt"
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CARD = """---
license: apache-2.0
language: [en, zh]
pipeline_tag: text-classification
library_name: transformers
tags: [sentiment, small]
datasets: [alice/mood]
metrics: [accuracy]
training: {epochs: 3, learning_rate: 0.0001, batch_size: 32}
model-index:
- name: tiny
  results:
  - task: {type: text-classification}
    dataset: {type: alice/mood, name: Mood}
    metrics: [{type: f1, value: 0.91}]
---
# A tiny model 小模型

It tells *good* from **bad**, in English and 中文. See [the code](code.py) and ~~nothing~~ more.

## How it is used

```python
from transformers import pipeline
print(pipeline("text-classification", model="alice/tiny")("good and long lines go on, and on, and on, and on, and on"))
```

| language | accuracy | examples | a column with a long name | and another one |
|---|---:|---:|---|---|
| English | 0.91 | 1,000 | a rather long cell of a table | 12345678901234567890 |
| 中文 | 0.89 | 1,000 | 很长的一段文字 | 12345678901234567890 |

- [x] trained
- [ ] perfect

> [!NOTE]
> Small models are quick.

$$F_1 = \\frac{2PR}{P + R} = \\sum_{i=1}^{n} \\frac{x_i^2 + y_i^2 + z_i^2}{\\sqrt{a_i b_i c_i d_i e_i f_i g_i h_i}}$$

Inline $e^{i\\pi} = -1$, a footnote[^1], and a very long word:
Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft_and_more_of_it_without_end.

```mermaid
flowchart LR
  A[data] --> B[model] --> C[score]
```

![A picture](picture.png)

[^1]: At the foot.
"""
CODE = """# Train it.
import json


def train(path: str) -> dict:
    with open(path) as file:
        return json.load(file)
"""


def picture(side: int = 32) -> bytes:
    """A PNG of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = (b"\0" + b"\x30\x70\xb0" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def sound() -> bytes:
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)
    return kept.getvalue()


def paper() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


def parquet() -> bytes:
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "a.parquet"
        connection.execute(
            "COPY (SELECT range AS id, 'text ' || range AS text, range % 3 AS label, [range, 1] AS parts "
            f"FROM range(300)) TO '{path}' (FORMAT parquet)"
        )
        return path.read_bytes()


def notebook() -> str:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["0.91\n"]},
        {"output_type": "execute_result", "execution_count": 1, "metadata": {},
         "data": {"text/html": ["<table><tr><th>x</th></tr><tr><td>1</td></tr></table>"], "text/plain": ["x 1"]}},
    ]  # fmt: skip
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Notes\n", "of $x^2$"]},
        {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["print(0.91)"], "outputs": outputs},
    ]
    return json.dumps({"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4})


def fill() -> dict[str, str]:
    """Make everything through the verbs that pages call, and say under which numbers it is."""
    from forum import discussing, drafting, founding, marking, opening
    from forum.models import Category
    from forum.opening import NewTopic
    from forum.polling import NewPoll
    from leaderboard import benchmarks, submitting, suites
    from leaderboard.models import Suite
    from models_hub import (
        approving,
        curating,
        gating,
        liking,
        proposing,
        protecting,
        publishing,
        referencing,
        releasing,
        trash,
        uploading,
        watching,
        webhooks,
    )
    from models_hub.models import RefRule, Repo
    from models_hub.publishing import Delete, PutFile
    from models_hub.searching import saving
    from portal import notifying, pushing, unsubscribing
    from portal.models import AccessToken, Domain, Follow, Invitation, Membership, Organization, User
    from portal.models.exports import AccountExport
    from portal.oauth import devices, registering
    from tests import evaluating
    from tests.leaderboard import compared, scored
    from tests.models_hub import headers
    from tests.models_hub.test_viewers_tokenizer import TOKENIZER
    from tests.pages.trained import train as train_models

    alice, bob, charlie = (User.objects.get(username=name) for name in ("alice", "bob", "charlie"))
    alice.introduce(name="Alice Ångström", about="I make *small* models. See https://example.org.", links=[])
    lab = Organization.found(name="lab", by=alice, title="The Laboratory 实验室")
    lab.introduce(title=lab.title, about="We measure things.", by=alice, links=["https://example.org/lab"])
    lab.add(bob, role=Membership.Role.WRITE, by=alice)
    invitation, _secret = Invitation.send(lab, by=alice, role="read", user=charlie)
    _invitation, secret = Invitation.send(lab, by=alice, role="read", email="dora@example.org")
    Domain.claim(lab, "example.org", by=alice)

    def make(name: str, files: dict[str, bytes | str], kind: str = "model", namespace: str = "alice", **more) -> Repo:
        repo = publishing.create_repo(by=alice, namespace=namespace, kind=kind, name=name, **more)
        changes = [PutFile(path, one.encode() if isinstance(one, str) else one) for path, one in files.items()]
        if changes:
            publishing.commit(repo=repo, by=alice, changes=changes, title="Add files")
        repo.refresh_from_db()
        return repo

    rows = "".join(json.dumps({"id": n, "text": f"第 {n} 行 text", "label": n % 2}) + "\n" for n in range(120))
    table = "id,text,label\n" + "".join(f"{n},a text of some length number {n},{n % 3}\n" for n in range(120))
    configs = "\n".join(
        f"- config_name: {name}\n  data_files: [{{split: train, path: {path}}}]"
        for name, path in (("rows", "rows.jsonl"), ("table", "table.csv"), ("columns", "columns.parquet"))
    )
    tables = {"rows.jsonl": rows, "table.csv": table, "columns.parquet": parquet()}
    mood = make(
        "mood",
        {
            **evaluating.dataset_files(),
            **tables,
            "README.md": f"---\nlicense: cc0-1.0\nconfigs:\n{configs}\n---\n# Mood\n",
        },
        kind="dataset",
    )
    benchmark = benchmarks.register(mood, by=alice)[0]
    suite = Suite.objects.create(slug="mood", title="Moods", title_zh="情绪", description="How models feel.")
    suite.entries.create(benchmark=benchmark)
    Suite.objects.create(slug="answers", title="Answers", title_zh="问答", description="Nothing is measured yet.")
    proposal = suites.create_suite(by=alice, slug="feelings", title="Feelings", benchmarks=[(benchmark, 2.0)])
    weights = {f"encoder.layer.{n}.{part}.weight": ("F32", (4, 4)) for n in range(12) for part in ("query", "key")}
    files: dict[str, bytes | str] = {
        **evaluating.model_files(), "README.md": CARD, "tokenizer.json": json.dumps(TOKENIZER),
        "model.safetensors": headers.safetensors({**weights, "classifier.weight": ("F16", (2, 4))}),
        "tiny.gguf": headers.gguf(headers.LLAMA, headers.TENSORS), "notes.ipynb": notebook(),
        "picture.png": picture(), "sound.wav": sound(), "paper.pdf": paper(), "code.py": CODE,
        "drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>',
        "settings.yaml": "a: 1\nb: [1, 2, {c: d}]\n", "data.json": json.dumps({"a": [1, {"b": None}], "c": "x" * 200}),
        "table.csv": table, "rows.jsonl": rows, "weights.bin": bytes(range(256)) * 8,
        f"folder/inner/{LONG}": "one long line " * 40 + "\n",
        "docs/guide.md": "# Guide\n\nRead [the card](../README.md).\n",
    }  # fmt: skip
    tiny = make("tiny", files)
    first = tiny.commits.latest("pk")
    releasing.publish(tiny, by=alice, tag="v1.0.0", revision="main", title="First", notes="- It works\n- 能用")
    publishing.commit(
        repo=tiny, by=alice, title="Train longer 训练更久", description="It was not enough.",
        changes=[
            PutFile("code.py", CODE.replace("train", "learn").encode()),
            PutFile("model.safetensors", headers.safetensors({**weights, "classifier.weight": ("F32", (3, 4))})),
            PutFile("README.md", CARD.replace("0.91", "0.93").replace("epochs: 3", "epochs: 5").encode()),
            Delete("weights.bin"),
        ],
    )  # fmt: skip
    second = tiny.commits.latest("pk")
    referencing.create_branch(tiny, by=alice, name="try/longer")
    referencing.create_tag(tiny, by=alice, name="nightly", message="Of the night")
    publishing.commit(repo=tiny, by=alice, branch="try/longer", title="Try", changes=[PutFile("try.txt", b"a trial\n")])
    releasing.publish(tiny, by=alice, tag="v1.1.0", revision="main", title="Second", notes="Longer.")
    rule = RefRule(repo=tiny, pattern="release/*", approvals=1, requires_pull_request=True)
    protecting.save_rule(rule, by=alice, people=[bob])
    lab_model = make("small", {"README.md": "---\nbase_model: alice/tiny\n---\n# Small\n"}, namespace="lab")
    make("tiny-quantized", {"README.md": "---\nbase_model: alice/tiny\nbase_model_relation: quantized\n---\n# Q\n"})
    make("empty", {})
    make("page", {"index.html": "<h1>Look</h1>"}, kind="space", sdk="static")
    gated = make("gated", {"README.md": "# Ask first\n", "config.json": "{}"})
    gating.set_gate(gated, by=alice, gate="manual")
    gating.ask(gated, by=charlie, answers={})
    make("secret", {"README.md": "# Secret\n"}, private=True)
    trash.delete(make("gone", {"README.md": "# Gone\n"}), by=alice)
    trash.delete(make("gone-too", {"README.md": "# Gone\n"}, namespace="lab"), by=alice)

    talk = discussing.open_discussion(
        repo=tiny, by=bob, title="How small is it? 有多小？", text="**Very**, `code`, @alice"
    )
    comment = discussing.comment(talk, by=alice, text="It has some thousand parameters.\n\n```python\nx = 1\n```")
    spam = discussing.comment(talk, by=charlie, text="Buy my things")
    discussing.hide(spam, by=alice)
    discussing.edit(comment, by=alice, text="It has *some* parameters.")
    closed = discussing.open_discussion(repo=tiny, by=charlie, title="Done", text="Thanks")
    discussing.change_status(closed, by=alice, status="closed", comment="You are welcome.")
    pull, _commit = publishing.propose(
        repo=tiny, by=bob, title="Say it better", description="For readers.",
        changes=[PutFile("docs/guide.md", b"# Guide\n\nRead [the card](../README.md) first.\n"),
                 PutFile("folder/new.py", CODE.encode())],
    )  # fmt: skip
    proposing.review(pull, by=alice, verdict="approved", head=approving.head_of(pull), comment="Good")

    founding.found()
    room = Category.objects.get(slug="questions")
    asked = NewTopic("Which one for Chinese? 选哪个？", "/alice/tiny\n\n@bob, $x^2$?", tags=["tiny", "chinese"],
                     poll=NewPoll("Which?", ("the tiny one", "the small one")))  # fmt: skip
    thread = opening.open_topic(category=room, by=alice, new=asked)
    answer = opening.reply(thread, by=alice, text="I found it myself: `tiny`.")
    discussing.edit(answer, by=alice, text="I found it myself: `alice/tiny`.")
    opening.reply(thread, by=bob, text="Good.", to=answer)
    marking.react(answer, by=bob, kind="like")
    marking.keep(answer, by=alice, note="To tell others")
    drafting.save("new", by=alice, title="Later", text="Not yet")

    evaluation = compared.answered(scored.score(tiny, benchmark, alice, 0.9), [1] * 20)
    rival = make("rival", evaluating.model_files(5.0))
    compared.answered(scored.score(rival, benchmark, alice, 0.6), [1, 0] * 10)
    scored.renew()
    waiting = make("waiting", evaluating.model_files(5.0, 6.0))
    waits = submitting.submit(waiting, benchmark, by=alice)[0]
    uploading.begin(waiting, by=alice, revision="main", files=[uploading.Announced("large.bin", 10**8)], title="Large")
    for one in (tiny, mood, lab_model):
        liking.like(one, by=bob)
        watching.watch(one, by=alice)
    liking.like(lab_model, by=alice)
    Follow.begin(alice.namespace, by=bob)
    Follow.begin(lab.namespace, by=alice)
    collection = curating.create(by=alice, namespace="alice", title="Small things 小东西", description="What is small.")
    item = curating.add(collection, by=alice, target=tiny, note="The first")
    curating.add(collection, by=alice, target=mood)
    saving.save(by=alice, name="Small ones", kind="model", query="search=tiny&sort=likes")
    hook = webhooks.create(by=alice, url="https://hooks.example.org/in", watched=[("user", "alice")], domains=["repo"])
    token, _secret_of_token = AccessToken.issue(user=alice, name="My laptop", role="write")
    app, _secret_of_app = registering.register(by=alice, name="A viewer", redirect_uris=["https://example.org/back"])
    device, _secret_of_device = devices.begin(app, "")
    export = AccountExport.ask(by=alice)
    season = honours(alice, bob, tiny)
    notifying.notify("follow", people=[alice], about=f"user:{bob.pk}", by=bob)
    notifying.notify("mention", people=[alice], about=f"repo:{tiny.pk}", by=charlie, place=f"repo:{tiny.pk}")
    notifying.notify("badge", people=[alice], about="", by=None, data={"badge": "first-light", "tier": 1})
    pushing.add(alice, endpoint="https://push.example.com/a", public_key=POINT, auth="A" * 22, agent=FIREFOX)
    told = alice.notifications.get(kind="follow")
    stop = unsubscribing.link(alice, ["mention", "digest"]).removeprefix("/unsubscribe/")
    return {
        **judged(alice, bob, answer),
        **train_models(alice, waiting),
        "tried": tried(alice, waiting),
        "article": written(alice, bob),
        "first": first.oid, "second": second.oid, "talk": str(talk.number), "pull": str(pull.number),
        "comment": str(comment.public_id if hasattr(comment, "public_id") else comment.pk),
        "rule": str(rule.pk), "invitation": str(invitation.pk), "join": secret, "job": str(waits.job_id),
        "benchmark": str(benchmark.pk), "proposal": str(proposal.pk),
        "evaluation": str(evaluation.pk), "waiting": str(waits.pk),
        "collection": collection.path.lstrip("/"), "item": str(item.pk), "webhook": str(hook.pk), "app": app.client_id,
        "device": device.user_code, "token": str(token.pk), "export": str(export.pk), "season": season,
        "notification": str(told.pk), "stop": stop, "thread": str(thread.pk), "answer": str(answer.pk),
    }  # fmt: skip


def tried(alice: Any, model: Any) -> str:
    """Have a model tried on examples of alice's, as a worker leaves them, and return their id."""
    from django.utils import timezone

    from leaderboard.finding import trying

    lines = "".join(f"Text {number},{('negative', 'positive')[number % 2]}\n" for number in range(20))
    examples = trying.begin(
        by=alice, title="Mine", task="text-classification", text=f"text,label\n{lines}", models=[model]
    )
    examples.contenders.update(
        finished_at=timezone.now(), value=0.5, low=0.3, high=0.7, items=[1.0, 0.0] * 10, answers=["negative"] * 20
    )
    return str(examples.pk)


def judged(alice: Any, bob: Any, answer: Any) -> dict[str, str]:
    """Have bob report an answer of alice's, a moderator warn her, and her appeal; return what pages name."""
    from portal import appealing, deciding, moderating, watched_words
    from portal.models import Notice, User

    judge = User.objects.create_user("judith", "judith@example.org", "secret", is_staff=True)
    case = moderating.report(f"post:{answer.pk}", by=bob, reason="off-topic", text="It answers itself.")
    deciding.decide(case, by=judge, action="warn", version=case.version, text="Please answer others too.")
    notice = Notice.objects.get(person=alice)
    made = appealing.appeal(notice, by=alice, text="I had found it out.")
    watched_words.add(by=judge, word="代写论文", action="hold")
    moderating.report(f"user:{bob.pk}", by=alice, reason="spam", text="He only praises himself.")
    return {"case": str(case.pk), "notice": str(notice.pk), "appeal": str(made.pk), "bob": str(bob.pk)}


def written(alice: Any, bob: Any) -> str:
    """Have two articles let in, of which the second translates the first; return the number of the second's topic."""
    from forum import opening
    from forum.learning import articles
    from forum.models import Category
    from forum.opening import NewTopic
    from portal import deciding, moderating
    from portal.models import User

    judge, room = User.objects.get(username="judith"), Category.objects.get(slug="articles")
    made = []
    for author, title, text in (
        (bob, "How I made a tiny model robust", "A tiny model forgives **typing errors** when it has read some."),
        (alice, "我怎样让小模型更稳健", "小模型在训练时见过**错字**，就不怕错字。"),
    ):
        topic = opening.open_topic(category=room, by=author, new=NewTopic(title, text, tags=["robustness"]))
        case = moderating.hold(f"topic:{topic.pk}", why="")
        deciding.decide(case, by=judge, action="approve", version=case.version)
        made.append(topic)
    articles.describe(articles.find(made[1].pk, alice), by=alice, language="zh", original=made[0].path)
    return str(made[1].pk)


def honours(alice: Any, bob: Any, tiny: Any) -> str:
    """Give alice and bob badges, points, an award and a claim, as rows; return the season."""
    from django.utils import timezone

    from portal import seasons, trusting
    from portal.models import (
        Award,
        BadgeClaim,
        BadgeEvidence,
        BadgeGrant,
        Placing,
        Reputation,
        ReputationLine,
        SeasonPoints,
    )

    now, season, key = timezone.now(), seasons.current(), f"repo:{tiny.pk}"
    trusting.note_rules_read(alice)
    for slug, tier in (("model-author", 1), ("first-light", 1), ("problem-solver", 3), ("lineage", 2)):
        for one in (alice, bob):
            BadgeGrant.objects.create(user=one, badge=slug, tier=tier, evidence=key)
            BadgeEvidence.objects.create(user=one, badge=slug, key=key, at=now, settles_at=now, counted_at=now)
    for one, points in ((alice, 12.5), (bob, 40)):
        facts = {"track": "help", "points": points}
        SeasonPoints.objects.create(season=season, user=one, **facts)
        Reputation.objects.create(user=one, **facts)
        ReputationLine.objects.create(user=one, giver=alice, kind="answer.accepted", key=key, at=now, **facts)
    Award.objects.create(season=season, kind="model", user=alice, key=key, reason="Small and good. 小而好。")
    Placing.objects.create(season=season, kind="challenge", board="Mood", rank=2, user=alice, key=key, code=key)
    BadgeClaim.objects.create(user=bob, badge="doc-writer", key=key, note="I wrote the guide. 我写了指南。")
    return season.slug


if __name__ == "__main__":
    django.setup()
    facts = fill()
    more, sessions = accounts.fill()
    # Only with Django set up can its rows be imported.
    from tests.pages import challenge_stock

    more |= challenge_stock.fill()
    print(json.dumps({"facts": {**facts, **more, "long": LONG}, "sessions": sessions}))
