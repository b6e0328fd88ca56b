"""What the network must be before it has learnt anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.data.tokenizer import PAD
from training.eyes.backbone import HEAD_CHANNELS
from training.eyes.eyes import Eyes
from training.network.model import (
    NAME_PIECES,
    TAGS,
    AutoregressiveCaptioner,
    Config,
    Narvl,
    memory_mask,
)
from training.runs.checkpoints import stretched
from training.runs.loop import SHARES, parameter_groups

SMALL = Config(
    width=32, heads=4, encoder_layers=1, decoder_layers=1, ffn=48, vocabulary=50, prompt=5, slots=6
)


def tagged() -> Narvl:
    torch.manual_seed(0)
    return Narvl(replace(SMALL, tags=True)).eval()


def test_what_the_classifier_sees_most_is_spelled_in_rows_of_its_own() -> None:
    model = tagged()
    tags = model.fusion.tags
    assert tags is not None
    tags.weight.zero_()
    tags.bias[:] = torch.arange(len(tags.bias)) * 1e-3  # the last class first, whatever is seen
    tags.names[-1, :2] = torch.tensor([11, 12])
    features, prompt = (
        torch.rand(2, SMALL.eyes.cells, SMALL.eyes.channels),
        torch.tensor([[7, 8, PAD], [9, 7, 8]]),
    )
    rows = tags.rows(tags.logits(features), model.words)
    assert rows.shape == (2, TAGS * NAME_PIECES, SMALL.width)
    torch.testing.assert_close(rows[0, :2], tags.norm(model.words[[11, 12]]))
    memory = model.fusion(features, prompt)
    mask = memory_mask(prompt, memory.shape[1])
    assert (
        memory.shape[1] == mask.shape[-1] == SMALL.eyes.cells + TAGS * NAME_PIECES + prompt.shape[1]
    )
    assert (mask[0, 0, 0] < 0).tolist() == [False] * (mask.shape[-1] - 1) + [True]


def test_a_cell_of_no_doubt_is_told_the_class_name() -> None:
    tags = tagged().fusion.tags
    assert tags is not None
    torch.nn.init.eye_(tags.cell.weight)
    tags.weight.zero_()
    tags.bias[:] = -1e4
    tags.bias[3] = 0
    tags.names[3, :2] = torch.tensor([11, 12])
    words = torch.rand(SMALL.vocabulary, SMALL.width)
    expected = words[[11, 12]].mean(0) * SMALL.width**0.5
    found = tags.cells(tags.logits(torch.rand(1, SMALL.eyes.cells, SMALL.eyes.channels)), words)
    torch.testing.assert_close(found, expected.expand_as(found))


@pytest.mark.parametrize("slots", [4, 6, 9])
def test_a_student_may_have_other_slots_than_its_teacher_had_positions(slots: int) -> None:
    student = Narvl(replace(SMALL, slots=slots))
    student.initialise_from(AutoregressiveCaptioner(SMALL))
    assert torch.isfinite(student.queries).all()


def test_another_size_of_photo_keeps_where_things_are() -> None:
    down, across = torch.meshgrid(torch.arange(7.0), torch.arange(7.0), indexing="ij")
    positions = torch.stack([down.flatten(), across.flatten()], dim=1)
    wider = stretched(positions, 81).unflatten(0, (9, 9))
    assert stretched(positions, 49) is positions
    # Each centre of the wider grid lies where the narrower one has it, but for the rim.
    centres = (torch.arange(9.0) + 0.5) * 7 / 9 - 0.5
    torch.testing.assert_close(wider[1:8, 4, 0], centres[1:8], atol=0.1, rtol=0)
    torch.testing.assert_close(wider[4, 1:8, 1], centres[1:8], atol=0.1, rtol=0)
    torch.testing.assert_close(wider[..., 0], wider[..., 1].T)


def test_a_detector_adds_its_classes_to_each_cell() -> None:
    config = replace(SMALL, detector=True)
    assert config.eyes.channels == SMALL.eyes.channels + 80
    features = torch.rand(2, config.eyes.cells, config.eyes.channels)
    prompt = torch.full((2, SMALL.prompt), 7)
    assert Narvl(config)(features, prompt).shape == (2, SMALL.slots, SMALL.vocabulary)


def test_an_unfrozen_stage_starts_as_the_frozen_one_and_learns_slowly() -> None:
    torch.manual_seed(0)
    eyes = Eyes(64, detector=False)
    with torch.no_grad():
        features = eyes.network()(torch.rand(2, 3, 64, 64) * 2 - 1)
    config = replace(SMALL, photo=64, unfrozen=True)
    model = AutoregressiveCaptioner(config)
    stage = model.fusion.stage
    assert stage is not None
    head = stage(features[..., HEAD_CHANNELS:])
    torch.testing.assert_close(head, features[..., :HEAD_CHANNELS], atol=1e-4, rtol=1e-4)

    prompt = torch.full((2, SMALL.prompt), 7)
    model.fusion(features, prompt).sum().backward()
    rest, learnt = (group["params"] for group in parameter_groups(model))
    assert all(p.grad is not None for p in learnt)
    assert len(rest) + len(learnt) == len(list(model.parameters()))
    assert SHARES[0] > SHARES[1]
    # Names are learnt without a photo, which the stage has nothing to say of.
    assert model.fusion(features[:, :0], prompt).shape[1] == SMALL.prompt


def test_photos_have_whole_cells() -> None:
    assert Eyes(288, detector=False).cells == 81
    with pytest.raises(ValueError, match="multiples of 32, got 225"):
        Narvl(replace(SMALL, photo=225))
