"""The sampling explorer: the page's arithmetic is Python's, what is drawn is what Python draws, and the model's answers."""

import base64
import io
import itertools
import json
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest
import torch
import traitlets

from course import explore, figures, sentences
from course.explore import base, sampling_explorer, sampling_figure
from course.predict.sampling import distribution, entropy, inverse_cdf, sample
from course.text.tokenizer import BPETokenizer
from tests import little_models

NODE = shutil.which("node")
SCRIPTS = ("tokens_bpe.js", "sampling_numbers.js", "sampling_controls.js", "sampling_bars.js", "sampling.js")
TEXT = "low lower lowest, I like eating apples and bananas; the apples' bananas. 我喜欢吃苹果和香蕉。吃苹果。 1234 12 "


class Table(torch.nn.Module):
    """The smallest language model: the logits after a token are a row of a table made from a seed."""

    def __init__(self, vocab_size, seed=0, scale=2.0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.nn.Parameter(scale * torch.randn(vocab_size, vocab_size, generator=generator))
        self.asked = []

    def forward(self, ids):
        self.asked.append(ids[0].tolist())
        return self.table[ids]


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train(TEXT * 3, 346, special_tokens=["<|endoftext|>"])


@pytest.fixture
def explorer(tokenizer):
    return explore.sampling(Table(len(tokenizer)), tokenizer, "I like")


def run_page(expression: str, data=None, floats=()):
    """What an expression gives in node; `data` is JSON, `floats` are float32 arrays, in the page `arrays`."""
    if NODE is None:
        pytest.skip("node is not installed; the browser tests cover the page as well")
    packed = [base64.b64encode(base.pack(array)).decode() for array in floats]
    code = f"""{base.module(*SCRIPTS[:-1])}
        const data = {json.dumps(data)};
        const arrays = {json.dumps(packed)}.map((text) => {{ const raw = Buffer.from(text, "base64");
            return new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength)); }});
        const settings = ([temperature, topK, topP]) => ({{ temperature, topK, topP: topP ?? 1 }});
        console.log(JSON.stringify({expression}, (_, x) => (ArrayBuffer.isView(x) ? Array.from(x) : x)));"""
    done = subprocess.run([NODE, "--input-type=module", "-"], input=code, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def cases(count: int):
    """(logits float32, (temperature, k, p)) of every kind, always the same ones: ties, extremes, tokens ruled out."""
    rng = np.random.default_rng(7)
    kinds = [
        lambda V: rng.normal(size=V) * rng.choice([0.01, 1, 5, 40]),
        lambda V: rng.integers(-2, 3, size=V),  # many ties
        lambda V: np.zeros(V),
        lambda V: np.where(rng.random(V) < 0.4, -np.inf, rng.normal(size=V)) * [0 if i == V // 2 else 1 for i in range(V)],
        lambda V: rng.choice([3e38, -3e38, 1e-30, 2e-30, 0.0, -0.0], size=V),
        lambda V: np.append(rng.choice([1e-30, 2e-30, 0.0, -0.0, -1e-38], size=V - 1), 1.0),  # unequal, and equal after a softmax
    ]
    for n in range(count):
        V = int(rng.choice([1, 2, 3, 7, 8, 9, 10, 31, 64, 130, 300]))
        with np.errstate(invalid="ignore"):
            logits = np.nan_to_num(kinds[n % len(kinds)](V), nan=0.0, neginf=-np.inf, posinf=3e38).astype(np.float32)
        temperature = float(rng.choice([0, 1, 1, 5, 0.04, 1e-3, 1e-300, 0.7, *rng.uniform(0.01, 5, size=3)]))
        k = None if rng.random() < 0.4 else int(rng.integers(1, V + 1))
        p = None if rng.random() < 0.3 else float(rng.choice([1.0, 0.5, 0.25, 0.1, 1e-9, 0.9, 0.3, *(1 - rng.random(6))]))
        yield logits, (temperature, k, p)


# ── the page's arithmetic ───────────────────────────────────────────────────────────────────────────────────


def test_the_pages_probabilities_are_pythons_in_thousands_of_cases():
    found_for = list(cases(3000))
    found = run_page("""data.map((one, i) => { const now = chances(arrays[i], ranked(arrays[i]), settings(one));
        return [now.byId, now.entropy, now.order, now.probs, now.before, now.kept]; })""", [s for _, s in found_for], [x for x, _ in found_for])  # fmt: skip
    for (logits, (temperature, k, p)), (by_id, nats, order, probs, before, kept) in zip(found_for, found, strict=True):
        right = distribution(logits, temperature, k, p)
        case = f"{logits.tolist()}, temperature {temperature}, k {k}, p {p}"
        np.testing.assert_allclose(np.array(by_id, float), right, rtol=0, atol=1e-9, err_msg=case)
        assert abs(nats - entropy(right)) < 1e-9, case
        assert sorted(order) == list(range(len(logits))), case
        np.testing.assert_allclose(probs, right[order], rtol=0, atol=1e-9, err_msg=case)
        np.testing.assert_allclose(before, distribution(logits, temperature)[order], rtol=0, atol=1e-9, err_msg=case)
        assert all(a >= b for a, b in itertools.pairwise(before)) and np.count_nonzero(probs) <= kept, case


def test_equal_tokens_are_cut_where_python_cuts_them():
    """The mass of equals may meet p exactly: then the last bit of every sum decides."""
    settings, logits = [], []
    for V, share in itertools.product([2, 3, 5, 7, 8, 9, 10, 12, 16, 20, 50, 100, 129, 200, 300], [0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 0.75, 0.8, 0.9]):
        for k in {None, V - 1, V // 2 + 1}:
            settings.append([1, k, share])
            logits.append(np.ones(V))
    found = run_page("data.map((one, i) => chances(arrays[i], ranked(arrays[i]), settings(one)).byId)", settings, logits)
    for logit, (_, k, p), by_id in zip(logits, settings, found, strict=True):
        np.testing.assert_allclose(by_id, distribution(logit, 1.0, k, p), rtol=0, atol=1e-12, err_msg=f"V {len(logit)}, k {k}, p {p}")


def test_sums_are_numpys_to_the_last_bit():
    rng = np.random.default_rng(1)
    numbers = [rng.random(size) * 10.0 ** rng.integers(-3, 3) for size in (*range(1, 40), 127, 128, 129, 136, 200, 257, 1000, 5003, 50_257)]
    found = run_page("data.map((numbers) => pairwiseSum(Float64Array.from(numbers)))", [one.tolist() for one in numbers])
    assert found == [float(one.sum()) for one in numbers]


def test_ranks_of_a_large_vocabulary_and_of_both_zeros():
    rng = np.random.default_rng(2)
    large = np.round(rng.normal(size=50_257), 2).astype(np.float32)  # many equals
    odd = np.array([-0.0, 0.0, -np.inf, 1e-45, -1e-45, 3e38, -3e38, 0.0, -0.0, -np.inf], np.float32)
    found = run_page("arrays.map(ranked)", None, [large, odd])
    assert found == [np.argsort(-x, kind="stable").tolist() for x in (large, odd)]


def test_the_page_draws_what_python_draws():
    rng = np.random.default_rng(3)
    some = [(x, s) for x, s in cases(600) if s[0] != 1e-300]
    us = [float(rng.choice([0.0, rng.random()])) for _ in some]
    found = run_page("data.map(([one, u], i) => drawn(chances(arrays[i], ranked(arrays[i]), settings(one)).byId, u))",
                     [[s, u] for (_, s), u in zip(some, us)], [x for x, _ in some])  # fmt: skip
    assert found == [int(inverse_cdf(distribution(x, *s), u)) for (x, s), u in zip(some, us)]


def test_cuts_are_counted_and_the_mass_that_top_p_goes_by():
    logits = np.log([0.4, 0.1, 0.2, 0.3])
    now = run_page("[[1, 3, 0.7], [1, null, 1], [1, 2, 1], [0, null, 1]].map((one) => chances(arrays[0], ranked(arrays[0]), settings(one)))", None, [logits])
    assert [(one["keptK"], one["kept"], one["cut"]) for one in now] == [(3, 2, True), (4, 4, False), (2, 2, True), (4, 4, False)]
    np.testing.assert_allclose(now[0]["upTo"], [4 / 9, 7 / 9, 1], atol=1e-6)
    np.testing.assert_allclose([one["mass"] for one in now], [0.7, 1, 0.7, 1], atol=1e-6)
    np.testing.assert_allclose([one["entropyBefore"] for one in now[:3]], entropy([0.4, 0.1, 0.2, 0.3]), atol=1e-6)
    assert [one["order"] for one in now] == [[0, 3, 2, 1]] * 4


def test_bars_have_a_round_scale_that_holds_the_largest():
    assert run_page("[1, 0.51, 0.5, 0.3, 0.2, 0.07, 0.002, 3e-4].map(scaleFor)") == [1, 1, 0.5, 0.5, 0.2, 0.1, 0.002, 0.0005]


def test_sliders_stop_at_the_ends_and_at_one():
    temperatures, masses, few, many = run_page("[TEMPERATURES, MASSES, counts(12), counts(50257)]")
    assert temperatures[:2] == [0, 0.04] and temperatures[-1] == 5 and 1 in temperatures
    ratios = np.diff(np.log(temperatures[1:]))
    assert (ratios > 0).all() and ratios.max() < 0.04 and temperatures == sorted(set(temperatures))
    assert masses[0] == 0.01 and masses[-1] == 1 and 0.95 in masses and len(masses) == 100
    assert few == list(range(1, 13)) and run_page("counts(1)") == [1]
    assert many[:10] == list(range(1, 11)) and many[-1] == 50257 and many == sorted(set(many)) and 80 < len(many) < 130
    assert run_page("[nearestStop(TEMPERATURES, 0), nearestStop(TEMPERATURES, 1), nearestStop([1, 2, 8], 4), nearestStop([1, 2, 8], 6), nearestStop([1, 2, 8], 99)]") == [0, temperatures.index(1), 1, 2, 2]


# ── the state, as Python has it ─────────────────────────────────────────────────────────────────────────────


def test_probabilities_are_those_of_the_models_last_logits(explorer):
    logits = explorer.model.table[explorer.ids[-1]].detach().numpy()
    assert np.array_equal(np.frombuffer(explorer.logit_bytes, "<f4"), logits) and np.array_equal(explorer.logits, logits)
    explorer.temperature, explorer.top_k, explorer.top_p = 0.7, 9, 0.8
    right = distribution(logits, 0.7, 9, 0.8)
    np.testing.assert_array_equal(explorer.probs, right)
    np.testing.assert_array_equal(explorer.tempered, distribution(logits, 0.7))
    assert explorer.entropy == entropy(right) and explorer.cuts() == (9, np.count_nonzero(right)) and explorer.cuts()[1] < 9
    explorer.top_k = None
    assert explorer.cuts()[0] == len(logits)
    explorer.top_p = 1
    assert explorer.cuts() == (len(logits), len(logits))


def test_a_seed_gives_the_text_of_a_loop_with_a_generator_of_that_seed(explorer):
    explorer.seed, explorer.top_k, explorer.temperature = 11, 20, 1.3
    table, generator, last, expected = explorer.model.table.detach().numpy(), np.random.default_rng(11), explorer.ids[-1], []
    for _ in range(12):
        expected.append(int(sample(distribution(table[last], 1.3, 20), generator)))
        last = expected[-1]
    assert explorer.sample(12) == expected == explorer.added and len(set(expected)) > 3
    for _ in range(5):
        explorer.undo()
    assert explorer.added == expected[:7]
    assert explorer.sample(5) == expected[7:]
    uniforms = np.frombuffer(explorer.uniforms, "<f8")
    assert uniforms[:12].tolist() == np.random.default_rng(11).random(12).tolist() and len(uniforms) == sampling_explorer.MOST_ADDED
    assert explorer.uniforms_seed == 11


def test_added_tokens_are_never_encoded_anew(explorer, tokenizer):
    ids = tokenizer.encode("I like")
    halves = [id for id in range(256) if tokenizer.token_bytes(id) in (b"\xe8", b"\xbf", b"\x99")]
    for id in halves:
        explorer.append(id)
    assert explorer.model.asked[-1] == explorer.ids == [*ids, *halves]
    assert explorer.text == "I like" + tokenizer.decode(halves)
    names = explorer.answer["names"]
    assert {tuple(names[str(id)]) for id in halves} == {("<0xE8>", "part"), ("<0xBF>", "part"), ("<0x99>", "part")}


def test_the_model_runs_once_for_each_text_and_not_for_a_control(explorer):
    model = explorer.model
    assert len(model.asked) == 1
    explorer.temperature, explorer.top_k, explorer.top_p, explorer.seed, explorer.bars = 2, 5, 0.5, 9, 20
    assert len(model.asked) == 1
    explorer.append(7)
    explorer.append(8)
    explorer.prompt = "I eat"
    assert len(model.asked) == 4 and explorer.added == [] and model.asked[-1] == explorer.ids
    assert explorer.answered == ["I eat", []] and explorer.answer["prompt"] == "I eat"
    with explorer.hold_trait_notifications():  # both at once, as a page sends them
        explorer.prompt, explorer.added = "I", []
    assert len(model.asked) == 5


def test_names_travel_for_the_bars_and_for_what_was_added(explorer):
    rare = int(explorer.ranked()[-1])
    names = explorer.answer["names"]
    assert len(names) == sampling_explorer.MOST_BARS and str(rare) not in names
    assert {int(id) for id in names} == set(explorer.ranked()[: sampling_explorer.MOST_BARS].tolist())
    explorer.append(rare)
    assert explorer.answer["names"][str(rare)] == list(explorer.name(rare))


def test_a_text_longer_than_the_model_reads_is_shortened_at_its_beginning(tokenizer):
    e = explore.sampling(Table(len(tokenizer)), tokenizer, "1 2 3 4 1 2 3 4 5", context_length=4)
    assert e.model.asked == [e.ids[-4:]] and (e.answer["tokens"], e.answer["used"]) == (len(e.ids), 4)
    model = Table(len(tokenizer))
    model.config = type("Config", (), {"context_length": 3})()
    e = explore.sampling(model, tokenizer, "1 2 3 4")
    assert model.asked == [e.ids[-3:]] and e.answer["used"] == 3
    model.config = type("Config", (), {"context_length": None, "n_positions": 2})()
    explore.sampling(model, tokenizer, "1 2 3 4")
    assert len(model.asked[-1]) == 2
    with pytest.raises(ValueError, match="context_length must be at least 1, got 0"):
        explore.sampling(model, tokenizer, "1", context_length=0)


def test_an_empty_prompt_starts_after_the_end_of_text_or_says_that_there_is_nothing(tokenizer):
    e = explore.sampling(Table(len(tokenizer)), tokenizer)
    end = tokenizer.special_tokens["<|endoftext|>"]
    assert e.model.asked == [[end]] and e.answer["start"] == "<|endoftext|>" and e.problem == ""
    e.append(5)
    assert e.model.asked[-1] == [end, 5] and e.answer["start"] == "<|endoftext|>"
    e.prompt = "a"
    assert e.answer["start"] == "" and e.model.asked[-1] == tokenizer.encode("a")
    without = BPETokenizer.train(TEXT, 300)
    e = explore.sampling(Table(len(without)), without)
    assert "nothing to go on from" in e.problem and e.model.asked == [] and len(e.logits) == 0 and e.logit_bytes == b""
    assert repr(e) == "sampling explorer: no text, no probabilities" and len(e.png()) > 1000
    e.prompt = "a"
    assert e.problem == "" and len(e.logits) == len(without)


@pytest.mark.parametrize("wrong, said", [
    (lambda x: x * float("nan"), "contain NaN"), (lambda x: x + float("inf"), "contain NaN or +∞"), (lambda x: x - float("inf"), "all −∞"),
    (lambda x: x[0, 0], "shape (1, T, V)"), (lambda x: x[:, :-1], "shape (1, T, V)"), (lambda x: x.tolist(), "shape (1, T, V)"),
    (lambda x: x.no_such_thing, "raised AttributeError"),
], ids=["nan", "inf", "minus inf", "one row", "short", "list", "raises"])  # fmt: skip
def test_where_the_model_fails_the_explorer_speaks_and_the_last_picture_stays(tokenizer, wrong, said):
    table = Table(len(tokenizer))
    e = explore.sampling(lambda ids: wrong(table(ids)) if ids[0, -1] == 7 else table(ids), tokenizer, "I like")
    before, picture = e.logits, e.logit_bytes
    e.append(7)
    assert said in e.problem and "\n" not in e.problem
    assert e.answered == ["I like", [7]] and e.answer["added"] == [] and e.logits is before and e.logit_bytes == picture
    assert e.sample(3) == []
    e.undo()
    assert e.problem == "" and e.sample(1) != [] and e.logits is not before


def test_logits_of_one_text_without_a_batch_are_taken_and_training_goes_on_as_before(tokenizer):
    class Dropping(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.drop = Table(len(tokenizer)), torch.nn.Dropout(0.5)
            self.table.eval()

        def forward(self, ids):
            return self.drop(self.table(ids))[0].double()

    model = Dropping()
    e = explore.sampling(model, tokenizer, "I like")
    np.testing.assert_array_equal(e.logits, model.table.table[e.ids[-1]].detach().numpy())
    assert model.training and model.drop.training and not model.table.training
    assert e.logits.dtype == np.float32 and model.table.table.grad is None


def test_a_causal_model_of_transformers_and_its_tokenizer():
    tokenizer = little_models.bytes_bpe()
    model = little_models.model("GPT2LMHeadModel", "GPT2Config", **little_models.GPT2 | {"vocab_size": 305})
    text = "I like 苹 and my cats; I like my cats and bananas and I like apples, 苹 and 果"
    e = explore.sampling(model, tokenizer, text)
    used = e.ids[-20:]  # its n_positions
    assert e.ids == tokenizer(text)["input_ids"] and len(e.ids) > 20
    with torch.inference_mode():
        np.testing.assert_allclose(e.logits, model.eval()(torch.tensor([used])).logits[0, -1].numpy(), rtol=1e-5, atol=1e-5)
    piece = tokenizer("苹")["input_ids"]
    assert [e.name(id) for id in piece] == [("<0xE8>", "part"), ("<0x8B>", "part"), ("<0xB9>", "part")]
    assert e.name(tokenizer("like")["input_ids"][0])[1] == "whole" and e.name(tokenizer.eos_token_id) == ("<|endoftext|>", "special")
    assert e.name(304) == ("id 304", "unknown")
    assert explore.sampling(model, tokenizer).answer["start"] == "<|endoftext|>"


def test_the_gpt_of_the_course(tokenizer):
    from course.models import GPT, GPTConfig

    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=len(tokenizer), context_length=6, d_model=8, n_heads=2, n_layers=1))
    e = explore.sampling(model, tokenizer, "I like eating apples and bananas; low lower")
    with torch.inference_mode():
        np.testing.assert_allclose(e.logits, model(torch.tensor([e.ids[-6:]]))[0, -1].numpy(), rtol=1e-6, atol=1e-6)
    assert e.answer["used"] == 6 and len(e.sample(3)) == 3


def test_what_a_token_is_called(tokenizer, explorer):
    spelled = [b"a", b"\xe8", b" \xe6\x88\x91\xe5\x96", b"\x07\x0f\n\t\x7f", "é\u0085".encode(), b"", b"</b>"]
    assert [sampling_explorer.spelled(one) for one in spelled] == [
        ("a", "whole"), ("<0xE8>", "part"), (" 我<0xE5><0x96>", "part"), ("<0x07><0x0F>\n\t<0x7F>", "whole"), ("é\u0085", "whole"), ("", "whole"), ("</b>", "whole")]  # fmt: skip
    end = tokenizer.special_tokens["<|endoftext|>"]
    assert explorer.name(end) == ("<|endoftext|>", "special") and explorer.name(len(tokenizer)) == (f"id {len(tokenizer)}", "unknown")


@pytest.mark.parametrize("name, values", [
    ("temperature", (-0.1, 5.1, float("nan"))), ("top_k", (0, -1, 326)), ("top_p", (0, -1, 1.01, float("nan"))), ("seed", (-1, 2**53)), ("many", (0, 1001)),
    ("bars", (0, 51)), ("added", ([1] * 1001,)),
], ids=lambda x: x if isinstance(x, str) else "")  # fmt: skip
def test_a_refused_state_changes_nothing(explorer, tokenizer, name, values):
    assert len(tokenizer) == 325
    before = getattr(explorer, name)
    for value in values:
        with pytest.raises(traitlets.TraitError) as caught:
            setattr(explorer, name, value)
        assert "\n" not in str(caught.value) and (name in str(caught.value) or name == "added")
    assert getattr(explorer, name) == before
    with pytest.raises(ValueError, match="id must be one of the model's 325 tokens"):
        explorer.append(325)


def test_settings_given_at_the_beginning_hold_and_are_checked(tokenizer):
    model = Table(len(tokenizer))
    e = explore.sampling(model, tokenizer, "I", temperature=0, top_k=3, top_p=0.5, seed=4)
    assert (e.temperature, e.top_k, e.top_p, e.seed, e.uniforms_seed) == (0, 3, 0.5, 4, 4)
    assert e.probs[e.logits.argmax()] == 1 and e.entropy == 0
    with pytest.raises(traitlets.TraitError, match="top_k must be None or a whole number from 1 to 325"):
        explore.sampling(model, tokenizer, "I", top_k=400)


@pytest.mark.parametrize("model, tokens, said", [
    (None, BPETokenizer([]), "takes a model"), (Table, BPETokenizer([]), "takes a model"), (len, None, "takes a tokenizer"), (len, BPETokenizer, "takes a tokenizer")],
    ids=["none", "class", "no tokenizer", "tokenizer class"])  # fmt: skip
def test_what_is_no_model_or_no_tokenizer_is_refused_in_one_sentence(model, tokens, said):
    with pytest.raises(ValueError, match=said) as caught:
        explore.sampling(model, tokens)
    assert "\n" not in str(caught.value)


def test_there_is_room_for_a_thousand_tokens(explorer):
    explorer.added = [1] * 1000
    with pytest.raises(ValueError, match="1000 tokens are added"):
        explorer.append(1)
    page = (base.STATIC / "sampling.js").read_text(encoding="utf-8")
    assert f"const MOST_ADDED = {sampling_explorer.MOST_ADDED};" in page and f"const MOST_BARS = {sampling_explorer.MOST_BARS};" in page


# ── words and pictures ──────────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_is_used_and_every_used_one_exists():
    page = "".join((base.STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS[1:])
    python = "".join((base.STATIC.parent / f"sampling_{part}.py").read_text(encoding="utf-8") for part in ("explorer", "figure"))
    known = set(sentences.table("explore_sampling")["sampling"])
    on_page = set(re.findall(r"\bwords\.(\w+)", page)) | {"cut_k", "cut_p"}
    assert on_page <= known | set(sentences.table("explore")["kit"])
    in_python = {name for name in known if re.search(rf"[\"']{name}[\"']", python)} | {f"bad_{n}" for n in ("temperature", "top_k", "top_p", "seed", "many", "bars", "added")}
    assert known - on_page - in_python == set()


def test_the_picture_without_a_kernel_and_the_line_are_true(explorer):
    assert repr(explorer).startswith("sampling explorer: after 2 tokens, temperature 1: most probable ")
    bundle = explorer._repr_mimebundle_()[0]
    assert bundle["text/plain"] == repr(explorer)
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert pixels.shape[1] > 1000 and pixels[..., :3].std() > 0.05
    assert bundle["image/png"] == explorer._repr_mimebundle_()[0]["image/png"]
    explorer.temperature, explorer.top_k, explorer.top_p = 2, 5, 0.5
    assert bundle["image/png"] != explorer._repr_mimebundle_()[0]["image/png"]
    best = explorer.probs.max()
    assert f"temperature 2, top-k 5, top-p 0.5: most probable {figures.label(explorer.name(int(explorer.probs.argmax()))[0])} ({best:.2f});" in repr(explorer)
    nats = float(entropy(explorer.probs))
    assert f"entropy {nats:.2f} nats, like choosing among {np.exp(nats):.3g} tokens" in repr(explorer)


def bars_of(ax, kind):
    """{row: width} of the bars drawn under a name."""
    return {round(p.get_y() + p.get_height() / 2): p for p in ax.patches if str(p.get_gid()).startswith(kind)}


def test_the_figure_shows_the_numbers_and_hatches_what_is_cut(explorer):
    explorer.top_k, explorer.top_p, explorer.bars, explorer.title = 8, 0.7, 10, "a title"
    bars, mass = explorer.figure().axes
    order, probs, before = explorer.ranked(), explorer.probs, explorer.tempered
    kept = explorer.cuts()[1]
    assert kept < 8
    solid, outlines, words = bars_of(bars, "probability"), bars_of(bars, "before"), [text.get_text() for text in bars.texts]
    np.testing.assert_allclose([solid[row].get_width() for row in range(10)], probs[order[:10]])
    np.testing.assert_allclose([outlines[row].get_width() for row in range(10)], before[order[:10]])
    assert [bool(outlines[row].get_hatch()) for row in range(11)] == [False] * kept + [True] * (11 - kept)
    assert words == [sampling_explorer.chance(p) for p in probs[order[:kept]]] + ["cut: top-p"] * (8 - kept) + ["cut: top-k"] * 2 + words[-1:]
    assert words[-1].endswith("cut: top-k")
    names = [label.get_text() for label in bars.get_yticklabels()]
    assert names == [figures.label(explorer.name(int(id))[0], 18) for id in order[:10]] + ["315 other tokens"]
    np.testing.assert_allclose([p.get_width() for p in mass.patches], np.cumsum(before[order[:8]] / before[order[:8]].sum()))
    assert [line.get_xdata()[0] for line in mass.lines if line.get_gid() == "limit"] == [0.7]
    title = explorer.figure().get_suptitle()
    assert title.startswith("a title. What may come next: temperature 1, top-k 8, top-p 0.7\n") and f"; {kept} of 325 tokens kept" in title
    explorer.top_k, explorer.top_p = None, 1
    bars, mass = explorer.figure().axes
    assert bars_of(bars, "before") == {} and not mass.lines and "kept" not in explorer.figure().get_suptitle()
    rest = 1 - explorer.probs[explorer.ranked()[:10]].sum()
    top = explorer.probs.max()
    np.testing.assert_allclose(bars_of(bars, "probability")[10].get_width(), min(rest, 1.1 * top))
    assert bars.texts[-1].get_text() == ("≫ " if rest > 1.1 * top else "") + sampling_explorer.chance(rest)
    assert len(mass.patches) == 11 and mass.patches[-1].get_width() == 1
    explorer.bars = 50
    assert len(bars_of(explorer.figure().axes[0], "probability")) == 51


@pytest.mark.parametrize("p, said", [(0, "0"), (1, "1"), (1e-6, "< 0.0001"), (0.0042, "0.0042"), (0.5, "0.50"), (0.9961, "0.9961"), (0.99999, "> 0.9999")])
def test_a_probability_reads_as_the_page_writes_it(p, said):
    assert sampling_explorer.chance(p) == said
    assert run_page("weightText(data)", p) == said
