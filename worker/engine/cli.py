"""The command line of the engine: a verb and a spec in; JSON lines, a result or a typed error out.

Standard output carries {"progress", "message"} lines and then one {"result"} (exit status 0) or {"error"} line
(exit status 3). A result is said in brief: what is long stands in the files alone. Whatever the libraries print goes to
standard error.
"""

import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.engine.contracts import CompareSpec, EngineError, EvaluateSpec, PrepareSpec, ScoreSpec, TrainSpec
from worker.engine.decoding import decode, read_json_object
from worker.engine.environment import prepare_process
from worker.engine.failures import is_out_of_memory, out_of_memory
from worker.engine.progress import Progress, claim_stdout
from worker.engine.tuning.compressing.contracts import CompressSpec, MeasureSpec
from worker.engine.tuning.contracts import ArrangeSpec, FinetuneSpec, RewriteSpec
from worker.engine.tuning.explaining.contracts import ExplainSpec
from worker.engine.tuning.exporting.contracts import ExportSpec
from worker.engine.tuning.picking.contracts import FillSpec, PickSpec, PoolSpec
from worker.engine.tuning.search_contracts import ProposeSpec

FAILED = 3
WRONG_USAGE = 2
SPEC_LIMIT = 4 << 20
# Who reads lines that may be hostile cuts them somewhere: the sandbox at 8,192 bytes.
SAID_BYTES = 6000


@dataclass(frozen=True)
class Verb:
    """What runs a spec, named as text: the module is only imported once threads and network are settled."""

    spec: type
    module: str
    function: str

    def load(self) -> Callable[[Any, Progress], dict[str, Any]]:
        """Import the function; from here on the process settings count no more."""
        function: Callable[[Any, Progress], dict[str, Any]] = getattr(
            importlib.import_module(self.module), self.function
        )
        return function


VERBS = {
    "prepare": Verb(PrepareSpec, "worker.engine.verbs", "prepare"),
    "score": Verb(ScoreSpec, "worker.engine.verbs", "score"),
    "compare": Verb(CompareSpec, "worker.engine.verbs", "compare"),
    "evaluate": Verb(EvaluateSpec, "worker.engine.evaluating", "evaluate"),
    "train": Verb(TrainSpec, "worker.engine.train", "train"),
    "measure": Verb(MeasureSpec, "worker.engine.tuning.compressing.measuring", "measure"),
    "compress": Verb(CompressSpec, "worker.engine.tuning.compressing.verb", "compress"),
    "explain": Verb(ExplainSpec, "worker.engine.tuning.explaining.verb", "explain"),
    "export": Verb(ExportSpec, "worker.engine.tuning.exporting.verb", "export"),
    "propose": Verb(ProposeSpec, "worker.engine.tuning.searching", "propose"),
    "arrange": Verb(ArrangeSpec, "worker.engine.tuning.arranging", "arrange"),
    "rewrite": Verb(RewriteSpec, "worker.engine.tuning.augmenting.rewriting", "rewrite"),
    "finetune": Verb(FinetuneSpec, "worker.engine.tuning.training", "finetune"),
    "pool": Verb(PoolSpec, "worker.engine.tuning.picking.pool", "pool"),
    "doubt": Verb(EvaluateSpec, "worker.engine.tuning.picking.doubting", "doubt"),
    "pick": Verb(PickSpec, "worker.engine.tuning.picking.picking", "pick"),
    "fill": Verb(FillSpec, "worker.engine.tuning.picking.filling", "fill"),
}
# The stand-in of the tests, which needs no torch.
FAKE_VERBS = {
    **VERBS,
    "evaluate": Verb(EvaluateSpec, "worker.engine.fake", "evaluate"),
    "doubt": Verb(EvaluateSpec, "worker.engine.fake", "evaluate"),
    "train": Verb(TrainSpec, "worker.engine.fake", "train"),
    "rewrite": Verb(RewriteSpec, "worker.engine.fake", "rewrite"),
    "finetune": Verb(FinetuneSpec, "worker.engine.fake", "finetune"),
    "propose": Verb(ProposeSpec, "worker.engine.fake", "propose"),
}


def run(arguments: Sequence[str], verbs: Mapping[str, Verb] = VERBS) -> int:
    """Run one verb and return the exit status."""
    if len(arguments) != 2 or arguments[0] not in verbs:
        sys.stderr.write(f"usage: python -m worker.engine {'|'.join(verbs)} SPEC.json\n")
        return WRONG_USAGE
    progress = claim_stdout()
    try:
        _say(progress, {"result": _brief(_result(verbs[arguments[0]], Path(arguments[1]), progress))})
    except EngineError as error:
        _say(progress, {"error": {"code": error.code, "message": error.message}})
        return FAILED
    except Exception as error:
        # Memory can run out anywhere, in Python's own lists too; everything else is a fault of ours: a traceback.
        if not is_out_of_memory(error):
            raise
        failure = out_of_memory(error)
        _say(progress, {"error": {"code": failure.code, "message": failure.message}})
        return FAILED
    return 0


def _result(verb: Verb, path: Path, progress: Progress) -> Any:
    spec: Any = decode(verb.spec, read_json_object(path, limit=SPEC_LIMIT, code="bad_spec"))
    prepare_process(getattr(spec, "threads", 1))
    return verb.load()(spec, progress)


def _brief(result: dict[str, Any]) -> dict[str, Any]:
    """Leave out the longest parts until the rest fits a line; the whole is in the files that the spec names."""
    sizes = {name: len(json.dumps(value)) + len(name) for name, value in result.items()}
    left = sum(sizes.values())
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if left <= SAID_BYTES:
            break
        left -= sizes.pop(name)
    return {name: value for name, value in result.items() if name in sizes}


def _say(progress: Progress, line: dict[str, Any]) -> None:
    progress.stream.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    progress.stream.flush()
