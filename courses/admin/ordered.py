"""What sortable rows are made of, for the admin pages of the apps above."""

from courses.forms import OrderedFormSet, OrderedRow

__all__ = ["OrderedFormSet", "OrderedRow"]
