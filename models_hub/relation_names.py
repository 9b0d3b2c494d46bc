"""What was done to a base model, in the reader's words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

RELATIONS: dict[str, str | Promise] = {
    "finetune": _("fine-tune"),
    "adapter": _("adapter"),
    "quantized": _("quantization"),
    "merge": _("merge"),
}


def relation_label(relation: str) -> str:
    return str(RELATIONS.get(relation, relation))


def relation_count(relation: str, count: int) -> str:
    """Return “3 fine-tunes” and the like."""
    texts = {
        "finetune": ngettext("%(n)d fine-tune", "%(n)d fine-tunes", count),
        "adapter": ngettext("%(n)d adapter", "%(n)d adapters", count),
        "quantized": ngettext("%(n)d quantization", "%(n)d quantizations", count),
        "merge": ngettext("%(n)d merge", "%(n)d merges", count),
    }
    return texts.get(relation, "%(n)d") % {"n": count}
