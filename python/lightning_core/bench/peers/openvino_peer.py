"""OpenVINO on the CPU: an inference request with its tensors bound beforehand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from lightning_core.bench.cases import Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.peers.onnx_graph import model
from lightning_core.bench.timing import Candidate


def load(threads: int) -> Peer:
    """The peer."""
    ov: Any = import_module("openvino")
    core = ov.Core()
    config = {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        # On processors with bfloat16 the default precision is not float32.
        "INFERENCE_PRECISION_HINT": "f32",
    }  # fmt: skip

    def candidates(case: Case, resident: bool) -> list[Candidate]:
        if resident and not case.weights:
            return []
        read = core.read_model(model(case, constant_weights=resident).SerializeToString())
        request = core.compile_model(read, "CPU", config).create_infer_request()
        bound = []
        for port in request.model_inputs:
            tensor = ov.Tensor(case.arrays[port.get_any_name()], shared_memory=True)
            request.set_tensor(port, tensor)
            bound.append(tensor)
        out = np.empty(case.out_shape, np.float32)
        target = ov.Tensor(out, shared_memory=True)
        request.set_output_tensor(0, target)
        made = Candidate(
            "openvino", "bound request", "run()", {"run": lambda: request.infer(share_outputs=True)},
            read=lambda _: out, poison=lambda: out.fill(np.nan),
        )  # fmt: skip
        made.names["keep"] = (bound, target)
        return [made]

    return Peer("openvino", ("openvino",), candidates, f"openvino {ov.__version__}, {threads} threads, float32")
