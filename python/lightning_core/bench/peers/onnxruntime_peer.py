"""ONNX Runtime: ``run``, and ``iobinding`` with inputs and outputs bound beforehand."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from lightning_core.bench.cases import Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.peers.onnx_graph import model
from lightning_core.bench.timing import Candidate


def _read(target: Any, _: Any) -> Any:
    return target.numpy()


def load(threads: int) -> Peer:
    """The peer."""
    ort: Any = import_module("onnxruntime")
    ort.set_default_logger_severity(3)

    def candidates(case: Case, resident: bool) -> list[Candidate]:
        if resident and not case.weights:
            return []
        made: list[Candidate] = []
        for contrib in (False, True) if case.op in ("attention", "conv_attention") else (False,):
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            made_model = model(case, constant_weights=resident, contrib_attention=contrib)
            session: Any = ort.InferenceSession(made_model.SerializeToString(), options, ["CPUExecutionProvider"])
            feeds = {i.name: case.arrays[i.name] for i in session.get_inputs()}
            out = np.empty(case.out_shape, np.float32)
            bound = [ort.OrtValue.ortvalue_from_numpy(a) for a in feeds.values()]
            target = ort.OrtValue.ortvalue_from_numpy(out)
            binding = session.io_binding()
            for name, value in zip(feeds, bound, strict=True):
                binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output("y", target)
            suffix = ", MultiHeadAttention" if contrib else ""
            made.append(
                Candidate("onnxruntime", "iobinding" + suffix, "run(binding)",
                          {"run": session.run_with_iobinding, "binding": binding, "keep": bound},
                          read=partial(_read, target), poison=partial(target.update_inplace, np.full_like(out, np.nan)))
            )  # fmt: skip
            made.append(
                Candidate("onnxruntime", "run" + suffix, "run(None, feeds)", {"run": session.run, "feeds": feeds},
                          read=lambda r: r[0])
            )  # fmt: skip
        return made

    return Peer("onnxruntime", ("onnxruntime",), candidates, f"onnxruntime {ort.__version__}, {threads} threads")
