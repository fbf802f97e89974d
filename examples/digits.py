"""Handwritten digits through conv -> attention and a linear classifier, with receipts and a timeline.

The images are the 1797 of scikit-learn's bundled digits, 8 by 8 pixels. A fixed bank of 16 filters (random, seeded)
makes a map of 16 by 8 by 8 values of each; read as 128 rows of 8 pixels, the map attends to itself, and a ridge
classifier is fitted on the result for the first 1200 images. The images go through the pipeline twice, eagerly
(convolution and attention as two calls with the map in Python between them) and planned (one plan); both must agree.
"""

from __future__ import annotations

import sys
import time

import lightning_core as lc
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Array = NDArray[np.float32]

FILTERS = 16
# Rows of the map: Q, K and V are each the whole of it, since the pipeline starts over when the map is used up.
SEQ_LEN, HEAD_DIM = FILTERS * 8, 8
TRAINING_IMAGES = 1200


def progress(label: str, done: int, total: int, started: float) -> None:
    """Rewrites one line on a terminal; elsewhere prints only the end."""
    if sys.stderr.isatty():
        bar = "#" * (30 * done // total)
        print(f"\r{label:<22} [{bar:<30}] {done}/{total}", end="", file=sys.stderr)
    if done == total:
        end = "\n" if sys.stderr.isatty() else ""
        print(f"{end}{label}: {total} images in {time.perf_counter() - started:.2f} s", file=sys.stderr)


def features_eager(images: Array, weight: Array, bias: Array) -> Array:
    """Two calls an image; the feature map comes back to Python in between."""
    out = np.empty((len(images), SEQ_LEN * HEAD_DIM), np.float32)
    started = time.perf_counter()
    for i, image in enumerate(images):
        fmap = lc.api.conv_relu_nchw(image[None, None], weight, bias, pad_h=1, pad_w=1)
        rows = fmap.reshape(SEQ_LEN, HEAD_DIM)
        lc.attention2d_into(rows, rows, rows, out[i].reshape(SEQ_LEN, HEAD_DIM))
        if i % 64 == 63 or i + 1 == len(images):
            progress("eager", i + 1, len(images), started)
    return out


def features_planned(images: Array, weight: Array, bias: Array) -> Array:
    """One fused plan an image, made once and found again by its shapes."""
    out = np.empty((len(images), SEQ_LEN * HEAD_DIM), np.float32)
    started = time.perf_counter()
    for i, image in enumerate(images):
        lc.api.conv_attention_torchstrong_nchw_into(
            image[None, None], weight, bias, out[i], SEQ_LEN, HEAD_DIM, pad_h=1, pad_w=1, execution_mode="graph"
        )
        if i % 64 == 63 or i + 1 == len(images):
            progress("planned", i + 1, len(images), started)
    return out


def fit_ridge(features: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
    """Least squares on one-hot targets with a ridge of 1 % of the mean feature energy; returns weight and bias."""
    mean = features.mean(axis=0)
    centred = (features - mean).astype(np.float64)
    gram = centred.T @ centred
    ridge = 0.01 * np.trace(gram) / len(gram)
    targets = np.eye(10)[labels] - 0.1
    weight = np.linalg.solve(gram + ridge * np.eye(len(gram)), centred.T @ targets).T
    return weight.astype(np.float32), (0.1 - weight @ mean).astype(np.float32)


def main() -> int:
    """Runs the demo; returns 1 if the two ways disagree or accuracy is implausible."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)
    labels = np.asarray(digits.target, np.int64)
    generator = np.random.default_rng(7)
    weight = generator.normal(0.0, 1.0, (FILTERS, 1, 3, 3)).astype(np.float32)
    bias = generator.normal(0.0, 0.1, FILTERS).astype(np.float32)

    where = f"backend {lc.backend_name()}, {lc.cpu_isa()}, {lc.get_num_threads()} threads"
    print(f"lightning_core {lc.__version__}, {where}")
    lc.runtime_trace_clear()
    lc.runtime_trace_enable(True)
    eager = features_eager(images, weight, bias)
    receipts = [lc.last_receipt()]
    planned = features_planned(images, weight, bias)
    receipts.append(lc.last_receipt())

    head_weight, head_bias = fit_ridge(planned[:TRAINING_IMAGES], labels[:TRAINING_IMAGES])
    scores = lc.api.linear(planned[TRAINING_IMAGES:], head_weight, head_bias)
    receipts.append(lc.last_receipt())
    lc.runtime_trace_enable(False)

    accuracy = float((scores.argmax(axis=1) == labels[TRAINING_IMAGES:]).mean())
    difference = float(np.abs(eager - planned).max())
    print(f"\naccuracy on {len(images) - TRAINING_IMAGES} unseen images: {accuracy:.1%}")
    print(f"largest difference between eager and planned features: {difference:.1e}")

    print("\nwhat ran, where and why")
    for receipt in receipts:
        if receipt is not None:
            print(
                f"  {receipt.op:<16} {receipt.requested_device} -> {receipt.selected_device}  "
                f"{receipt.kernel:<28} {receipt.math}  {receipt.reason}"
            )

    report = lc.runtime_trace_timeline(group_by="kernel", group_sort_by="total_duration_ns")
    print(f"\nwhere the time went (last {report['event_count']} events)")
    for group in report["groups"][:5]:
        print(
            f"  {group['key']:<28} {group['count']:>5} calls  {group['total_duration_ns'] / 1e6:8.2f} ms  "
            f"mean {group['avg_duration_ns'] / 1e3:6.2f} us"
        )
    return 0 if difference < 1e-4 and accuracy > 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
