"""What the explorer of a whole model shows beside the large head: a pinned head, a second text, another model."""

import numpy as np

from course.explore.base import clean, pack
from course.explore.model_readout import looking
from course.lens.run import Run

MOST_TOKENS = 512  # as of the large head


def beside(run: Run, layer: int, head: int, title) -> tuple[dict, bytes, bytes]:
    """One head of `run` in the form in which it goes to the page: (what there is to say, weights, mask).

    `title(layer=its name, head=…)` is the sentence over it.  Layer and head are those asked for, or the last there is.
    """
    layer = min(layer, len(run.layers) - 1)
    recording = run.layers[layer].shortened(MOST_TOKENS)
    head = min(head, recording.heads - 1)
    mask = None if recording.mask is None else np.broadcast_to(recording.mask, looking(recording).shape)[head]
    said = {
        "title": title(layer=clean(run.names[layer]), head=head), "layer": layer, "head": head, "masked": mask is not None,
        "tokens": [clean(token) for token in recording.tokens],
        "key_tokens": [clean(token) for token in recording.key_tokens]}  # fmt: skip
    bits = b"" if mask is None else np.ascontiguousarray(mask, dtype=np.uint8).tobytes()
    return said, pack(looking(recording)[head]), bits
