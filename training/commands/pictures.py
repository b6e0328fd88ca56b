"""Pictures that are no photos, with captions and questions: `python -m training pictures`.

Pages of text, screenshots, charts, maps, codes, logos, drawings, and nothing at all: of every kind
alike many, but for training more that show next to nothing. They lie below
`$NARVL_WORK/pictures`, in the format of the shared folder's `described`; a row has its `kind` too,
and the `names` by which a text may call it.
"""

from __future__ import annotations

import argparse

from training.data.pictures.make import FOLDER, KINDS, PER_KIND, make
from training.data.pictures.render import need_fonts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    need_fonts()
    made = sum(make(split, seed, per_kind) for split, per_kind in PER_KIND.items())
    print(f"{FOLDER}: {made} pictures of {len(KINDS)} kinds")
