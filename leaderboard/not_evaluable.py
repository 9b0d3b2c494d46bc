"""Why a model cannot be evaluated as it is; in a file of its own for those who find out and those who are told."""

from portal.errors import InvalidInput


class NotEvaluable(InvalidInput):
    """The model lacks something that an evaluation needs; the code says what."""

    code = "not_evaluable"
