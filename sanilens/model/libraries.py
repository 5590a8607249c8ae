"""Turn whatever a library raises over an unexpected folder into one message."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from sanilens.errors import ModelError

# A value of a wrong type can surface anywhere in transformers and torch, as whatever that line
# raises. RuntimeError holds RecursionError and torch's own, LookupError and ArithmeticError
# missing keys and divisions by zero.
FOLDER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
    TypeError,
    ValueError,
)


# Where the user keeps things is nobody's business.
_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\"]+/)+")


@contextmanager
def as_model_error(what: str, remedy: str) -> Iterator[None]:
    """Turn what a library raises into a `ModelError`; our own errors pass.

    Args:
        what: what went wrong, to stand before the library's own words.
        remedy: a sentence.

    Raises:
        ModelError: `what (the library's error). remedy`
    """
    try:
        yield
    except FOLDER_ERRORS as error:
        raise _model_error(what, error, remedy) from error
    except BaseException as error:
        # A panic of Rust code comes as a class that derives from BaseException and cannot be
        # imported; the tokenizers library raises bare `Exception`.
        if type(error).__name__ != "PanicException" and type(error) is not Exception:
            raise
        raise _model_error(what, error, remedy) from error


def _model_error(what: str, error: BaseException, remedy: str) -> ModelError:
    # Some of transformers' messages begin with a blank line or a heading.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    detail = _FOLDERS.sub("", " ".join(lines))[:160] or "no detail"
    return ModelError(f"{what} ({type(error).__name__}: {detail}). {remedy}")
