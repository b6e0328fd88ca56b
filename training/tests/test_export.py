"""The exported decoder, read back by a naive forward pass, writes what the model writes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import training.shipping.precision
from training.data.tokenizer import PAD
from training.network.model import TAGS, Config, Narvl
from training.network.word_detector import MOST
from training.shipping.decoder_graph import WEIGHTS, export_decoder_graph
from training.shipping.export import decoder_weights, export_fusion
from training.shipping.precision import quantise, round_weights

SMALL = Config(
    width=32, heads=4, encoder_layers=2, decoder_layers=2, ffn=48, vocabulary=50, prompt=5, slots=6
)


def decode(
    weights: dict[str, torch.Tensor],
    memory: torch.Tensor,
    length: int,
    first: int,
    count: int,
    evidence: torch.Tensor | None,
) -> torch.Tensor:
    """The network as `src/model/decoder.ts` describes it: logits [slots, V] for one image."""
    w = {name: t.float() * weights.get(f"{name}.scale", 1) for name, t in weights.items()}
    d, heads = SMALL.width, SMALL.heads

    def norm(x, name):
        return F.layer_norm(x, (d,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)

    def linear(x, name):
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"]

    def attend(q, k, v):
        out = torch.empty_like(q)
        for h in range(heads):
            part = slice(h * d // heads, (h + 1) * d // heads)
            scores = q[:, part] @ k[:, part].T / math.sqrt(d / heads)
            out[:, part] = scores.softmax(-1) @ v[:, part]
        return out

    kv = linear(memory[:length], "cross.kv")
    x = norm(w["queries.weight"][first : first + count], "queries.norm")
    for i in range(SMALL.decoder_layers):
        at = f"layers.{i}"
        q, k, v = linear(norm(x, f"{at}.self.norm"), f"{at}.self.qkv").split(d, -1)
        x = x + linear(attend(q, k, v), f"{at}.self.out")
        q = linear(norm(x, f"{at}.cross.norm"), f"{at}.cross.q")
        keys, values = kv[:, 2 * d * i : 2 * d * (i + 1)].split(d, -1)
        x = x + linear(attend(q, keys, values), f"{at}.cross.out")
        inside = linear(norm(x, f"{at}.ffn.norm"), f"{at}.ffn.up")
        x = x + linear(F.gelu(inside, approximate="tanh"), f"{at}.ffn.down")
    logits = linear(norm(x, "head.norm"), "head")
    if evidence is None:
        return logits
    return logits + w["queries.tilt"][first : first + count, None] * evidence


@pytest.mark.parametrize(
    "options, precision, far",
    [
        ({}, "f16", 2e-2),
        ({}, "int8", 0.15),
        ({"tags": True}, "f16", 2e-2),
        ({"tags": True}, "int8", 0.15),
        ({"tags": True, "words": 16, "vocabulary": 52}, "f16", 2e-2),
        ({"words": 16, "vocabulary": 52}, "int8", 0.15),
        ({"tags": True, "places": 16}, "f16", 2e-2),
        ({"places": 16}, "int8", 0.15),
        ({"unfrozen": True}, "f16", 2e-2),
        ({"unfrozen": True}, "int8", 0.5),  # twenty convolutions more are rounded
    ],
)
def test_exported_files_compute_what_the_model_computes(
    tmp_path, monkeypatch, options, precision, far
) -> None:
    monkeypatch.setattr(
        training.shipping.precision, "WORTH_INT8", 256
    )  # The matrices here are small.
    torch.manual_seed(0)
    model = Narvl(replace(SMALL, **options)).eval()
    if model.fusion.tags is not None:
        torch.nn.init.normal_(model.fusion.tags.cell.weight, std=0.1)
        torch.nn.init.normal_(model.fusion.tags.sure)
        model.fusion.tags.names[:, :2] = torch.randint(5, SMALL.vocabulary, (1000, 2))
        # No doubt which classes are seen: of near ones rounding may choose another.
        model.fusion.tags.bias[:3] += torch.tensor([10.0, 20, 30])
    if model.fusion.word_detector is not None:
        assert model.tilt is not None
        for weight in (model.fusion.there, model.fusion.missing, model.tilt):
            torch.nn.init.normal_(weight, std=0.3)
        torch.nn.init.normal_(model.fusion.word_detector.inside, std=0.1)
        torch.nn.init.normal_(model.fusion.word_detector.table)
    if model.fusion.phrase_map is not None:
        for weight in (model.fusion.phrase_map.inside, model.fusion.phrase_map.prior):
            torch.nn.init.normal_(weight, std=0.3)
    features, prompt = (
        torch.randn(2, SMALL.eyes.cells, SMALL.eyes.channels),
        torch.tensor([[4, 5, 6, PAD, PAD]] * 2),
    )
    path = tmp_path / "fusion.onnx"
    export_fusion(model, path, precision)
    session = onnxruntime.InferenceSession(path)
    feeds = {"features": features.numpy(), "prompt": prompt.numpy().astype(np.int32)}
    memory = torch.from_numpy(session.run(["memory"], feeds)[0])
    if model.fusion.tags is not None:
        names, likely = session.run(["names", "likely"], feeds)
        expected_names = model.fusion.tags.names_of(features)
        for photo, pieces in zip(expected_names, names.reshape(2, TAGS, -1), strict=True):
            assert [name.pieces for name in photo] == [tuple(p[p != PAD]) for p in pieces]
        np.testing.assert_allclose(
            likely, [[name.likely for name in photo] for photo in expected_names], atol=1e-2
        )
    evidence = None
    if model.fusion.word_detector is not None:
        evidence = torch.from_numpy(session.run(["evidence"], feeds)[0])
        assert 0 < evidence.abs().max() <= MOST
        torch.testing.assert_close(evidence, model.evidence(features), atol=0.3, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(memory, model.fusion(features, prompt), atol=far, rtol=0)
    places = None
    if model.fusion.phrase_map is not None:
        places = torch.from_numpy(session.run(["places"], feeds)[0])
        expected = model.fusion.places(features, prompt)
        torch.testing.assert_close(places, expected, atol=5 * far, rtol=0)
    weights = decoder_weights(model, precision)
    save_file(weights, tmp_path / WEIGHTS)
    export_decoder_graph(model, weights, tmp_path / "decoder.onnx")
    graph = onnxruntime.InferenceSession(tmp_path / "decoder.onnx")
    round_weights(model, precision)
    with torch.inference_mode():
        # Rounded alike, only the order of sums is left.
        torch.testing.assert_close(memory, model.fusion(features, prompt), atol=1e-4, rtol=0)
        if places is not None:
            expected = model.fusion.places(features, prompt)
            torch.testing.assert_close(places, expected, atol=1e-4, rtol=0)
        for task in ("caption", "answer"):
            expected = model(features, prompt, task)
            for b in range(2):
                heard = None if evidence is None else evidence[b]
                rows = memory[b], model.fusion.seen + 3
                logits = decode(weights, *rows, *model.query_range(task), heard)
                torch.testing.assert_close(logits, expected[b], atol=1e-3, rtol=0)
            first, count = model.query_range(task)
            feeds = {
                "memory": memory.numpy(),
                "lengths": np.full(2, model.fusion.seen + 3, np.int32),
                "slots": np.arange(first, first + count, dtype=np.int32),
                **({} if evidence is None else {"evidence": evidence.numpy()}),
            }
            computed, looked = map(torch.from_numpy, graph.run(["logits", "attention"], feeds))
            torch.testing.assert_close(computed, expected, atol=1e-3, rtol=0)
            torch.testing.assert_close(looked.sum(-1), torch.ones(2, count))
            assert (looked[..., model.fusion.seen + 3 :] == 0).all()


def test_int8_keeps_each_channel_within_half_a_step() -> None:
    weight = torch.randn(7, 5) * torch.tensor([1, 10, 0.1, 3, 1e-3])
    stored, scale = quantise(weight, 1)
    assert stored.dtype == torch.int8
    assert ((stored * scale - weight).abs() <= scale / 2 + 1e-9).all()
    assert (stored.abs().amax(0) == 127).all()
