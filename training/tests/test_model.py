"""What the network must be before it has learnt anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.backbone import FEATURES, TOKENS
from training.model import AutoregressiveCaptioner, Config, Narvl
from training.tokenizer import PAD

SMALL = Config(
    width=32, heads=4, encoder_layers=1, decoder_layers=1, ffn=48, vocabulary=50, prompt=5, slots=6
)


def test_tags_add_nothing_at_first_and_something_once_learnt() -> None:
    torch.manual_seed(0)
    tagged = AutoregressiveCaptioner(replace(SMALL, tags=True)).eval()
    plain = AutoregressiveCaptioner(SMALL).eval()
    plain.load_state_dict(tagged.state_dict(), strict=False)
    features, prompt = torch.rand(2, TOKENS, FEATURES), torch.tensor([[7, 8, PAD], [9, 7, 8]])
    torch.testing.assert_close(tagged.fusion(features, prompt), plain.fusion(features, prompt))

    tags = tagged.fusion.tags
    assert tags is not None
    tags.names[:, 0] = torch.arange(len(tags.names)) % 40 + 5
    torch.nn.init.eye_(tags.whole.weight)
    changed = tagged.fusion(features, prompt) - plain.fusion(features, prompt)
    assert changed.abs().max() > 1e-3


def test_a_tag_of_no_doubt_is_its_name() -> None:
    torch.manual_seed(0)
    tags = AutoregressiveCaptioner(replace(SMALL, tags=True)).fusion.tags
    assert tags is not None
    torch.nn.init.eye_(tags.whole.weight)
    tags.weight.zero_()
    tags.bias[:] = -1e4
    tags.bias[3] = 0  # the third class, whatever is seen
    tags.names[3, :2] = torch.tensor([11, 12])
    words = torch.rand(SMALL.vocabulary, SMALL.width)
    expected = words[[11, 12]].mean(0) * SMALL.width**0.5
    found = tags(torch.rand(1, TOKENS, FEATURES), words)
    torch.testing.assert_close(found, expected.expand_as(found))


@pytest.mark.parametrize("slots", [4, 6, 9])
def test_a_student_may_have_other_slots_than_its_teacher_had_positions(slots: int) -> None:
    student = Narvl(replace(SMALL, slots=slots))
    student.initialise_from(AutoregressiveCaptioner(SMALL))
    assert torch.isfinite(student.queries).all()
