"""Where training reads from and writes to: both folders lie outside the repository."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("NARVL_DATA", REPOSITORY.parent / "shared" / "data"))
"""The photographs and their texts, laid out as the data set's own README says."""

WORK = Path(os.environ.get("NARVL_WORK", REPOSITORY.parent / "training-work"))
"""Features, checkpoints, the teacher's captions and logs: everything that can be made again."""

MODEL = REPOSITORY / "public" / "models" / "narvl-photo"
"""The exported model that the runtime loads."""
