"""Trains the model of this example: one hidden layer, then rounded to whole numbers.

    python3 train.py digits.csv.gz > model.json

Needs numpy and nothing else. The first 1,347 digits are learned from, the other 450 are held out and never
looked at here. The seed is fixed, sums are taken without a BLAS library (einsum), and the weights are
rounded coarsely, so that the same file comes out of it again; what a processor sums in another order
differs in the last of 53 bits.

    model.json: {"hidden": [64][HIDDEN], "hidden bias": [HIDDEN], "shift": bits, "out": [HIDDEN][10],
                 "out bias": [10]}

A prediction from pixels p of 0 to 16: h = max(0, p * hidden + hidden bias) >> shift, then the digit
whose h * out + out bias is largest. All of it in whole numbers, so that every computer predicts the same.
"""

import json
import sys

import numpy as np

LEARNED = 1347
HIDDEN = 32
EPOCHS = 300
RATE = 0.5
MOMENTUM = 0.9
DECAY = 1e-4
SEED = 20260901
# Steps of a weight in one; 7 bits and a sign are enough.
HIDDEN_STEPS = 64
OUT_STEPS = 64
SHIFT = 4


def product(a, b):
    return np.einsum("ij,jk->ik", a, b, optimize=False)


def train(pixels, digits):
    """Weights as floating-point numbers, for pixels from 0 to 1. Full-batch descent with momentum."""
    draw = np.random.Generator(np.random.PCG64(SEED))
    weights = [
        draw.standard_normal((64, HIDDEN)) * np.sqrt(2 / 64),
        np.zeros((1, HIDDEN)),
        draw.standard_normal((HIDDEN, 10)) * np.sqrt(2 / HIDDEN),
        np.zeros((1, 10)),
    ]
    speeds = [np.zeros_like(weight) for weight in weights]
    wanted = np.eye(10)[digits]
    for _ in range(EPOCHS):
        inside = product(pixels, weights[0]) + weights[1]
        hidden = np.maximum(inside, 0)
        out = product(hidden, weights[2]) + weights[3]
        likely = np.exp(out - out.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        error = (likely - wanted) / len(digits)
        back = product(error, weights[2].T) * (inside > 0)
        slopes = [
            product(pixels.T, back) + DECAY * weights[0],
            back.sum(axis=0, keepdims=True),
            product(hidden.T, error) + DECAY * weights[2],
            error.sum(axis=0, keepdims=True),
        ]
        for weight, speed, slope in zip(weights, speeds, slopes):
            speed *= MOMENTUM
            speed -= RATE * slope
            weight += speed
    return weights


def rounded(weights):
    hidden, hidden_bias, out, out_bias = weights
    whole = lambda values, steps: np.rint(values * steps).astype(int).tolist()
    # Pixels are 16 times as large as in training, and so is what the first layer gives.
    scale = 16 * HIDDEN_STEPS >> SHIFT
    return {
        "hidden": whole(hidden, HIDDEN_STEPS),
        "hidden bias": whole(hidden_bias[0], 16 * HIDDEN_STEPS),
        "shift": SHIFT,
        "out": whole(out, OUT_STEPS),
        "out bias": whole(out_bias[0], scale * OUT_STEPS),
    }


def main():
    rows = np.loadtxt(sys.argv[1], delimiter=",")[:LEARNED]
    model = rounded(train(rows[:, :64] / 16, rows[:, 64].astype(int)))
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in model.items())
    print("{\n" + lines.replace("], [", "],\n  [") + "\n}")


if __name__ == "__main__":
    main()
