"""A portal full of texts that want to run: `python -m tests.pages.hostile` writes them into every field there is."""

import json
from collections.abc import Iterator
from contextlib import suppress

import django

from tests.pages.payloads import LINES, MERMAID, document, names

WHO, GROUP = "eve", "gang"
PRINTABLE = [line for line in LINES if line.isprintable()]  # others no tensor may bear


def packed(limit: int) -> Iterator[str]:
    """Texts of at most `limit` characters that together hold every payload that fits."""
    text = ""
    for line in LINES:
        if len(line) > limit:
            continue
        if len(text) + len(line) + 1 > limit:
            yield text
            text = ""
        text = f"{text} {line}".strip()
    yield text


def notebook() -> str:
    kinds = ("text/html", "image/svg+xml", "text/markdown", "text/latex", "application/javascript", "text/plain")
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {kind: line}} for line in LINES for kind in kinds
    ]
    outputs += [{"output_type": "stream", "name": line, "text": line} for line in LINES]
    outputs += [{"output_type": "error", "ename": line, "evalue": line, "traceback": [line]} for line in LINES]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": document()},
        {"cell_type": "raw", "metadata": {}, "source": document()},
        {"cell_type": "code", "metadata": {}, "source": document(), "outputs": outputs[:180]},
        {"cell_type": "code", "metadata": {}, "source": document(), "outputs": outputs[180:]},
    ]
    return json.dumps({"cells": cells, "metadata": {"language_info": {"name": LINES[0]}}, "nbformat": 4})


def card(kind: str) -> str:
    """A card whose metadata and text are hostile."""
    import yaml

    told = {
        "tags": LINES[:40], "license": "other", "license_name": LINES[11], "license_link": "javascript:top.__xss=1",
        "language": LINES[:5], "library_name": LINES[2], "pretty_name": LINES[14], "base_model": [LINES[12], "x/y"],
        "datasets": LINES[15:25], "pipeline_tag": LINES[13], "training": {"hardware": LINES[19], "epochs": LINES[20]},
        "widget": [{"text": line} for line in LINES], "metrics": LINES[30:40], LINES[14]: LINES[15],
        "extra_gated_prompt": document(), "extra_gated_heading": LINES[0], "extra_gated_button_content": LINES[11],
        "extra_gated_fields": dict.fromkeys(LINES[:8], "text"),
        "model-index": [{"name": LINES[0], "results": [
            {"task": {"type": line, "name": line}, "dataset": {"type": line, "name": line},
             "metrics": [{"type": line, "name": line, "value": line}]} for line in LINES[:20]]}],
    }  # fmt: skip
    if kind == "dataset":
        told["configs"] = [
            {"config_name": f"c{n}", "data_files": path} for n, path in enumerate(("rows.jsonl", "table.csv"))
        ]
    return f"---\n{yaml.safe_dump(told, allow_unicode=True)}---\n# {LINES[0]}\n\n{document()}\n"


