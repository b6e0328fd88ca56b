"""How large photos should be: `python -m training photo_sizes 224 256 288 320`.

Of the folder `objects`, a photo of each of ImageNet's classes whose id begins the file's name, how
many the backbone's own classifier gets right when they are stretched to a size. None was trained on
here, and no caption is read.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from tqdm import tqdm

from training.eyes.backbone import HEAD_CHANNELS, Backbone
from training.eyes.features import pixels
from training.paths import DATA
from training.scoring.tables import print_table

_BATCH = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", nargs="+", type=int, help="pixels of a side")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    # ImageNet counts its classes in the order of their ids.
    files = sorted((DATA / "objects" / "images").iterdir())
    rows: list[dict[str, str | float]] = []
    for photo in args.photo:
        backbone = Backbone(photo)
        right = np.zeros(2)
        for start in tqdm(range(0, len(files), _BATCH), desc=str(photo)):
            batch = np.stack([pixels(file, photo) for file in files[start : start + _BATCH]])
            head = backbone(torch.from_numpy(batch))[..., :HEAD_CHANNELS].mean(1)
            likeliest = backbone.classifier(head).topk(5).indices
            hits = likeliest == torch.arange(start, start + len(batch)).unsqueeze(1)
            right += [hits[:, 0].sum().item(), hits.sum().item()]
        first, five = 100 * right / len(files)
        rows.append({"photo": str(photo), "first class right %": first, "among five %": five})
    print_table(rows)
