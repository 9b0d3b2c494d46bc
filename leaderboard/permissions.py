"""Who may register benchmarks, ask for evaluations and decide on proposals. Seeing is decided by `visible_to` alone."""

from django.utils.translation import gettext as _

from leaderboard.models import Benchmark, Evaluation
from models_hub.models import Repo
from models_hub.permissions import can_download, can_write, require_download
from portal.errors import NotAllowed
from portal.models import Asker
from portal.reach import reach_of


def can_register(user: Asker, dataset: Repo) -> bool:
    """Writers of a data set may make a benchmark of it."""
    return can_write(user, dataset)


def can_evaluate(user: Asker, model: Repo) -> bool:
    """Anybody with an account may have a public model evaluated; a private one is its writers' business.

    A gated one is the business of those who may download it.
    """
    may_ask = user.is_authenticated and (not model.private or can_write(user, model))
    return may_ask and can_download(user, model)


def can_read_answers(user: Asker, evaluation: Evaluation) -> bool:
    """Whoever may download the data may read what a model answered to each row, where the rows are public.

    Of a withheld test only the writers of its data set, who have the rows: answers may quote passages, and name rows.
    """
    dataset = evaluation.benchmark.dataset
    if not evaluation.benchmark.test_is_public:
        return can_write(user, dataset)
    return can_download(user, dataset)


def require_answers(user: Asker, evaluation: Evaluation) -> None:
    """Raise NotAllowed, or GatedRepo, when the user may not read what the model answered."""
    if not evaluation.benchmark.test_is_public and not can_read_answers(user, evaluation):
        raise NotAllowed(
            _("The test rows of this benchmark are withheld, and so is what models answered to them."),
            code="test_withheld",
        )
    require_download(user, evaluation.benchmark.dataset)


def require_rows(user: Asker, evaluation: Evaluation) -> None:
    """Raise unless rows of the test may be shown beside what was answered: never those of a withheld one."""
    if not evaluation.benchmark.test_is_public:
        raise NotAllowed(_("The test rows of this benchmark are withheld."), code="test_withheld")
    require_download(user, evaluation.benchmark.dataset)


def can_import(user: Asker, model: Repo) -> bool:
    """Writers of a model, and moderators, may add results of other boards and take them away."""
    return can_write(user, model) or can_review(user)


def can_compare(user: Asker, benchmark: Benchmark) -> bool:
    """Whoever may download the rows may compare them with a data set; withheld ones, only their owners."""
    if not user.is_authenticated or not can_download(user, benchmark.dataset):
        return False
    return benchmark.test_is_public or can_write(user, benchmark.dataset)


def can_review(user: Asker) -> bool:
    """Staff moderate: they decide on proposed benchmarks and boards, and when a board ends; no limited token does."""
    return user.is_authenticated and user.is_staff and reach_of(user) is None


def can_switch_idle_workers(user: Asker) -> bool:
    """Staff decide whether idle workers take what people voted for."""
    return user.is_authenticated and user.is_staff
