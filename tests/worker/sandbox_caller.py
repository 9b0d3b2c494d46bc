"""Makes one sandboxed run in a process of its own: as another user, or to be killed while the run is in progress."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from worker import sandbox


def main() -> None:
    asked = json.load(sys.stdin)
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if asked.get("echo"):
            print(line, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        writable = Path(folder, "out")
        writable.mkdir()
        outcome = sandbox.run(
            [sys.executable, "-I", "-S", "-c", asked["code"], *asked["arguments"]],
            readonly=[],
            writable=writable,
            limits=sandbox.Limits(**asked["limits"]),
            on_line=on_line,
            should_stop=lambda: None,
            policy=asked["policy"],
        )
        sandbox.discard(writable)
    print(json.dumps({"outcome": asdict(outcome), "lines": lines}), flush=True)


if __name__ == "__main__":
    main()
