"""The sanitised model as a plain Hugging Face folder, whole or absent."""

import shutil

from sanilens.model.config import GENERATION
from sanilens.model.subject import SubjectModel
from sanilens.model.tokenizer import copy_tokenizer
from sanilens.runs.folder import RunFolder


def export_model(subject: SubjectModel, run: RunFolder) -> None:
    """Write weights (safetensors), configuration and tokenizer; replaces an older export.

    Edits that live as hooks only cannot be in it; the run's events say how many there are.
    """
    temporary = run.unfinished_model
    shutil.rmtree(temporary, ignore_errors=True)
    subject.model.save_pretrained(temporary)
    # As they are: what transformers saves of a tokenizer may read a text otherwise.
    copy_tokenizer(subject.path, temporary)
    # The user's own: loading leaves the settings for decoding out of what it measures.
    if (settings := subject.path / GENERATION).is_file():
        shutil.copyfile(settings, temporary / GENERATION)
    temporary.chmod(0o700)
    for path in temporary.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    if run.model.exists():
        shutil.rmtree(run.model)
    temporary.rename(run.model)
