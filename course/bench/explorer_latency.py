"""From the key to the picture: how long an explorer takes to answer, in real JupyterLab, end to end.

Measured in the page: from the time stamp of the key (or mouse) event, which the browser sets when the input arrives,
to the first moment after the frame that holds the changed picture was painted.  An explorer's picture has changed when
its data-revision has; the peer's, `interact` with a matplotlib heat map of the same size, when a new image is decoded.
All are in one notebook and take turns, a few presses each, so that a busy moment of the machine hits all alike.
"""

from course.bench import lab
from course.bench.report import Row

BUDGETS = {32: 20.0, 128: 33.0}  # milliseconds, median, 12 heads
HEADS, D_HEAD = 12, 32
PRESSES, QUICK_PRESSES, TURN = 60, 16, 4
DRAG_STEPS, DRAGS, QUICK_DRAGS = 40, 6, 2
LABEL = "Temperature"
CHARACTERS = 200  # of the text whose tokens are shown
ARROWS, TYPING = ("ArrowRight", "ArrowLeft"), ("a", "Backspace")  # pressed in turn

PREPARE = f"""
import numpy as np
from course import explore
rng = np.random.default_rng(0)
def arrays(tokens):
    return {{name: rng.normal(size=({HEADS}, tokens, {D_HEAD})) for name in "qkv"}}
def words(tokens):
    return [f"word{{i}}" for i in range(tokens)]
"""
ATTENTION = "explore.attention(**arrays({tokens}), tokens=words({tokens}))"
PLANE = "explore.query_plane(rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), query=[0.5, 0.5])"
POSITIONS = "explore.positions(T=128, d_model=64)"
TOKENS = f"""
from course.text.tokenizer import BPETokenizer
sentence = "I like eating apples and bananas. 我喜欢吃苹果和香蕉。 "
explore.tokens(BPETokenizer.train(sentence, vocab_size=300), text=(sentence * 9)[:{CHARACTERS}])
"""
INTERACT = """
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
from course.blocks.attention import attention
given_{tokens} = arrays({tokens})
@interact(temperature=FloatSlider(value=1, min=0.1, max=5, step=0.1))
def heat_map_{tokens}(temperature):
    q, k, v = (given_{tokens}[name][0] for name in "qkv")
    plt.figure(figsize=(5, 5))
    plt.imshow(attention(q / temperature, k, v)[1], vmin=0, vmax=1)
    plt.colorbar()
    plt.show()
"""

# What JupyterLab and the browser take for any change at all: one character, drawn as an explorer draws.
FLOOR = """
from IPython.display import HTML
HTML('<div id="floor" tabindex="0" data-lm-suppress-shortcuts="true" data-revision="0">0</div>')
"""
COUNT_KEYS = """floor => floor.addEventListener("keydown", event => {
    event.stopPropagation();
    floor.textContent = floor.dataset.revision++;
})"""

# A message sent from within an animation frame arrives when that frame has been painted.  What was drawn outside of one
# (most explorers draw at the end of the event) is painted with the next frame, so the message is sent from there.
WATCH = """(root, events) => {
    const ask = window.requestAnimationFrame.bind(window);
    let inFrame = false;
    window.requestAnimationFrame = callback => ask(time => {
        inFrame = true;
        try { callback(time); } finally { queueMicrotask(() => { inFrame = false; }); }  // after the observer below was told
    });
    const samples = [];
    let began = null;
    const afterThisFrame = () => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => { if (began !== null) { samples.push(performance.now() - began); began = null; } };
        channel.port2.postMessage(null);
    };
    const start = event => { if (began === null) began = event.timeStamp; };
    for (const type of events) window.addEventListener(type, start, true);
    const live = root.hasAttribute("data-revision");
    const observer = new MutationObserver(() => {
        if (live) return inFrame ? afterThisFrame() : ask(afterThisFrame);
        const image = root.querySelector("img");
        if (image && image !== observer.seen) { observer.seen = image; image.decode().then(() => ask(afterThisFrame), () => {}); }
    });
    observer.seen = live ? null : root.querySelector("img");
    observer.observe(root, live ? {attributes: true, attributeFilter: ["data-revision"]} : {childList: true, subtree: true});
    root.watch = {samples, stop() { window.requestAnimationFrame = ask; observer.disconnect(); for (const type of events) window.removeEventListener(type, start, true); }};
}"""


def missing() -> str:
    """What this measurement lacks on this machine, in one sentence; "" for nothing."""
    return lab.missing()


