"""Parquet, read by a process of its own.

A damaged file can end the process that decodes it: Arrow aborts on what it takes for impossible.
So the process is one that nobody shares, and its memory is bounded.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sanilens.corpus.formats.rows import Row, mistake
from sanilens.errors import CorpusError


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file.

    Raises:
        CorpusError: not Parquet, more than the limits allow, a doubled column name, or bytes that
            do not decode.
    """
    command = [sys.executable, "-m", "sanilens.corpus.formats.parquet_rows", str(path.absolute())]
    # The process finds this package where this one did.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    number = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as decoder:
        assert decoder.stdout is not None
        try:
            for line in decoder.stdout:
                found = json.loads(line)
                if "error" in found:
                    raise CorpusError(found["error"])
                number += 1
                yield Row(found["where"], number, found["fields"])
            decoder.wait()
        except json.JSONDecodeError:
            pass  # it died in the middle of a line
        finally:
            decoder.kill()  # one that nobody reads on would wait for ever
    if decoder.returncode != 0:
        raise mistake(
            f"{path.name}, row {number + 1}",
            "not a Parquet file, or a damaged one",
            "Write it again, for example with pandas.DataFrame.to_parquet.",
        )
