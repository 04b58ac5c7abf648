"""On which processor to compute, and whether to be quick about it."""

import os
from typing import TypeVar

Value = TypeVar("Value")


def quick() -> bool:
    """Whether trainings and measurements are to be short: COURSE_QUICK=1, as the tests set it.  Any other value is no."""
    return os.environ.get("COURSE_QUICK") == "1"


def full_or_quick(full: Value, short: Value) -> Value:
    """`full`, or `short` in quick mode: full_or_quick(500, 20) steps."""
    return short if quick() else full


def device():
    """The torch.device to train on: an NVIDIA GPU if there is one that works, else Apple's, else the processor."""
    import torch

    for kind, there in (("cuda", torch.cuda.is_available), ("mps", torch.backends.mps.is_available)):
        if there():
            return torch.device(kind)
    return torch.device("cpu")
