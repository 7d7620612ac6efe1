"""Why a drill did not take place, in words for whoever sits at the terminal."""


class DrillError(Exception):
    """The drill could not be run, or not to its end; nothing but the copy was touched."""
