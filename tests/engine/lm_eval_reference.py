"""Runs lm-eval itself, in a process of its own: its import takes seconds and marks the whole process.

    python -m tests.engine.lm_eval_reference spec.json

The spec names models, tasks as lm-eval takes them, and where the answer goes.
"""

import json
import os
import sys
from pathlib import Path

os.environ |= {
    "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "DISABLE_MULTIPROC": "1",
    "OMP_NUM_THREADS": "1",
}  # fmt: skip


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    os.environ["HF_HOME"] = spec["home"]
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_defaults=False)
    answer = {}
    for name, model_dir in spec["models"].items():
        model = HFLM(pretrained=model_dir, device="cpu", batch_size=16, max_length=spec["max_length"], dtype="float32")
        found = lm_eval.simple_evaluate(
            model=model, tasks=spec["tasks"], task_manager=manager, bootstrap_iters=0, num_fewshot=None
        )
        answer[name] = {
            task["task"]: {
                "metrics": {key.partition(",")[0]: value for key, value in found["results"][task["task"]].items()},
                "responses": [row["resps"] for row in found["samples"][task["task"]]],
            }
            for task in spec["tasks"]
        }
    Path(spec["out"]).write_text(json.dumps(answer, default=float))


if __name__ == "__main__":
    main()
