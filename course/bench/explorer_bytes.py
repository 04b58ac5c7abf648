"""How much an explorer sends to the page: 12 heads, 32 and 64 tokens, beside BertViz where it is installed.

Ours is the whole state of the widget as it travels (tensors as bytes, the rest as JSON), without the JavaScript, which
is the same for every text and is listed by itself.  BertViz's is the HTML that its head view writes into the notebook.
"""

import importlib.util
import json

import numpy as np

from course.bench.report import Row

HEADS, D_HEAD = 12, 32
SIZES = (32, 64)


def missing() -> str:
    """Nothing beside the course is needed; BertViz is measured where it is installed."""
    return ""


def measure(quick: bool) -> list[Row]:
    """Kilobytes sent, the same number every time."""
    from course import explore

    rows = []
    for tokens in SIZES:
        rng = np.random.default_rng(0)
        q, k, v = (rng.normal(size=(HEADS, tokens, D_HEAD)) for _ in range(3))
        names = [f"word{i}" for i in range(tokens)]
        work = f"sent to the page, {HEADS} heads × {tokens} tokens"
        explorer = explore.attention(q=q, k=k, v=v, tokens=names)
        state = explorer.get_state()
        code = len(state.pop("_esm").encode()) + len(state.pop("_css").encode())
        rows.append(Row(work, "ours", "kB", (size_of(state) / 1000,), note=f"q, k, v; with {code / 1000:.0f} kB of code, once"))
        if importlib.util.find_spec("bertviz"):
            rows.append(Row(work, "BertViz", "kB", (bertviz_size(names) / 1000,), note="weights only, with its code"))
    return rows


def size_of(state: dict) -> int:
    """Bytes of a widget's state: buffers as they are, everything else as JSON."""
    buffers = {name: value for name, value in state.items() if isinstance(value, (bytes, bytearray, memoryview))}
    rest = {name: value for name, value in state.items() if name not in buffers}
    return sum(map(len, buffers.values())) + len(json.dumps(rest, default=str).encode())


def bertviz_size(names) -> int:
    """Bytes of the HTML of BertViz's head view for one layer of random weights of the same shape."""
    import torch
    from bertviz import head_view

    rng = np.random.default_rng(0)
    scores = rng.normal(size=(1, HEADS, len(names), len(names)))
    weights = torch.softmax(torch.tensor(scores, dtype=torch.float32), dim=-1)
    return len(head_view([weights], names, html_action="return").data.encode())
