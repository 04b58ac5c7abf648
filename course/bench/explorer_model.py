"""The explorer of a whole model: what it sends, how soon it shows, and how it follows the hand, in real JupyterLab.

MiniLM, 6 layers of 12 heads, on 64 and on 512 tokens.  Bytes are the whole state of the widget as it travels, with its
picture for readers without a kernel; those of BertViz and CircuitsVis, where they are installed, are the HTML of their
views of all layers with the same weights.  "First picture" is from the first line of the cell (the model is loaded) to
the first frame with the picture in it.
"""

import importlib.util

from course.bench import lab
from course.bench.explorer_bytes import size_of
from course.bench.explorer_latency import WATCH
from course.bench.report import Row

FEW, MANY = 64, 512
MEGABYTES = {FEW: 2.0, MANY: 15.0}
FIRST, FRAME = 1000.0, 33.0  # milliseconds
REPEATS, QUICK_REPEATS = 5, 2
DRAG_STEPS, DRAGS, QUICK_DRAGS = 30, 5, 2

PREPARE = """
import time
from course import explore, figures
from course.pretrained.sentence import sentence_encoder
encoder = sentence_encoder()
encoder.tokenizer.model_max_length = 512
def text(tokens):
    return " ".join((["we", "like", "apples", "and", "bananas", "in", "the", "morning"] * tokens)[: tokens - 2])
encoder.encode(["warm"]); figures.png(figures.figure()[0])
"""
OTHER = "explore.attention(weights=[[1.0, 0.0], [0.5, 0.5]], tokens=['a', 'b'])"  # so that the page knows widgets
SHOW = "started = time.time()\ne = explore.attention(encoder.model, encoder.tokenizer, text=text({tokens})); e"
LOOK_OUT = """() => {
    window.shown = null;
    const look = new MutationObserver(() => {
        const root = document.querySelector(".ex-attention:not([data-revision='0']):has(.ex-overview)");
        if (!root || window.shown !== null) return;
        look.disconnect();
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => { window.shown = performance.timeOrigin + performance.now(); };
            channel.port2.postMessage(null);
        });
    });
    look.observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["data-revision"]});
}"""


def missing() -> str:
    """What this measurement lacks on this machine, in one sentence; "" for nothing."""
    from course.pretrained.folders import NoModel
    from course.pretrained.sentence import sentence_encoder

    try:
        sentence_encoder()
    except NoModel as reason:
        return str(reason)
    return lab.missing()


def measure(quick: bool) -> list[Row]:
    """Rows for bytes, for the first picture, and for a frame while the cursor is dragged over 512 × 512 cells."""
    rows = []
    for tokens in (FEW, MANY):
        rows += sizes(tokens)
    with lab.Lab() as server, server.browser() as browser:
        repeats = QUICK_REPEATS if quick else REPEATS
        rows.append(first_picture(browser, repeats))
        rows.append(drag(browser, QUICK_DRAGS if quick else DRAGS))
    return rows


def sizes(tokens: int) -> list[Row]:
    """Megabytes sent for all layers on `tokens` tokens, beside the peers that are installed."""
    scope: dict = {}
    exec(PREPARE + SHOW.format(tokens=tokens), scope)
    explorer = scope["e"]
    state = explorer.get_state()
    code = len(state["_esm"].encode()) + len(state["_css"].encode())
    total = size_of(state) + len(explorer.png())
    work = f"sent to the page, 6 × 12 heads × {len(explorer.run.tokens)} tokens"
    note = f"with {code / 1000:.0f} kB of code and the picture; one layer's q, k, v, tiles of all"
    rows = [Row(work, "ours", "MB", (total / 1e6,), MEGABYTES[tokens], note)]
    for name, size in (("BertViz", bertviz_size), ("CircuitsVis", circuitsvis_size)):
        if tokens == FEW and importlib.util.find_spec(name.lower()):
            rows.append(Row(work, name, "MB", (size(explorer.run) / 1e6,), note="weights, with its code"))
    return rows


def bertviz_size(run) -> int:
    """Bytes of the HTML of BertViz's view of all layers and heads."""
    import torch
    from bertviz import model_view

    weights = [torch.tensor(layer.weights)[None] for layer in run.layers]
    return len(model_view(weights, list(run.tokens), html_action="return").data.encode())


def circuitsvis_size(run) -> int:
    """Bytes of what CircuitsVis's attention view of each layer writes into the notebook."""
    from circuitsvis.attention import attention_heads

    return sum(len(attention_heads(layer.weights, list(run.tokens))._repr_html_().encode()) for layer in run.layers)


def first_picture(browser, repeats: int) -> Row:
    """From the first line of the cell to the frame with the picture, each time in a notebook and a kernel of its own."""
    samples = []
    for _ in range(repeats):
        notebook = browser.open([PREPARE, OTHER, SHOW.format(tokens=FEW)], height=1400)
        notebook.page.evaluate(LOOK_OUT)
        notebook.run_all(timeout=240)
        if notebook.errors():
            raise RuntimeError(notebook.errors()[0])
        notebook.page.wait_for_function("() => window.shown !== null", timeout=60_000)
        samples.append(notebook.page.evaluate("() => window.shown") - 1000 * notebook.python("started"))
        notebook.close()
    return Row(f"first picture, 6 × 12 heads × {FEW} tokens", "ours", "ms", tuple(samples), FIRST, "the model is loaded, another explorer is on the page")


def drag(browser, repetitions: int) -> Row:
    """Drags the cursor across the large head of 512 × 512 cells, one move a frame."""
    notebook = browser.open([PREPARE, SHOW.format(tokens=MANY)], height=1400)
    notebook.run_all(timeout=240)
    if notebook.errors():
        raise RuntimeError(notebook.errors()[0])
    page, root, samples = notebook.page, notebook.explorer(0), []
    canvas = root.locator(".ex-stage > .ex-grid > canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    box = canvas.bounding_box()
    for _ in range(repetitions):
        x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4
        page.mouse.move(x, y)
        page.mouse.down()
        page.wait_for_timeout(250)
        root.evaluate(WATCH, ["pointermove"])
        for step in range(1, DRAG_STEPS + 1):
            page.mouse.move(x + 6 * step, y + 5 * step)
            page.wait_for_timeout(34)
        page.wait_for_timeout(100)
        samples += root.evaluate("root => { root.watch.stop(); return root.watch.samples; }")
        page.mouse.up()
        page.wait_for_timeout(300)
    notebook.close()
    note = f"{len(samples)} of {repetitions * DRAG_STEPS} moves had a picture of their own"
    return Row(f"cursor dragged, 12 heads × {MANY} tokens", "ours", "ms", tuple(samples), FRAME, note)
