"""`python -m research.fuzz.worker`: judge the inputs whose kinds and numbers come in.

One line in, `<kind>|<number>`; two lines out: `>` when it begins, then the judgement as JSON. What
hangs, or takes the process down with it, is seen by whoever reads them (run.py).
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from research.fuzz.judge import Judge
from research.fuzz.originals import Originals


def main(root: Path, work: Path, seed: int) -> None:
    """Judge until there are no more lines."""
    # Libraries print; the answers go where nothing else is written.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    originals = Originals.below(root)
    judge = Judge(originals, work)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        kind, number = line.strip().split("|")
        answers.write(">\n")
        answers.flush()
        judged = judge(kind, int(number), seed)  # pyright: ignore[reportArgumentType]
        answers.write(json.dumps(asdict(judged)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
