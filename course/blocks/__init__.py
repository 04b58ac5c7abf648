"""VECTORS → VECTORS: what a Transformer block is made of.  `attention`, `norm`, `feed_forward`."""
