"""How a prediction is scored: the learner's words become probabilities, and these the loss that trains a model."""

import math
from collections.abc import Sequence

DEGREES = {"hunch": 0.50, "sure": 0.75, "certain": 0.95}  # degree of confidence → probability of the option chosen
FLOOR = 0.01  # of every option: a miss costs 4.6 nats at most, and not infinity
WORST = -math.log(FLOOR)


def probabilities(n_options: int, choice: int, confidence: float) -> list[float]:
    """The probability of each option for who is `confidence` sure of one of them.

    With n options, p on option c, and no option below FLOOR:

        q   = max((1 − p) / (n − 1), FLOOR)     each of the others
        p_c = 1 − (n − 1) · q                   what is left, so that all sum to 1

    n_options: 2 or more, and few enough that p_c stays above q;  choice: 0 … n_options − 1;
    confidence: p, between 1/n and 1.
    Raises ValueError for anything else.
    """
    if not 0 <= choice < n_options or n_options < 2 or not 1 / n_options <= confidence <= 1:
        raise ValueError(f"no probabilities for option {choice} of {n_options} with confidence {confidence}")
    other = max((1 - confidence) / (n_options - 1), FLOOR)
    chosen = 1 - (n_options - 1) * other
    if chosen < other:
        raise ValueError(f"{n_options} options can't have {FLOOR} each")
    return [chosen if option == choice else other for option in range(n_options)]


def surprise(p: float) -> float:
    """−log p in nats: 0 for what was certain, ln n for one of n options guessed evenly, ln 2 = 0.69 for a coin."""
    return -math.log(p) if p < 1 else 0.0


def scored(options: Sequence[str], choice: str, confidence: float, truth: str) -> tuple[float, float, float]:
    """(probability of the choice, probability of the truth, loss in nats) of one answer."""
    p = probabilities(len(options), options.index(choice), confidence)
    p_truth = p[options.index(truth)]
    return p[options.index(choice)], p_truth, surprise(p_truth)
