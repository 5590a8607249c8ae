"""The sanitised model as a plain Hugging Face folder, whole or absent."""

import shutil

from sanilens.model.subject import SubjectModel
from sanilens.runs.folder import RunFolder


def export_model(subject: SubjectModel, run: RunFolder) -> None:
    """Write weights (safetensors), configuration and tokenizer; replaces an older export.

    Edits that live as hooks only cannot be in it; the run's events say how many there are.
    """
    temporary = run.unfinished_model
    shutil.rmtree(temporary, ignore_errors=True)
    subject.model.save_pretrained(temporary)
    subject.tokenizer.save_pretrained(temporary)
    temporary.chmod(0o700)
    for path in temporary.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    if run.model.exists():
        shutil.rmtree(run.model)
    temporary.rename(run.model)
