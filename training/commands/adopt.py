"""A folder of shipped files to a run: `python -m training adopt [FOLDER] [--run shipped]`.

Who has the published model but none of the checkpoints that led to it can so score it, fit its
confidence anew, export it again, or train on from it (`start = "shipped"` in a recipe). The weights
are the rounded ones; exported again, every file has the same bytes. The work folder's word pieces
become the model's.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from torch.optim.swa_utils import AveragedModel

from training.data import tokenizer as vocabulary
from training.paths import MODEL, WORK
from training.runs.checkpoints import save
from training.scoring.calibration import calibration_file
from training.shipping.adoption import adopt, adopt_eyes, config_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=MODEL)
    parser.add_argument("--run", default="shipped", help="what to call it")
    args = parser.parse_args()

    manifest = json.loads((args.folder / "manifest.json").read_text(encoding="utf-8"))
    WORK.mkdir(parents=True, exist_ok=True)
    adopt_eyes(args.folder, args.run)
    config = config_of(args.folder, args.run)
    model = adopt(args.folder, config)
    shutil.copy(args.folder / "tokenizer.json", vocabulary.FILE)
    save(
        args.run,
        {
            "kind": "narvl",
            "config": config.to_json(),
            "step": 0,
            "model": model.state_dict(),
            "average": AveragedModel(model).state_dict(),
        },
    )
    known = {t["kind"]: t["calibration"] for t in manifest["tasks"].values() if "calibration" in t}
    calibration_file(args.run).write_text(json.dumps(known), encoding="utf-8")
    print(f"{args.folder} is the run {args.run!r} now")
