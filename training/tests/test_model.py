"""What the network must be before it has learnt anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.backbone import FEATURES, TOKENS
from training.model import NAME_PIECES, TAGS, AutoregressiveCaptioner, Config, Narvl, memory_mask
from training.tokenizer import PAD

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
    features, prompt = torch.rand(2, TOKENS, FEATURES), torch.tensor([[7, 8, PAD], [9, 7, 8]])
    rows = tags.rows(tags.logits(features), model.words)
    assert rows.shape == (2, TAGS * NAME_PIECES, SMALL.width)
    torch.testing.assert_close(rows[0, :2], tags.norm(model.words[[11, 12]]))
    memory = model.fusion(features, prompt)
    mask = memory_mask(prompt, memory.shape[1])
    assert memory.shape[1] == mask.shape[-1] == TOKENS + TAGS * NAME_PIECES + prompt.shape[1]
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
    found = tags.cells(tags.logits(torch.rand(1, TOKENS, FEATURES)), words)
    torch.testing.assert_close(found, expected.expand_as(found))


@pytest.mark.parametrize("slots", [4, 6, 9])
def test_a_student_may_have_other_slots_than_its_teacher_had_positions(slots: int) -> None:
    student = Narvl(replace(SMALL, slots=slots))
    student.initialise_from(AutoregressiveCaptioner(SMALL))
    assert torch.isfinite(student.queries).all()