def fill() -> dict[str, str]:
    from forum import discussing, drafting, founding, keeping_order, marking, opening
    from forum.models import Category
    from forum.opening import NewTopic
    from forum.polling import NewPoll
    from models_hub import curating, gating, publishing, referencing, releasing, webhooks
    from models_hub.checking import normalize_path
    from models_hub.publishing import PutFile
    from models_hub.searching import saving
    from portal.errors import DomainError
    from portal.models import AccessToken, Organization, User
    from portal.oauth import registering
    from tests.models_hub import headers
    from tests.models_hub.test_viewers_tokenizer import TOKENIZER
    from tests.pages import hostile_order

    eve = User.objects.get(username=WHO)
    eve.introduce(name=next(packed(100)), about=document()[:2000], links=[])
    gang = Organization.found(name=GROUP, by=eve, title=next(packed(100)))
    gang.introduce(title=gang.title, about=document()[:2000], by=eve, links=[])
    rows = "".join(json.dumps({"cell": line, line: line, "deep": [{line: line}]}) + "\n" for line in LINES)
    quoted = ['"' + line.replace('"', '""') + '"' for line in LINES]
    table = ",".join(quoted[:20]) + "\n" + "".join(",".join([one] * 20) + "\n" for one in quoted)
    vocabulary = {
        word: n for n, word in enumerate(["[UNK]", "[CLS]", "[SEP]", *LINES, *"abcdefghijklmnopqrstuvwxyz<>"])
    }
    added = [dict(TOKENIZER["added_tokens"][0], id=n + 3, content=line) for n, line in enumerate(LINES)]
    tokenizer = {**TOKENIZER, "added_tokens": [*TOKENIZER["added_tokens"], *added]}
    tokenizer["model"] = {**TOKENIZER["model"], "vocab": vocabulary}
    files: dict[str, str | bytes] = {
        "hostile.md": document(), "hostile.ipynb": notebook(),
        "hostile.json": json.dumps({n: [n, {n: 1}] for n in LINES}),
        "hostile.svg": f'<svg xmlns="http://www.w3.org/2000/svg" onload="top.__xss=1">{"".join(LINES)}</svg>',
        "hostile.html": "".join(LINES), "hostile.py": document(), "hostile.yaml": json.dumps(LINES),
        "rows.jsonl": rows, "table.csv": table, "tokenizer.json": json.dumps(tokenizer), "diagram.md": MERMAID,
        "model.safetensors": headers.safetensors(dict.fromkeys(PRINTABLE, ("F32", (1,)))),
        "hostile.gguf": headers.gguf(
            {"general.architecture": LINES[0], "general.name": LINES[11], **{f"x.{line}": line for line in LINES}},
            {line[:60]: ((32,), headers.F32) for line in PRINTABLE},
        ),
        "config.json": json.dumps({"architectures": LINES[:3], "model_type": LINES[4], LINES[5]: LINES[6]}),
    }  # fmt: skip
    for number, name in enumerate(names()):
        with suppress(DomainError):
            files[normalize_path(f"names/{name}.{number}.txt")] = name
    titles = list(packed(150))
    for kind in ("model", "dataset"):
        repo = publishing.create_repo(by=eve, namespace=WHO, kind=kind, name="bad")
        changes = [PutFile(path, one.encode() if isinstance(one, str) else one) for path, one in files.items()]
        publishing.commit(repo=repo, by=eve, changes=changes, title=titles[0], description=document()[:5000])
        for number, title in enumerate(titles):
            note = [PutFile("note.txt", f"{number} {title}".encode())]
            publishing.commit(repo=repo, by=eve, changes=note, title=title, description=document()[:2000])
        publishing.commit(repo=repo, by=eve, changes=[PutFile("README.md", card(kind).encode())], title="Card")
        if kind == "dataset":
            continue
        for line in LINES:
            with suppress(DomainError):
                referencing.create_branch(repo, by=eve, name=line.replace(" ", "")[:100])
            with suppress(DomainError):
                referencing.create_tag(repo, by=eve, name=line.replace(" ", "")[:100], message=line)
        releasing.publish(repo, by=eve, tag="v1.0.0", revision="main", title=titles[1], notes=document()[:9000])
        for title in titles:
            topic = discussing.open_discussion(repo=repo, by=eve, title=title, text=title)
        discussing.comment(topic, by=eve, text=document())
        discussing.rename(topic, by=eve, title=titles[2])
        publishing.propose(
            repo=repo, by=eve, changes=[PutFile("hostile.md", b"x"), PutFile("a.txt", document().encode())],
            title=titles[3], description=document()[:5000],
        )  # fmt: skip
        shown = curating.create(by=eve, namespace=WHO, title=next(packed(55)), description=next(packed(140)))
        curating.add(shown, by=eve, target=repo, note=next(packed(400)))
    founding.found()
    room = Category.objects.get(slug="questions")
    room.title_en = next(packed(60))
    room.about_en, room.template_en = next(packed(300)), document()[:4000]
    room.save()
    for title in titles:
        poll = NewPoll(title, (title, *list(packed(180))[:10]))
        thread = opening.open_topic(category=room, by=eve, new=NewTopic(title, document(), poll=poll))
    said = opening.reply(thread, by=eve, text=f"> {document()}")
    discussing.edit(said, by=eve, text=document())
    keeping_order.rename(thread, by=eve, title=titles[1])
    keeping_order.close(thread, by=eve, reason=next(packed(200)))
    keeping_order.reopen(thread, by=eve)
    marking.keep(said, by=eve, note=next(packed(190)))
    drafting.save(f"topic:{thread.pk}", by=eve, text=document(), title=titles[0])
    drafting.save("new", by=eve, text=document(), title=titles[0], data={"tags": titles[1], "question": titles[2]})
    gated = publishing.create_repo(by=eve, namespace=WHO, kind="model", name="gated")
    publishing.commit(repo=gated, by=eve, changes=[PutFile("README.md", card("model").encode())], title="Card")
    gating.set_gate(gated, by=eve, gate="manual")
    for name in list(packed(78))[:15]:
        saving.save(by=eve, name=name, kind="model", query=f"search={LINES[0]}")
        AccessToken.issue(user=eve, name=name[:60], role="read")
    registering.register(by=eve, name=next(packed(78)), redirect_uris=["https://example.org/back"])
    webhooks.create(by=eve, url="https://hooks.example.org/<script>", watched=[("user", WHO)], domains=["repo"])
    order = hostile_order.fill(eve, gang, thread, titles)
    return order | {"topic": str(topic.number), "pull": str(topic.number + 1), "collection": shown.path.lstrip("/"),
            "commit": repo.commits.latest("pk").oid, "thread": str(thread.pk), "said": str(said.pk)}  # fmt: skip


if __name__ == "__main__":
    django.setup()
    print(json.dumps(fill()))
