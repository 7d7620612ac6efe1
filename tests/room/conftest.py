"""Clocks of the realtime tier that go faster, for tests of what happens and not of how soon."""

import pytest


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times a second it is asked who may stay, and counted who is there. How soon it is otherwise, tests marked
    `serial` measure."""
    from webinars.realtime import census
    from webinars.realtime.registry import Registry

    intervals = Registry.__init__.__kwdefaults__
    assert intervals is not None
    monkeypatch.setitem(intervals, "every_seconds", 0.1)
    monkeypatch.setattr(census, "REPORT_SECONDS", 0.1)
