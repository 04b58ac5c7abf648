"""TEXT → IDS: how a text becomes whole numbers, and how the numbers become text again."""
