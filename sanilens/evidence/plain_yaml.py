"""YAML that people write by hand and anybody may hand over: small, shallow, no anchors, no tags."""

from pathlib import Path
from typing import Any

import yaml

from sanilens.errors import SaniLensError
from sanilens.files import open_file

_LARGEST, _DEEPEST = 2**16, 16
_OPENING = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def read_plain_yaml(path: Path, error: type[SaniLensError]) -> Any:
    """What a file says, as lists, mappings, texts and numbers.

    Raises:
        SaniLensError: the `error`, if it is no such YAML.
    """
    with open_file(path, error, most=_LARGEST) as file:
        return parse_plain_yaml(file.read(), path.name, error)


def parse_plain_yaml(content: bytes, name: str, error: type[SaniLensError]) -> Any:
    """The same of a file's content; `name` is what errors call it."""
    if len(content) > _LARGEST:
        raise error(f"{name} is larger than {_LARGEST // 1024} KB.")
    try:
        text = content.decode()
        depth = 0
        # Token by token, so that what is deep is refused before it costs anything.
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken):
                raise error(f"{name}: write everything out; no anchors and aliases.")
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > _DEEPEST:
                raise error(f"{name} is nested too deeply.")
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as wrong:
        raise error(f"{name} is no plain YAML.") from wrong
