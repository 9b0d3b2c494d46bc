"""The code of guides, taken out of their Markdown and run: Python in one process that stays, shell lines beside it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from forum.learning import guides
from forum.learning.guides import Guide
from tests.live import ROOT

_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
RUN = {"python", "bash"}
HERE = "# in a checkout of the portal's code\n"
# Reads blocks as lines of JSON and answers each with what it printed; names live as long as their guide.
NOTEBOOK = """
import contextlib, io, json, sys, traceback
spaces = {}
for line in sys.stdin:
    guide, code = json.loads(line)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(code, guide, "exec"), spaces.setdefault(guide, {"__name__": "__main__"}))
        failed = ""
    except BaseException:
        failed = traceback.format_exc()
    print(json.dumps([said.getvalue(), failed]), file=sys.__stdout__, flush=True)
"""


@dataclass(frozen=True)
class Block:
    """A block of code: its language, the file it is to be written to, if any, and what it says."""

    language: str
    title: str
    code: str

    @property
    def runs(self) -> bool:
        return self.language in RUN


def blocks(guide: Guide) -> Iterator[Block]:
    for language, title, code in _BLOCK.findall(guide.text):
        yield Block(language, title, code)


class Desk:
    """Where a reader sits: a folder, the portal's address and a token in the environment, a Python that stays open."""

    def __init__(self, folder: Path, *, address: str, name: str, token: str, here: Mapping[str, str]) -> None:
        self.folder, self.address, self.name = folder, address, name
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "DJANGO_"))}
        self.env = {
            **clean, "PATH": path, "HF_ENDPOINT": address, "HF_TOKEN": token, "HF_HOME": str(folder / "home"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        self.here = {**here, **self.env}
        self.notebook = subprocess.Popen(
            [sys.executable, "-c", NOTEBOOK], cwd=folder, env=self.env, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def close(self) -> None:
        assert self.notebook.stdin is not None
        assert self.notebook.stdout is not None
        self.notebook.stdin.close()
        self.notebook.wait(20)
        self.notebook.stdout.close()

    def follow(self, guide: Guide) -> list[str]:
        """Do all that a guide says, and hold what is printed to what it says is printed; returns the outputs."""
        said: list[str] = []
        for block in blocks(guide):
            code = guides.filled(block.code, address=self.address, name=self.name)
            if block.title:
                path = self.folder / block.title
                path.parent.mkdir(exist_ok=True)
                path.write_text(code, encoding="utf-8")
            if block.runs:
                said.append(self._python(guide, code) if block.language == "python" else self._shell(code))
            elif block.language == "text":
                assert code.strip() in said[-1], f"{guide.slug} says {code!r}, and this was printed: {said[-1]!r}"
        return said

    def _python(self, guide: Guide, code: str) -> str:
        assert self.notebook.stdin is not None
        assert self.notebook.stdout is not None
        self.notebook.stdin.write(json.dumps([guide.slug, code]) + "\n")
        self.notebook.stdin.flush()
        said, failed = json.loads(self.notebook.stdout.readline())
        assert not failed, f"{guide.slug}:\n{code}\n{failed}\n{said}"
        return str(said)

    def _shell(self, code: str) -> str:
        is_here = code.startswith(HERE)
        done = subprocess.run(
            ["bash", "-euc", code], cwd=ROOT if is_here else self.folder, env=self.here if is_here else self.env,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout
