"""IDS → VECTORS: a row of a table for every token (`embedding`), and where in the text it stands (`positions`)."""
