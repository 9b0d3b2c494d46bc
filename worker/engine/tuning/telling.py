"""What those who watch a run hear of it: its phases, and how much of it is done."""

from worker.engine.progress import Progress
from worker.engine.tuning.earlier import Earlier
from worker.engine.tuning.log import Log


class Telling:
    """Says in the log and on the bar of progress how far a run is, of which this round may be a part."""

    def __init__(self, log: Log, progress: Progress, earlier: Earlier) -> None:
        self._log = log
        self._progress = progress
        self._earlier = earlier

    def phase(self, name: str, share: float) -> None:
        """Say what comes now."""
        self._log.write("phase", phase=name)
        self.report(share, name, always=True)

    def report(self, share: float, what: str, *, always: bool = False) -> None:
        """Say which share of this round is done."""
        self._progress.report(self._earlier.done + self._earlier.share * share, what, always=always)
