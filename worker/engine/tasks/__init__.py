"""Every kind of task that the engine can evaluate. A kind is here once all of it works, from data to result page."""

from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.tasks.fill_mask import FillMask
from worker.engine.tasks.image_classification import ImageClassification
from worker.engine.tasks.language_modeling import LanguageModeling
from worker.engine.tasks.minimal_pairs import MinimalPairs
from worker.engine.tasks.multi_label import MultiLabelClassification
from worker.engine.tasks.multiple_choice import MultipleChoice
from worker.engine.tasks.object_detection import ObjectDetection
from worker.engine.tasks.pair_classification import PairClassification
from worker.engine.tasks.question_answering import QuestionAnswering
from worker.engine.tasks.ranking import TextRanking
from worker.engine.tasks.regression import TextRegression
from worker.engine.tasks.retrieval import TextRetrieval
from worker.engine.tasks.sentence_similarity import SentenceSimilarity
from worker.engine.tasks.summarization import Summarization
from worker.engine.tasks.task import Task
from worker.engine.tasks.text_classification import TextClassification
from worker.engine.tasks.text_generation import TextGeneration
from worker.engine.tasks.token_classification import TokenClassification
from worker.engine.tasks.translation import Translation

_ALL: tuple[Task[Any], ...] = (
    TextClassification(),
    PairClassification(),
    MultiLabelClassification(),
    TextRegression(),
    TokenClassification(),
    QuestionAnswering(),
    SentenceSimilarity(),
    TextRetrieval(),
    TextRanking(),
    FillMask(),
    LanguageModeling(),
    MultipleChoice(),
    MinimalPairs(),
    TextGeneration(),
    Translation(),
    Summarization(),
    ImageClassification(),
    ObjectDetection(),
)
TASKS: dict[str, Task[Any]] = {task.name: task for task in _ALL}


def find(name: str) -> Task[Any]:
    """Return the task of that name."""
    try:
        return TASKS[name]
    except KeyError:
        raise EngineError("bad_spec", f"task must be one of: {', '.join(TASKS)}") from None
