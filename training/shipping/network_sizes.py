"""Sizes of the exported vision and fusion, as the manifest says them before the graphs are there.

The runtime's kernels are compiled for them while the files come (`src/model/network-shape.ts`).
Read off the graph, so that they are what it holds.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from training.network.model import Narvl

_FOLD = 4
"""The kernels take channels in fours."""


def network_sizes(model: Narvl, vision: Path) -> dict:
    """The manifest's `network`; nothing if vision.onnx is of another kind than the kernels know."""
    eyes = vision_sizes(onnx.load(vision).graph)
    if eyes is None:
        return {}
    tags = model.fusion.tags
    classes = {"classes": len(tags.names)} if tags is not None else {}
    units = {"words": model.config.words, "places": model.config.places}
    fusion = {"ffn": model.config.ffn, **classes, **{k: n for k, n in units.items() if n}}
    return {"network": {"vision": eyes, "fusion": fusion}}


def vision_sizes(graph: onnx.GraphProto) -> dict | None:
    """Of an EfficientNet-Lite: a stem, inverted residuals of two or three convolutions, a head."""
    readers: dict[str, list[str]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.op_type)
    # A weight that is stored in f16 or 8 bits has another name there.
    dims = {i.name.removesuffix(".f16").removesuffix(".i8"): i.dims for i in graph.initializer}
    layers = []
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        outputs, _, kernel, _ = dims[node.input[1]]
        layers.append(
            {
                "outputs": outputs,
                "kernel": kernel,
                "stride": attributes["strides"][0],
                "depthwise": attributes.get("group", 1) > 1,
                "added": all(op == "Add" for op in readers.get(node.output[0], [])),
            }
        )
    if not any(layer["depthwise"] for layer in layers):
        return None
    stem, *middle, head = layers
    blocks = []
    while middle:
        expand = None if middle[0]["depthwise"] else middle.pop(0)["outputs"]
        depthwise, project = middle.pop(0), middle.pop(0)
        blocks.append(
            {
                **({} if expand is None else {"expand": expand}),
                "kernel": depthwise["kernel"],
                "stride": depthwise["stride"],
                "outputs": project["outputs"],
                "residual": project["added"],
            }
        )
    sizes = [stem["outputs"], head["outputs"], *(block["outputs"] for block in blocks)]
    if any(size % _FOLD for size in sizes):
        return None
    fine = max(i for i, block in enumerate(blocks) if block["stride"] == 2) - 1
    return {"stem": stem["outputs"], "blocks": blocks, "fine": fine, "head": head["outputs"]}
