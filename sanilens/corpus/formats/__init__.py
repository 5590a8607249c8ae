"""Reading files into rows: JSON Lines, CSV, Parquet and plain text.

A reader knows its format only; what a row must hold, `load` and `patient_table` decide.
"""

from sanilens.corpus.formats.read import read_rows
from sanilens.corpus.formats.rows import Row

__all__ = ["Row", "read_rows"]
