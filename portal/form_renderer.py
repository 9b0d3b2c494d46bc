"""How every form of the site looks: one place gives widgets the kit's classes, allauth's forms included."""

from typing import Any

from django.forms import widgets
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates

CHECKS = (widgets.CheckboxInput, widgets.RadioSelect, widgets.CheckboxSelectMultiple)


def css_class(widget: widgets.Widget) -> str:
    """Return the kit's class for a widget, "" for one that is not seen."""
    if widget.is_hidden:
        return ""
    # RadioSelect is not a Select to a reader, though it behaves as one.
    if isinstance(widget, CHECKS):
        return "form-check-input"
    return "form-select" if isinstance(widget, widgets.Select) else "form-control"


class StyledField(BoundField):
    """A field whose widget carries the kit's classes and says when its value was refused."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: widgets.Widget | None = None) -> dict[str, Any]:
        built = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        invalid = "is-invalid" if self.errors else ""
        names = (css_class(widget), attrs.get("class") or widget.attrs.get("class", ""), invalid)
        if css_class(widget):
            built["class"] = " ".join(name for name in names if name)
        return built


class FormRenderer(DjangoTemplates):
    """Django's own renderer with our fields."""

    bound_field_class = StyledField
