"""Words for the filters of boards."""

from django.utils.translation import gettext_lazy as _

# What a board may leave out by what is known of the training of its models.
CONTAMINATIONS = {
    "": _("All models"),
    "not-measured": _("Without test rows found in training data"),
    "not-declared": _("Nor declared training on its data sets"),
    "not-found": _("Training data declared, and nothing found"),
}