def measure(quick: bool) -> list[Row]:
    """Rows for 32 and 128 tokens beside interact + matplotlib, cursor, positions, typing, and a drag in the query plane."""
    sizes = sorted(BUDGETS)
    cells = [PREPARE, *(ATTENTION.format(tokens=n) for n in sizes), PLANE, *(INTERACT.format(tokens=n) for n in sizes), FLOOR, POSITIONS, TOKENS]
    with lab.Lab() as server, server.browser() as browser:
        notebook = browser.open(cells, height=1400)
        notebook.run_all(timeout=240)
        if notebook.errors():
            raise RuntimeError(notebook.errors()[0])
        explorers = [notebook.explorer(i) for i in range(len(sizes) + 1)]
        peers = [notebook.page.locator(".jp-Cell").nth(len(sizes) + 2 + i) for i in range(len(sizes))]
        for peer in peers:
            peer.locator("img").wait_for(timeout=60_000)
        floor = notebook.page.locator("#floor")
        floor.evaluate(COUNT_KEYS)
        contenders = {("one character changed", "JupyterLab, browser", None): (floor, floor)}
        for size, explorer, peer in zip(sizes, explorers, peers):
            temperature = explorer.get_by_role("slider", name=LABEL, exact=False).first
            contenders[f"temperature, {size} tokens × {HEADS} heads", "ours", BUDGETS[size]] = (explorer, temperature)
            contenders[f"temperature, {size} tokens × {HEADS} heads", "interact + matplotlib", None] = (peer, peer.locator(".noUi-handle"))
            contenders[f"cursor, {size} tokens × {HEADS} heads", "ours", BUDGETS[size]] = (explorer, explorer.get_by_role("grid").first)
        positions = notebook.explorer(len(sizes) + 2)  # the floor counts as one
        positions.get_by_text("Width, base and length").click()
        for what, role, label in (("cursor", "grid", "Matrix"), ("position", "slider", "position"), ("base, all anew", "slider", "base")):
            control = positions.get_by_role(role, name=label).first
            contenders[f"positions, {what}, 128 × 64", "ours", BUDGETS[128]] = (positions, control)
        typing = f"typing, tokens of {CHARACTERS} characters", "ours", BUDGETS[32]
        tokens = notebook.explorer(len(sizes) + 3)
        contenders[typing] = (tokens, tokens.get_by_role("textbox").first)
        samples = {name: [] for name in contenders}
        presses = QUICK_PRESSES if quick else PRESSES
        for _ in range(presses // TURN):
            for name, (root, control) in contenders.items():
                samples[name] += press(notebook, root, control, TYPING if name == typing else ARROWS)
        rows = [Row(work, who, "ms", tuple(samples[work, who, budget]), budget, "one head drawn" if "interact" in who else "")
                for work, who, budget in contenders]  # fmt: skip
        rows.append(drag(notebook, explorers[-1], QUICK_DRAGS if quick else DRAGS))
        notebook.close()
    return rows


def press(notebook, root, control, keys=ARROWS) -> list[float]:
    """A turn: TURN presses of two keys by turns, each after the picture of the one before was painted; milliseconds."""
    page = notebook.page
    control.scroll_into_view_if_needed()
    control.focus()
    page.wait_for_timeout(250)
    root.evaluate(WATCH, ["keydown"])
    for i in range(TURN):
        page.keyboard.press(keys[i % 2])
        page.wait_for_function("([root, count]) => root.watch.samples.length > count", arg=[root.element_handle(), i], timeout=30_000)
        page.wait_for_timeout(60)  # a hand is no faster, and a late frame must not count for the next press
    samples = root.evaluate("root => { root.watch.stop(); return root.watch.samples; }")
    return samples[:TURN]


def drag(notebook, root, repetitions: int) -> Row:
    """Drags the query, one move a frame; a move that comes before the last one was painted shares its picture."""
    page = notebook.page
    root.scroll_into_view_if_needed()
    samples = []
    for _ in range(repetitions):
        box = root.locator('[data-id="q"]').bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.wait_for_timeout(250)
        root.evaluate(WATCH, ["pointermove"])
        for step in range(1, DRAG_STEPS + 1):
            page.mouse.move(x - 2 * step, y + (step % 2) * 3)
            page.wait_for_timeout(17)
        page.wait_for_timeout(100)
        samples += root.evaluate("root => { root.watch.stop(); return root.watch.samples; }")
        page.mouse.up()
        page.wait_for_timeout(400)
        root.get_by_role("button", name="Start again").click()
        page.wait_for_timeout(400)
    return Row("query plane, drag", "ours", "ms", tuple(samples), BUDGETS[32], f"{len(samples)} of {repetitions * DRAG_STEPS} moves had a picture of their own")
