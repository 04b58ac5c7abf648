"""A small chapter that keeps every rule, for tests that need one to break."""

from pathlib import Path

from course import build
from course.setup_cell import SETUP_CELL

TEXT = f"""# 98 · A sample

**One question:** does the way from text to notebook lose anything?

**Afterwards you can** break it, and see which test notices.

2 minutes. You are here: text → **notebook**. See [the recap](#Recap) and [this text](source/98_sample.md).

```python
{SETUP_CELL}
```

## Numbers

Nothing here is random: 吃 is printed `of course` as it is, and $just$ is a formula.


This prose has a cell of its own.

```python
import numpy as np

x = np.arange(3)
x * 2
```

```python
for n in range(40):
    print("line", n, flush=True)
```

```python
from course.figures import curves, show

show(curves([1, 2, 4], {{"y": [1, 2, 3]}}, title="Up", xlabel="x", ylabel="y"), "A curve that rises from one to three.")
```

```python tags=["nbval-ignore-output"]
import os

os.environ["COURSE_HOME"], os.getpid()
```

```python tags=["raises-exception"]
x[7]
```

```python
import ipywidgets

class Live(ipywidgets.IntSlider):
    "A widget as explorers are: a live view, and a picture and a line for readers without a kernel."

    def _repr_mimebundle_(self, **kwargs):
        picture = show(curves([1, 2], {{"y": [2, 1]}}, title="Down", xlabel="x", ylabel="y"), "a")._repr_mimebundle_()
        data = {{**super()._repr_mimebundle_(**kwargs), "image/png": picture["image/png"]}}
        return {{**data, "text/plain": "sample explorer: a curve that falls"}}

Live()
```

```text
this is no code of the chapter
```

## What the document says

*Holds.*

## Recap

- Text and notebook agree.

**Next:** nothing.

**Sources**

- None.
"""


def write_sample(root: Path, text: str = TEXT, name: str = "98_sample") -> Path:
    """Writes the text into root/notebooks/source and returns its path; nothing is built yet."""
    path = root / "notebooks" / "source" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def build_sample(root: Path, text: str = TEXT, name: str = "98_sample") -> Path:
    """Writes and builds it; returns the path of the notebook."""
    source = write_sample(root, text, name)
    target = root / "notebooks" / f"{name}.ipynb"
    build.build(source, target, quick=True, timeout=60)
    return target
