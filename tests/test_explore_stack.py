"""The stack explorer: the page's numbers are Python's, what it says is so, and the picture without a kernel."""

import base64
import io
import json
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest
import torch
import traitlets

from course import explore, sentences
from course.blocks.block import DocumentBlock, PostNormBlock, PreNormBlock
from course.explore import base
from course.lens import stream
from course.models import GPT, GPTConfig
from course.text.tokenizer import BPETokenizer

NODE = shutil.which("node")
TEXT = "low lower lowest, I like eating apples and bananas; the apples' bananas. 我喜欢吃苹果和香蕉。吃苹果。 "


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train(TEXT * 3, 300, special_tokens=["<|endoftext|>"])


def little_gpt(tokenizer, block=PreNormBlock, seed=0, **settings):
    torch.manual_seed(seed)
    sizes = {"vocab_size": len(tokenizer), "context_length": 40, "d_model": 16, "n_heads": 2, "n_layers": 3}
    model = GPT(GPTConfig(**sizes | settings), block)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape)
    return model


@pytest.fixture(scope="module")
def model(tokenizer):
    return little_gpt(tokenizer)


@pytest.fixture
def e(model, tokenizer):
    return explore.stack(model, tokenizer, "I like eating 苹果")


def run_page(expression: str):
    """What an expression gives in node, where the page's functions are."""
    if NODE is None:
        pytest.skip("node is not installed; the browser tests cover the page as well")
    code = f"{base.module('stack_numbers.js')}\nconsole.log(JSON.stringify({expression}));"
    done = subprocess.run([NODE, "--input-type=module", "-"], input=code, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def ids_of(e):
    return e.tokenizer.encode(e.text)[: e.model.config.context_length]


# ── the page's arithmetic ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("block", [PreNormBlock, PostNormBlock, DocumentBlock], ids=["pre-norm", "post-norm", "document"])
def test_the_pages_ladder_is_pythons(tokenizer, block):
    e = explore.stack(little_gpt(tokenizer, block), tokenizer, "I like 苹果")
    flat, tokens = np.frombuffer(e.numbers, "<f4"), len(e.tokens())
    bits = f"new Float32Array(new Uint32Array({flat.view('<u4').tolist()}).buffer)"
    for e.token in range(tokens):
        sizes = {"places": len(e.places), "tokens": tokens, "parts": len(e.parts), "at": e.token, "isSum": block is PreNormBlock}
        for got, right in zip(run_page(f"ladderOf({bits}, {json.dumps(sizes)})"), e.ladder(), strict=True):
            for name in ("length", "added", "share", "cosine", "p", "rank"):
                value = float("nan") if got[name] is None else got[name]
                np.testing.assert_allclose(value, getattr(right, name), rtol=1e-12, err_msg=f"{name} at {right.place}")


def test_the_pages_readings_and_switches():
    where = {"place": 1, "tokens": 3, "at": 2, "kept": 4, "count": 3}
    ids, probs = list(range(100, 124)), [i / 100 for i in range(24)]
    found = run_page(f"readAt({ids}, {probs}, {json.dumps(where)})")
    assert [(one["id"], one["p"]) for one in found] == [(120, 0.2), (121, 0.21), (122, 0.22)]
    assert len(run_page(f"readAt({ids}, {probs}, {json.dumps(where | {'count': 9})})")) == 4
    parts = ["embedding", "attention 1", "feed_forward 1"]
    assert run_page(f"[switched({parts}, ['feed_forward 1'], 'embedding', false), switched({parts}, ['embedding', 'attention 1'], 'embedding', true)]") == [
        ["embedding", "feed_forward 1"], ["attention 1"]]  # fmt: skip


# ── the state, as Python has it ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
def test_the_numbers_are_those_of_the_stream(tokenizer, positions):
    model = little_gpt(tokenizer, positions=positions)
    e = explore.stack(model, tokenizer, "I like eating 苹果")
    found = stream.stream(model, ids_of(e))
    P = len(found.parts)
    assert e.places == [*found.parts, "norm"] and e.parts == list(found.parts)
    np.testing.assert_allclose(e.lengths, np.linalg.norm([*found.x, found.normed], axis=-1), rtol=1e-5)
    np.testing.assert_allclose(e.added[:P], np.linalg.norm(found.added, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(e.shares[:P], stream.shares(found), atol=1e-5)
    np.testing.assert_allclose(e.shares[:P].sum(0), 1, atol=1e-5)
    np.testing.assert_allclose(e.cosines[1:P], stream.cosines(found)[1:], atol=1e-5)
    end = found.x[-1]
    turned = (found.normed * end).sum(-1) / np.linalg.norm(end, axis=-1) / np.linalg.norm(found.normed, axis=-1)
    np.testing.assert_allclose(e.cosines[P], turned, atol=1e-5)
    assert np.isnan(e.added[P]).all() and np.isnan(e.shares[P]).all() and np.isnan(e.cosines[0]).all()


def test_what_is_read_at_each_place(e, model):
    found = stream.stream(model, ids_of(e))
    logits = np.stack([*(stream.read(model, x) for x in found.x), found.logits])
    probs = torch.softmax(torch.tensor(logits, dtype=torch.float64), -1).numpy()
    e.top = 4
    for e.token in range(len(e.tokens())):
        said = int(found.logits[e.token].argmax())
        assert e.followed() == e.name(said)[0]
        for place, rung in enumerate(e.ladder()):
            order = np.argsort(-probs[place, e.token], kind="stable")
            assert [token for token, _ in rung.top] == [e.name(id)[0] for id in order[:4]]
            np.testing.assert_allclose([p for _, p in rung.top], probs[place, e.token, order[:4]], rtol=1e-4)
            assert rung.rank == order.tolist().index(said) + 1 and rung.p == pytest.approx(probs[place, e.token, said], rel=1e-4)
    assert e.ladder()[-1].rank == 1 and e.ladder()[-1].top == e.ladder()[-2].top == e.after() == e.before()


def test_a_token_that_is_named_is_followed(e, tokenizer):
    e.follow = "apples"
    first = tokenizer.encode("apples")[0]
    assert e.answer["followed"] == [first] * len(e.tokens()) and e.followed() == e.name(first)[0]
    assert e.answer["following"] == len(tokenizer.encode("apples"))
    probs = torch.softmax(torch.tensor(stream.stream(e.model, ids_of(e)).logits, dtype=torch.float64), -1).numpy()[e.at]
    assert e.ladder()[-1].p == pytest.approx(probs[first], rel=1e-4) and e.ladder()[-1].rank == 1 + (probs > probs[first]).sum()
    e.follow = ""
    assert e.ladder()[-1].rank == 1


def test_parts_switched_off_change_what_follows_and_the_whole_model_is_still_said(e, model):
    e.top = 5
    before, followed = e.before(), e.followed()
    e.off = ["feed_forward 2", "attention 1"]
    assert e.off == ["attention 1", "feed_forward 2"] == e.answer["off"]
    found = stream.stream(model, ids_of(e), e.off)
    np.testing.assert_allclose(e.lengths[: len(e.parts)], np.linalg.norm(found.x, axis=-1), rtol=1e-5)
    assert [rung.added for rung in e.ladder() if rung.place in e.off] == [0, 0]
    assert e.before() == before and e.followed() == followed
    probs = torch.softmax(torch.tensor(found.logits[e.at], dtype=torch.float64), -1).numpy()
    np.testing.assert_allclose([p for _, p in e.after()], np.sort(probs)[::-1][:5], rtol=1e-4)
    assert e.after() != before and e.summary().endswith("switched off: attention 1, feed-forward 2")
    e.text = "low"
    np.testing.assert_allclose(e.before()[0][1], torch.softmax(torch.tensor(stream.stream(model, ids_of(e)).logits[-1]), -1).max(), rtol=1e-4)
    e.off = []
    assert e.after() == e.before() and "switched off" not in e.summary()


def test_everything_off_is_shown_too(e):
    e.off = e.parts
    assert not e.lengths[: len(e.parts)].any() and np.isnan(e.shares).all() and e.problem == ""
    assert e.figure().axes


@pytest.mark.parametrize(("block", "kind"), [(PostNormBlock, "normed"), (DocumentBlock, "replaced")], ids=["post-norm", "document"])
def test_blocks_whose_stream_is_no_sum_have_no_shares(tokenizer, block, kind):
    e = explore.stack(little_gpt(tokenizer, block), tokenizer, "I like")
    assert e.stream_kind == kind and np.isnan(e.shares).all() and "norm" not in e.places
    assert np.isfinite(e.lengths).all() and e.ladder()[-1].top == e.before() and e.ladder()[-1].rank == 1
    fig = e.figure()
    assert len(fig.axes) == 2 and "no part has a share" in fig.get_suptitle()


def test_a_long_text_is_read_in_part(model, tokenizer):
    e = explore.stack(model, tokenizer, "I like apples " * 30)
    assert len(e.tokens()) == 40 == e.answer["limit"] < e.answer["tokens"] == len(tokenizer.encode(e.text)) and e.problem == ""
    assert e.tokens() == [e.name(id)[0] for id in tokenizer.encode(e.text)[:40]]
    rotary = explore.stack(little_gpt(tokenizer, positions="rotary", context_length=5), tokenizer, "I like apples")
    assert len(rotary.tokens()) == 5


def test_a_text_that_fails_says_so_and_the_last_picture_stays(e):
    good, rungs = e.answer, e.ladder()
    e.text = ""
    assert "no tokens" in e.problem and e.answer is good and e.answered == ["", [], ""]
    assert e.summary() and len(e.ladder()) == len(rungs)
    e.text = "I"
    assert e.problem == "" and e.answer["text"] == "I"
    old, e.tokenizer = e.tokenizer, type("Broken", (), {"encode": lambda self, text: {}["no word"], "decode": None})()
    e.text = "x"
    assert e.problem == "The model or the tokenizer raised KeyError: 'no word'" and e.answer["text"] == "I"
    e.tokenizer = old


def test_numbers_that_are_none_are_refused_and_a_changed_model_is_run_again(tokenizer):
    model = little_gpt(tokenizer)
    e = explore.stack(model, tokenizer, "I like")
    before = e.lengths
    with torch.no_grad():
        model.blocks[1].feed_forward.down.bias += 1
    e.refresh()
    changed = np.abs(e.lengths - before).max(1) > 1e-3
    assert not changed[: e.parts.index("feed_forward 2")].any() and changed[e.parts.index("feed_forward 2")]
    np.testing.assert_allclose(e.before()[0][1], e.after()[0][1])
    with torch.no_grad():
        model.blocks[1].feed_forward.down.bias[0] = float("nan")
    e.text = "low"
    assert "NaN" in e.problem and e.answer["text"] == "I like"


def test_settings_out_of_range_are_refused(e):
    for name, value in (("off", ["attention 4"]), ("top", 0), ("top", 11)):
        with pytest.raises(traitlets.TraitError):
            setattr(e, name, value)
    e.token = 999
    assert e.at == len(e.tokens()) - 1 and f"token {e.at} of {len(e.tokens())}" in e.summary()
    e.token = -4
    assert e.token == 0 == e.at
    e.text = "a\ud800"
    assert e.text == "a\ufffd" and e.problem == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [(lambda m, t: (None, t), "takes a GPT of course.models, got NoneType"), (lambda m, t: (GPT, t), "got type|got GPT"),
     (lambda m, t: (m, BPETokenizer), "takes a tokenizer with encode and decode, got BPETokenizer")],
    ids=["no model", "class", "tokenizer class"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_sentence(model, tokenizer, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        explore.stack(*given(model, tokenizer))


def test_at_first_less_than_two_megabytes_travel_for_twelve_layers_and_128_tokens():
    torch.manual_seed(0)

    class Numbers:
        def encode(self, text):
            return [ord(c) * 37 % 50257 for c in text]

        def decode(self, ids):
            return "".join(f" word{id}" for id in ids)

    wide = GPT(GPTConfig(vocab_size=50257, context_length=128, d_model=8, n_heads=1, n_layers=12))
    e = explore.stack(wide, Numbers(), "I like it. " * 20)
    state = e.get_state()
    size = sum(len(value) if isinstance(value, bytes | memoryview) else len(json.dumps(value)) for name, value in state.items() if name not in ("_esm", "_css"))
    assert len(e.tokens()) == 128 and len(e.places) == 27 and size < 2e6


def test_of_equal_tokens_the_smaller_is_first_and_its_rank_says_so(tokenizer):
    model = little_gpt(tokenizer, tied=False)
    with torch.no_grad():
        model.unembedding.weight.zero_()
    e = explore.stack(model, tokenizer, "I", top=10)
    assert e.answer["followed"] == [0] and np.frombuffer(e.top_ids, "<u4").reshape(-1, 10).tolist() == [list(range(10))] * len(e.places)
    e.follow = "a"
    assert [rung.rank for rung in e.ladder()] == [tokenizer.encode("a")[0] + 1] * len(e.places)


# ── words and pictures ──────────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_is_used_and_every_used_one_exists():
    page = "".join((base.STATIC / name).read_text(encoding="utf-8") for name in ("stack.js", "stack_ladder.js"))
    python = "".join((base.STATIC.parent / f"stack_{part}.py").read_text(encoding="utf-8") for part in ("explorer", "figure"))
    known = set(sentences.table("explore_stack")["stack"])
    built = {name for name in known if name.startswith(("place_", "not_sum_"))}
    on_page = set(re.findall(r"\bwords\.(\w+)", page))
    assert on_page <= known | set(sentences.table("explore")["kit"])
    assert {name for name in known - on_page - built if not re.search(rf"[\"']{name}[\"']", python)} == set()


def test_the_figure_is_true_to_the_state(e):
    e.token, e.top, e.off = 1, 2, ["attention 2"]
    rungs = e.ladder()
    axes = e.figure().axes
    bars = lambda ax, gid: [bar.get_width() for bar in ax.patches if bar.get_gid() == gid]
    assert bars(axes[0], "length") == pytest.approx([*(rung.length for rung in rungs[:-1]), 0])  # the norm's has no bar
    assert [text.get_text() for text in axes[0].texts] == [f"{rung.length:.3g}" for rung in rungs]
    assert bars(axes[0], "added") == pytest.approx(np.nan_to_num([rung.added for rung in rungs]))
    assert bars(axes[1], "share") == pytest.approx(np.nan_to_num([rung.share for rung in rungs]))
    assert bars(axes[2], "followed") == pytest.approx([rung.p for rung in rungs])
    assert [text.get_text() for text in axes[0].get_yticklabels()] == [e.place_name(rung.place) for rung in rungs]
    read = {text.get_gid(): text.get_text() for text in axes[2].texts}
    assert len(read["read 3"].split("  ")) == 2 and f"{rungs[3].top[0][1]:.2f}"[:3] in read["read 3"]
    assert "switched off: attention 2" in e.figure().get_suptitle()


def test_the_picture_without_a_kernel(e, tmp_path):
    data, _ = e._repr_mimebundle_()
    image = matplotlib.image.imread(io.BytesIO(base64.b64decode(data["image/png"]) if isinstance(data["image/png"], str) else data["image/png"]))
    assert image.shape[0] > 200 and image.std() > 0.05
    assert repr(e) == f"stack explorer: {e.summary()}" and " object at " not in repr(e)
    e.save(tmp_path / "walk.png")
    assert (tmp_path / "walk.png").stat().st_size > 5000


def test_halves_of_characters_and_white_space_have_names(model, tokenizer):
    e = explore.stack(model, tokenizer, "a\n 𠀀")
    assert e.tokens()[0] == "a" and "<0xF0>" in "".join(e.tokens()) and "\n" in "".join(e.tokens())
    kinds = [kind for _, kind in e.answer["labels"]]
    assert "part" in kinds and kinds[0] == "whole"
    assert e.figure().axes
