"""Predict and Adjust: how a language model computes, built by hand.

The package follows the way of the data; every folder is one arrow of it:

    text ──► ids ──► vectors ──► blocks ──► logits ──► token        predict
                        ▲                      │
                        └───── gradients ◄── loss ◄── targets       adjust

    course.text        TEXT → IDS           the tokenizer, the corpus, the market, windows to train on
    course.vectors     IDS → VECTORS        embeddings and positions
    course.blocks      VECTORS → VECTORS    attention, in one head and in many; norms, the feed-forward part; the block
    course.models      IDS → LOGITS         GPT, by hand and as a layer; the pencil model
    course.predict     LOGITS → TOKEN       temperature, top-k, top-p, a draw
    course.adjust      LOSS → WEIGHTS       cross-entropy, a first training loop
    course.pretrained  other people's weights: the sentence encoder MiniLM, GPT-2
    course.lens        looking inside: what a layer or a whole model computed, recorded; heads switched off
    course.exercises   checks that name the mistake, predictions, quiz, the learner's record
    course.explore     live explorers for the notebooks
    course.figures     arrays → matplotlib figures, one style for the whole course
    course.sentences   what checks, explorers and errors say to a learner, one folder a language

Each component exists twice in one file: the **hand version** (NumPy, pure functions, float64,
one sentence or any number of leading axes) and the **layer** (PyTorch, batched, trainable).
A test holds that both give the same numbers, and that a well-known library gives them too.

Legend of dimensions, used in every shape comment:

    B   examples in a batch
    T   positions in a text (S where the keys come from another text)     n in the paper
    C   width of the model, d_model
    H   heads;  D  width of one head, d_head = C / H                     h, d_k in the paper
    F_  inner width of the feed-forward part, d_ff
    V   entries of the vocabulary
    L   blocks                                                           N in the paper

"the paper" is Vaswani et al. 2017, "Attention Is All You Need", arXiv 1706.03762.
Importing this package imports nothing heavy: neither torch nor matplotlib.
"""
