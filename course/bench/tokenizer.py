"""How fast the tokenizer learns and encodes, beside the tokenizers library (Rust) and the slow loop by hand."""

import gc
import importlib.util
import random
import time
import tracemalloc

from course.bench.report import Row
from course.text.corpus import python_docs

VOCAB_SIZE = 1024
SLOW_ROUNDS = 4  # the slow loop is timed for so many of its last rounds, which are the shortest
FASTER = 100  # how many times faster than the slow loop it has to be
MEMORY = 200  # MB allowed


def missing() -> str:
    """Why it can't be measured: the peer is not installed.  "" where it can."""
    return "" if importlib.util.find_spec("tokenizers") else "the tokenizers library is not installed (it comes with transformers)"


def mixed(size: int, seed: int = 0) -> str:
    """About `size` bytes: made-up Chinese words in sentences and in runs of 2000 words without a cut, and English."""
    rng, docs = random.Random(seed), python_docs()
    words = ["".join(chr(0x4E00 + int(rng.paretovariate(0.6)) % 6000) for _ in range(rng.randint(1, 4))) for _ in range(5000)]
    parts, length = [], 0
    while length < size:
        kind = rng.random()
        if kind < 0.52:
            n = rng.randint(3, 30) if kind < 0.5 else 2000
            parts.append("".join(words[min(int(rng.paretovariate(0.5)), 4999)] for _ in range(n)) + "，")
        else:
            start = rng.randrange(len(docs) - 400)
            parts.append(docs[start : start + rng.randint(20, 400)])
        length += len(parts[-1].encode())
    return "".join(parts)


def measure(quick: bool) -> list[Row]:
    """Training and encoding, ours and the library's in turns; the slow loop once; the memory of training."""
    rounds = 3 if quick else 7
    rows = []
    for name, text, factor in (("python_docs", python_docs(), 1.5), ("2 MB Chinese and English", mixed(2_000_000), 6.0)):
        training, encoding, peers = [], [], ([], [])
        for _ in range(rounds if name == "python_docs" else max(1, rounds // 3)):
            ours, took = _timed(_train, text)
            training.append(took)
            theirs, took = _timed(_train_library, text)
            peers[0].append(took)
            encoding.append(_timed(type(ours)(ours.merges).encode, text)[1])  # one that has encoded nothing before
            peers[1].append(_timed(theirs.encode, text)[1])
        for work, samples, peer, allowed in (
            (f"training, {VOCAB_SIZE} tokens, {name}", training, peers[0], factor),
            (f"encoding as one text, {name}", encoding, peers[1], 1.0 if name == "python_docs" else factor),
        ):
            library = Row(work, "tokenizers", "ms", tuple(peer))
            rows += [Row(work, "ours", "ms", tuple(samples), budget=round(allowed * library.median, 1)), library]
        rows.append(Row(f"memory of training, {name}", "ours", "MB", (_peak(text),), budget=MEMORY, note="tracemalloc"))
    return [*rows[:2], *_slow(python_docs(), rows[0].median), *rows[2:]]


def _train(text: str):
    from course.text.tokenizer import BPETokenizer

    return BPETokenizer.train(text, VOCAB_SIZE)


def _train_library(text: str):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE, initial_alphabet=alphabet, show_progress=False)
    library.train_from_iterator([text], trainer)
    return library


def _slow(text: str, ours: float) -> list[Row]:
    """The loop by hand, from the time of its last rounds: earlier ones have longer pieces, so it takes more than this."""
    from course.text import bpe

    merges = _train(text).merges
    first, last = merges[:-SLOW_ROUNDS], merges[-SLOW_ROUNDS:]
    ids = {piece: bpe.encode(piece, first) for piece in set(bpe.pre_tokenize(text))}
    pieces = [ids[piece] for piece in bpe.pre_tokenize(text)]
    took = 0.0
    for i, pair in enumerate(last):
        took += _timed(bpe.pair_counts, pieces)[1]
        new_id = 256 + len(first) + i
        took += _timed(lambda: [bpe.merge(piece, pair, new_id) for piece in pieces])[1]
    whole = took / SLOW_ROUNDS * len(merges)
    work = f"training, {VOCAB_SIZE} tokens, python_docs"
    return [
        Row(work, "bpe.train", "ms", (whole,), note=f"at least: {len(merges)} rounds as short as the last {SLOW_ROUNDS}"),
        Row(f"{work}, of bpe.train's time", "ours", "%", (100 * ours / whole,), budget=100 / FASTER),
    ]


def _peak(text: str) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        _train(text)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _timed(function, *arguments):
    gc.collect()
    began = time.perf_counter()
    value = function(*arguments)
    return value, 1000 * (time.perf_counter() - began)
