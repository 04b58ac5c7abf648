"""VECTORS → VECTORS: what a Transformer block is made of.  `attention` is here; the rest follows chapter by chapter."""
