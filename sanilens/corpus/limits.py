"""How much a loader accepts: every limit in one place, each far above honest use.

Loading happens in the server that all sessions share, so what a file would need is checked before
it is decoded. Messages give the figure that was passed.
"""

# A file as it lies on the disk, and a JSON file that is one array, which is read whole.
FILE_BYTES = 512 * 1024**2
ARRAY_BYTES = 32 * 1024**2
# Without a bound a hostile file is read into memory as one line, or line by empty line.
LINE_BYTES = 16 * 1024**2
LINES = 10_000_000
# Records of a corpus, rows of a patient table; what they hold together.
RECORDS = 200_000
COLUMNS = 1_000
VALUES = 5_000_000
CHARACTERS = 200_000_000
# Addresses and seconds of the process that decodes Parquet.
ADDRESSES = 4 * 1024**3
SECONDS = 600
# One record's text. csv's own limit of 131,072 characters for a cell is below a long note;
# unlimited, one unclosed quote would swallow a whole file.
TEXT = 1_000_000
CELL = 4_000_000
# The longest id or subject, which stand in tables, file names and URLs.
NAME = 128
# Nothing sensible nests deeper, and Python's own JSON writer gives up at about 1,000 levels.
DEPTH = 64
# A list of terms: all of them, and one.
TERMS = 200_000
TERM = 500
# A value to find in texts: its words, or a number's characters; the words of all values, less
# those that begin alike; and how often values may be met in one text.
TERM_WORDS = 64
PLACES = 3_000_000
MATCHES = 200_000
# Closed questions: how many, the characters of a prompt or an ending, wrong endings of one.
QUESTIONS = 20_000
QUESTION = 10_000
DISTRACTORS = 100
