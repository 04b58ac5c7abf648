"""Quick mode is asked of the environment each time; the device is the best that works."""

import pytest
import torch

from course.device import device, full_or_quick, quick


@pytest.mark.parametrize(("value", "short"), [("1", True), ("0", False), ("", False), ("yes", False), (None, False)])
def test_quick_mode_is_what_the_environment_says_now(monkeypatch, value, short):
    monkeypatch.delenv("COURSE_QUICK", raising=False)
    if value is not None:
        monkeypatch.setenv("COURSE_QUICK", value)
    assert quick() is short
    assert full_or_quick(500, 20) == (20 if short else 500)


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_best_device_that_works(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device() == torch.device(best)
