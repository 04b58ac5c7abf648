"""The tokens explorer: the page's JavaScript gives Python's ids, what it says is so, and the picture without a kernel."""

import base64
import functools
import io
import json
import random
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from course import explore, figures, sentences
from course.explore import base, tokens_explorer, tokens_figure
from course.text.tokenizer import BPETokenizer
from tests import little_models

NODE = shutil.which("node")
TEXT = "low lower lowest, I like eating apples and bananas; the apples' bananas. 我喜欢吃苹果和香蕉。吃苹果。 1234 12 👩‍👩‍👧 aaaa aaaaaaaa aaaa "
SPECIAL = ("<|end|>", "<|endoftext|>", "<|end", "a.b*c")
ODD = [
    "", " ", "  ", "\n\n \t x", "a\r\nb\r", "I'll don't we'RE 's 'S", " apples  apples", "1234 ½ ² Ⅷ ٣", "a\x1cb\x1d c\x1f", "x\x85y \x85",
    "\ufeffa \ufeff", "\u2028\u2029\u200b\u3000", "e\u0301 \u0301\u0302x", "👩‍👩‍👧‍👦 👍🏽 🇩🇪", "مرحبا بالعالم שלום", "\u202eabc\u2066d", "苹果和香蕉，吃",
    "<|endoftext|><|end|> <|end <|end|", "x<|endoftext|>", "a.b*c aXbbc", "</script><img src=x onerror=alert(1)>", "\x00\x7f", "aaaaaaa", "ﬀ İ ẞ ǅ",
    "\U0001e900\U0001f1e6 \U00020000 \U000323b0", "\ufffd\uffff\U0010ffff", "hello" * 60, "我喜欢吃苹果和香蕉" * 40, "{id} {token} $x_1$",
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train(TEXT * 3, vocab_size=256 + 90, special_tokens=SPECIAL)


def run_page(explorer, expression: str, place: int = 0):
    """What an expression gives in node; `pairs` is the page's tokenizer, made of what the explorer sends."""
    if NODE is None:
        pytest.skip("node is not installed; the browser tests cover the page as well")
    state = {**explorer.sources[place], "split": explorer.split}
    packed = base64.b64encode((explorer.merges, explorer.merges_other)[place]).decode()
    script = base.module("tokens_bpe.js", "tokens_panel.js")
    code = f"""{script}
        const state = {json.dumps(state)};
        const raw = new Uint8Array(Buffer.from({json.dumps(packed)}, "base64"));
        const model = {{ get: () => new DataView(raw.buffer, raw.byteOffset, raw.byteLength) }};
        const pairs = new BytePairs({{ ...state, order: Uint8Array.from(state.order), merges: wholeNumbers(model, "merges") }});
        console.log(JSON.stringify({expression}));"""
    done = subprocess.run([NODE, "--input-type=module", "-"], input=code, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def odd_texts(count: int) -> list[str]:
    """Texts put together at random, always the same ones, of what is hard about texts."""
    dice = random.Random(5)
    parts = [*ODD, *"abc I' \n\t12", *SPECIAL, "apples", " low", "苹果", "\u0301", "\u200d", "\ud7ff", "\ue000"]
    texts = ["".join(dice.choices(parts, k=dice.randint(1, 8))) for _ in range(count)]
    texts += ["".join(dice.choices("lowersti anap", k=30)) for _ in range(count)]  # pairs of merges in each other's way
    ends = (0x80, 0x300, 0x3000, 0x1_0000, 0x11_0000)
    anything = [chr(dice.randrange(dice.choice(ends))) for _ in range(8 * count)]
    return texts + [base.clean("".join(dice.choices(anything, k=12))) for _ in range(count)]


def assert_page_gives(explorer, texts, counts):
    """For each text and number of merges the page's ids are those of Python's tokenizer with its first merges."""
    found = run_page(explorer, f"{json.dumps(counts)}.map((n) => {json.dumps(texts)}.map((text) => pairs.encode(wellFormed(text), n).ids))")
    for n, of_texts in zip(counts, found, strict=True):
        short = explorer.tokenizers[0].first(n)
        for text, ids in zip(texts, of_texts, strict=True):
            assert ids == short.encode(base.clean(text)), (n, text)


# ── the page's arithmetic ───────────────────────────────────────────────────────────────────────────────────


def test_the_pages_ids_are_pythons_for_odd_texts_and_every_number_of_merges(tokenizer):
    count = len(tokenizer.merges)
    assert_page_gives(explore.tokens(tokenizer), [*ODD, *odd_texts(300)], [count, 0, 1, 7, count // 2, count - 1])


def test_a_pair_whose_right_half_was_merged_away_is_no_pair_any_more():
    from course.text.bpe import BYTE_IDS

    a, b, c = (BYTE_IDS[byte] for byte in b"abc")
    explorer = explore.tokens(BPETokenizer([(b, c), (a, b), (a, 256)]))
    assert_page_gives(explorer, ["abc", "abcab", "abab", "aabcbc"], [0, 1, 2, 3])
    assert run_page(explorer, "pairs.encode('abc', 2).ids") == [a, 256]


def test_lone_surrogates_become_what_clean_makes_of_them(tokenizer):
    texts = ["a\ud800b", "\udfff", "\ud83c\udf4e\ud83c", "\udf4e\ud83c", "\ud800\ud800 x"]
    assert_page_gives(explore.tokens(tokenizer), texts, [len(tokenizer.merges)])


def test_letters_numbers_and_white_space_are_those_of_pythons_library(tokenizer):
    """Characters of all kinds, in order and every fifth beside a letter: the same pieces."""
    from course.text.bpe import pre_tokenize

    points = [chr(p) for p in range(0x11_0000) if not 0xD800 <= p < 0xE000 and (p < 0x3_0000 or p >= 0xE_0000 and p < 0xE_0200)]
    texts = ["".join(points[i : i + 1024]) + "a".join(points[i : i + 1024 : 5]) for i in range(0, len(points), 1024)]
    ranges = run_page(explore.tokens(tokenizer), f"""(() => {{ const clean = {json.dumps(texts)};
        return clean.map((text) => (text.match(pairs.pattern) || []).map((piece) => piece.length)); }})()""")
    for text, lengths in zip(texts, ranges, strict=True):
        assert lengths == [len(piece.encode("utf-16-le")) // 2 for piece in pre_tokenize(text)], hex(ord(text[0]))


def test_a_hundred_thousand_characters_and_one_piece_without_an_end(tokenizer):
    long = ["I like apples. " * 6700, "我喜欢吃苹果和香蕉" * 3000, "a" * 30_000]
    assert_page_gives(explore.tokens(tokenizer), long, [len(tokenizer.merges)])


def test_steps_end_in_the_tokens_and_each_is_one_merge(tokenizer):
    e = explore.tokens(tokenizer)
    pieces = [" apples", "苹果", "bananas", "lowlowest", "aaa", "e\u0301"]
    n = len(tokenizer.merges)
    for count in (0, 20, n):
        found = run_page(e, f"{json.dumps(pieces)}.map((piece) => pairs.steps(piece, {count}))")
        for piece, rows in zip(pieces, found, strict=True):
            short = tokenizer.first(count)
            assert rows[0]["rank"] == -1 and [short.token_bytes(id) for id in rows[0]["ids"]] == [bytes([b]) for b in piece.encode()]
            assert rows[-1]["ids"] == short.encode(piece)
            ranks = [row["rank"] for row in rows]
            assert ranks == sorted(set(ranks)) and ranks[-1] < count
            for before, row in zip(rows, rows[1:]):
                left, right = tokenizer.merges[row["rank"]]
                rest = list(row["ids"])
                for place in reversed(row["fresh"]):
                    assert rest[place] == 256 + row["rank"]
                    rest[place : place + 1] = [left, right]
                assert row["fresh"] and rest == before["ids"]


def test_bytes_of_a_token_and_its_halves(tokenizer):
    e = explore.tokens(tokenizer)
    ids = list(range(256 + len(tokenizer.merges)))
    found = run_page(e, f"{ids}.map((id) => [Array.from(pairs.bytesOf(id)), id < 256 ? null : pairs.pairOf(id)])")
    for id, (spelled, pair) in zip(ids, found, strict=True):
        assert bytes(spelled) == tokenizer.token_bytes(id)
        assert pair is None or tuple(pair) == tuple(tokenizer.merges[id - 256])


def test_what_a_token_looks_like():
    e = explore.tokens(BPETokenizer.train("x", 256))
    texts = [" apples", "\n\t", "\u0085", "\ufeff", "\u200d", "👩‍👧", "\u0301", "\u2003a", "</b>", "\u202e"]
    assert run_page(e, f"{json.dumps(texts)}.map(tokenText)") == ["·apples", "↵⇥", "U+0085", "U+FEFF", "U+200D", "👩‍👧", "◌\u0301", "·a", "</b>", "⇄"]
    spelled = [[0xE4, 0xBD, 0xA0], [0xE4, 0xBD], [0xEF, 0xBB, 0xBF], [0xC3], []]
    assert run_page(e, f"{spelled}.map((bytes) => spelledBy(Uint8Array.from(bytes)))") == ["你", None, "\ufeff", None, ""]
    assert run_page(e, "[hexadecimal([0xE4, 0xBD, 0xA0]), hexadecimal([10, 7], ' ')]") == ["E4·BD·A0", "0A 07"]
    assert run_page(e, "[[0, 1], [1, 2], [2, 4], [4, 5], [1, 5]].map(([a, b]) => charactersAt('x你é', a, b))") == ["x", "你", "你", "é", "你é"]
    assert run_page(e, "countsOf('a你👍', 5)") == {"characters": 3, "bytes": 8, "tokens": 5}


def test_the_smallest_number_leaves_the_heap_first():
    e = explore.tokens(BPETokenizer.train("x", 256))
    dice = random.Random(1)
    numbers = [dice.randrange(50) for _ in range(80)]
    found = run_page(e, f"""(() => {{ const heap = new NumberHeap(); const out = [];
        for (const x of {numbers}) heap.push(x);
        for (let x = heap.pop(); x !== undefined; x = heap.pop()) out.push(x); return out; }})()""")
    assert found == sorted(numbers)


# ── the state, as Python has it ─────────────────────────────────────────────────────────────────────────────


@functools.cache
def two_tokenizers():
    return explore.tokens(BPETokenizer.train(TEXT, 346), other=BPETokenizer.train(TEXT, 300))


@settings(max_examples=40)
@given(st.text(max_size=40) | st.lists(st.sampled_from(TEXT.split()), min_size=3).map(" ".join), st.integers(0, 40))
def test_ids_are_those_of_the_first_merges_and_the_tokens_bytes_are_the_texts(text, n):
    e = two_tokenizers()
    e.text, e.n_merges, e.n_merges_other = text, n, 3
    assert e.ids == e.tokenizers[0].first(n).encode(text)
    assert e.ids_other == e.tokenizers[1].first(3).encode(text)
    spelled = [token.text.encode() if token.kind == "whole" else bytes.fromhex(token.name.replace("·", "")) for token in e.tokens()]
    assert b"".join(spelled) == text.encode()


def test_counts_and_their_ratios(tokenizer):
    e = explore.tokens(tokenizer, "a你👍")
    e.n_merges = 0
    assert e.counts() == (3, 8, 8, 8 / 3, 1.0)
    e.text = ""
    assert e.counts() == (0, 0, 0, None, None) and e.ids == [] and "0 tokens" in e.summary()


def test_it_opens_on_the_token_with_the_most_bytes(tokenizer):
    e = explore.tokens(tokenizer, "x bananas<|endoftext|>y", other=tokenizer.first(0))
    assert e.tokens()[e.token].text == " bananas" and e.token_other == 0


def test_special_tokens_follow_the_merges_that_are_used(tokenizer):
    e = explore.tokens(tokenizer, "a<|endoftext|>b")
    for e.n_merges in (0, 5, len(tokenizer.merges)):
        special = [token for token in e.tokens() if token.kind == "special"]
        assert [(token.id, token.label) for token in special] == [(256 + e.n_merges + 1, "<|endoftext|>")]


def test_tokens_of_a_part_of_a_character_are_named_by_their_bytes(tokenizer):
    e = explore.tokens(tokenizer, "你a")
    e.n_merges = 0
    assert [(token.label, token.kind) for token in e.tokens()] == [("E4", "part"), ("BD", "part"), ("A0", "part"), ("a", "whole")]


def test_a_refused_state_changes_nothing(tokenizer):
    e = explore.tokens(tokenizer, "x")
    count = len(tokenizer.merges)
    for name, value in (("n_merges", count + 1), ("n_merges", -1), ("n_merges_other", 1)):
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(e, name, value)
    assert (e.n_merges, e.n_merges_other) == (count, 0)
    e.token = -4
    e.text = "a\ud800"
    assert e.token == 0 and e.text == "a\ufffd"


@pytest.mark.parametrize("given", [None, 5, "gpt2", BPETokenizer, object()], ids=["none", "int", "str", "class", "object"])
def test_what_is_no_tokenizer_is_refused_in_one_sentence(given):
    with pytest.raises(ValueError, match="takes a tokenizer with encode and decode, got") as caught:
        explore.tokens(given)
    assert "\n" not in str(caught.value)


# ── other kinds of tokenizers ───────────────────────────────────────────────────────────────────────────────


class Words:
    """A tokenizer of which nothing is known but its two functions."""

    def encode(self, text):
        if "!" in text:
            raise KeyError("no word for !")
        return [len(word) for word in text.split()]

    def decode(self, ids):
        return " ".join("x" * id for id in ids)


def test_any_encode_and_decode_will_do():
    e = explore.tokens(Words(), "I like apples")
    assert e.ids == [1, 4, 6]
    assert e.answers == [{"text": "I like apples", "count": 3, "rows": [[1, "x", "x", "whole"], [4, "xxxx", "xxxx", "whole"], [6, "xxxxxx", "xxxxxx", "whole"]]}]
    assert e.answered == e.text and e.split == "" and repr(e) == "tokens explorer: 13 characters, 13 bytes, 3 tokens"
    with pytest.raises(traitlets.TraitError, match="n_merges can't be set"):
        e.n_merges = 1


def test_where_it_fails_the_explorer_speaks_and_the_last_tokens_stay():
    e = explore.tokens(Words(), "I like")
    e.text = "I like it!"
    assert e.problem == "Words raised KeyError: 'no word for !'" and e.answered == "I like it!"
    assert e.answers[0]["text"] == "I like"
    e.text = "I like it"
    assert e.problem == "" and e.answers[0]["count"] == 3
    failing = explore.tokens(Words(), "!")
    assert "KeyError" in failing.problem and failing.answers[0]["rows"] == []


def test_a_transformers_tokenizer_tells_names_and_offsets(tmp_path):
    bytes_bpe = little_models.bytes_bpe()
    e = explore.tokens(bytes_bpe, "I like 苹 bananas", other=little_models.wordpiece(tmp_path))
    assert e.ids == bytes_bpe("I like 苹 bananas")["input_ids"]
    rows = e.answers[0]["rows"]
    assert [row[0] for row in rows] == e.ids and [row[2] for row in rows] == bytes_bpe.convert_ids_to_tokens(e.ids)
    assert [row[3] for row in rows if row[1] == "苹"] == ["shared"] * 3
    kinds = {row[2]: (row[1], row[3]) for row in e.answers[1]["rows"]}
    assert kinds["[CLS]"] == kinds["[SEP]"] == ("", "added") and kinds["苹"] == ("苹", "whole")
    assert kinds["i"] == ("I", "whole")  # the text's own letters, and the name beside them


def test_the_tokenizers_library_and_slow_tokenizers(tmp_path):
    library = little_models.bytes_bpe().backend_tokenizer
    e = explore.tokens(library, "I like cats")
    assert e.ids == library.encode("I like cats").ids
    assert [token.name for token in e.tokens()] == library.encode("I like cats").tokens
    assert e.sources[0]["merges"] == 0 and not e.sources[0]["pairs"]


def test_long_texts_travel_in_part_and_are_counted_whole():
    e = explore.tokens(Words(), "a b " * 50_000)
    assert e.answers[0]["count"] == 100_000 == e.counts().tokens and len(e.answers[0]["rows"]) == tokens_explorer.MOST_TOKENS
    page = (base.STATIC / "tokens_panel.js").read_text(encoding="utf-8")
    assert f"const MOST_TOKENS = {tokens_explorer.MOST_TOKENS};" in page


# ── words, colours, pictures ────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_is_used_and_every_used_one_exists():
    page = "".join((base.STATIC / name).read_text(encoding="utf-8") for name in ("tokens.js", "tokens_panel.js"))
    python = "".join((base.STATIC.parent / f"tokens_{part}.py").read_text(encoding="utf-8") for part in ("explorer", "figure"))
    known = set(sentences.table("explore_tokens")["tokens"])
    on_page = set(re.findall(r"\bwords\.(\w+)", page)) | {f"under_{value}" for value in tokens_explorer.TokensExplorer.under.values}
    assert on_page <= known | set(sentences.table("explore")["kit"])
    assert {name for name in known - on_page if not re.search(rf"[\"']{name}[\"']", python)} == set()


def palettes() -> dict[str, list[tuple[float, ...]]]:
    """The sheet's grounds, light and dark, with the ink last; channels from 0 to 1."""
    sheet = (base.STATIC / "tokens.css").read_text(encoding="utf-8")
    rules = {"light": re.search(r"\.ex-tokens \{([^}]*)\}", sheet)[1], "dark": re.search(r"\.ex-tokens\.ex-dark \{([^}]*)\}", sheet)[1]}
    channels = lambda code: tuple(int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))  # noqa: E731
    return {theme: [channels(code) for code in re.findall(r"--tk-(?:\d|ink): #(\w{6})", rule)] for theme, rule in rules.items()}


def linear(colour):
    return np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour])


# Machado, Oliveira & Fernandes 2009, severity 1: how a colour looks without one of the three kinds of cones.
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = [np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz / [0.9505, 1, 1.089]]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_six_colours_stay_apart_for_every_eye_and_their_text_is_readable(theme):
    *grounds, ink = map(linear, palettes()[theme])
    assert len(grounds) == 6
    luminance = lambda c: float(c @ (0.2126, 0.7152, 0.0722))  # noqa: E731
    for ground in grounds:
        low, high = sorted((luminance(ground), luminance(ink)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
    for matrix in SIGHT.values():
        seen = [lab(np.array(matrix) @ ground) for ground in grounds]
        apart = [[np.linalg.norm(a - b) for b in seen] for a in seen]
        assert min(apart[i][j] for i in range(6) for j in range(i)) > 20  # CIELAB; 2 can be told apart side by side
        assert min(apart[i][(i + 1) % 6] for i in range(6)) > 24


def test_the_figures_colours_are_the_pages():
    sheet = (base.STATIC / "tokens.css").read_text(encoding="utf-8")
    assert list(tokens_figure.COLOURS) == re.findall(r"--tk-\d: (#\w{6})", sheet)[:6]


def test_the_picture_without_a_kernel(tokenizer):
    first, second = explore.tokens(tokenizer), explore.tokens(tokenizer)
    bundle = first._repr_mimebundle_()[0]
    assert bundle["text/plain"] == repr(first) == repr(second) and "0x" not in repr(first)
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert pixels.shape[1] > 1000 and pixels[..., :3].std() > 0.05
    assert bundle["image/png"] == second._repr_mimebundle_()[0]["image/png"]
    second.n_merges = 3
    assert bundle["image/png"] != second._repr_mimebundle_()[0]["image/png"]


def test_the_figure_shows_every_token_with_its_id_and_no_box_touches_another(tokenizer):
    e = explore.tokens(tokenizer, TEXT + " <|endoftext|> \u0085", other=Words(), title="never shown for two")
    fig = e.figure()
    said = [text.get_text() for text in fig.axes[0].texts]
    for place in (0, 1):
        for token in e.tokens(place):
            assert str(token.id) in said and figures.label(token.label, 30) in said
    assert sum(text == str(e.ids[0]) for text in said) >= e.ids.count(e.ids[0])
    assert sum("tokens" in text for text in said) == 2 and said[0].endswith("merges") and "with" in said[0]
    boxes = [patch for patch in fig.axes[0].patches if str(patch.get_gid()).startswith("token")]
    assert len(boxes) == len(e.ids) + len(e.ids_other)
    for a, b in zip(boxes, boxes[1:]):
        assert b.get_y() > a.get_y() or b.get_x() >= a.get_x() + a.get_width()
        assert b.get_x() + b.get_width() <= tokens_figure.WIDTH or b.get_x() < 0.2
    colours = [matplotlib.colors.to_hex(box.get_facecolor()) for box in boxes[:7]]
    assert colours == [*tokens_figure.COLOURS, tokens_figure.COLOURS[0]]


def test_the_figure_of_a_long_text_says_what_it_leaves_out(tokenizer):
    e = explore.tokens(tokenizer, "x y " * 400)
    left = len(e.ids) - tokens_figure.MOST_TOKENS
    assert f"… {left} more tokens" in [text.get_text() for text in e.figure().axes[0].texts]
    assert explore.tokens(tokenizer, "").figure().axes[0].texts[0].get_text().startswith("byte pair encoding")
