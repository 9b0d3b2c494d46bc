"""Conversations as the template of a model writes them, in jinja's sandbox, bounded: the template is hostile."""

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder, read_bounded
from worker.engine.tokenizing import SETTINGS_LIMIT, LoadedTokenizer
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.learning_rows import checked

TEMPLATE_LIMIT = 1 << 18
MAX_CHARACTERS = 1_000_000
# Of a model that brings none: that of ChatML, which many small models were trained with.
PLAIN = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


class Chat:
    """Turns of a conversation to one text."""

    def __init__(self, template: str, tokens: dict[str, str]) -> None:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals = {"raise_exception": _refuse, "strftime_now": lambda form: "", **tokens}
        with failing_as("tokenizer_unreadable", "The chat template cannot be read."):
            self._template = environment.from_string(template)

    def text(self, messages: Sequence[dict[str, str]], *, asks: bool) -> str:
        """Return the conversation, at its end the call for an answer if there is to be one."""
        with failing_as("bad_data", "The chat template cannot write a conversation."):
            parts, size = [], 0
            for part in self._template.generate(messages=list(messages), add_generation_prompt=asks):
                size += len(part)
                if size > MAX_CHARACTERS:
                    raise EngineError("bad_data", f"a conversation takes more than {MAX_CHARACTERS} characters")
                parts.append(part)
            return "".join(parts)

    def tokens(
        self, messages: Any, tokenizer: LoadedTokenizer, *, most: int
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the tokens of a conversation, and which parts of them the assistant says."""
        turns = checked(messages)
        text = self.text(turns, asks=False)
        tokenizer.tokenizer.no_truncation()
        with failing_as("tokenizer_unreadable", "The tokenizer fails on a conversation."):
            # The template itself writes the tokens that begin a text.
            encoding = tokenizer.tokenizer.encode(text, add_special_tokens=False)
        said = []
        for number, turn in enumerate(turns):
            if turn["role"] == "assistant":
                before = self.text(turns[:number], asks=True)
                behind = self.text(turns[: number + 1], asks=False)
                if text.startswith(before) and text.startswith(behind):
                    said.append((len(before), len(behind)))
        if not said:
            raise EngineError(
                "bad_data", "The chat template rewrites what was said before, so that answers cannot be told apart."
            )
        places = encoding.offsets
        wanted = []
        for first, last in said:
            inside = [at for at, (begin, end) in enumerate(places) if begin >= first and end <= last and end > begin]
            if inside:
                wanted.append((inside[0], min(inside[-1] + 1, most)))
        return list(encoding.ids[:most]), wanted


def chat_of(spec: FinetuneSpec) -> Chat:
    """Return the template of the base: a file of its own, or a key of tokenizer_config.json; else a common one."""
    if spec.model_dir is None:
        return Chat(PLAIN, {})
    folder = ModelFolder(spec.model_dir)
    path = folder.find("tokenizer_config.json", code="tokenizer_unreadable")
    settings = read_json_object(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable") if path else {}
    template = settings.get("chat_template")
    if isinstance(template, list):
        named = [item for item in template if isinstance(item, dict) and item.get("name") == "default"]
        template = named[0].get("template") if named else None
    if own := folder.find("chat_template.jinja", code="tokenizer_unreadable"):
        template = read_bounded(own, limit=TEMPLATE_LIMIT, code="tokenizer_unreadable")
    if not isinstance(template, str):
        return Chat(PLAIN, {})
    if len(template) > TEMPLATE_LIMIT:
        raise EngineError("tokenizer_unreadable", f"the chat template has more than {TEMPLATE_LIMIT} characters")
    return Chat(template, {name: text for name in ("bos_token", "eos_token") if (text := _text(settings.get(name)))})


def _text(token: Any) -> str | None:
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None


def _refuse(message: str) -> str:
    raise TemplateError(str(message)[:200])
