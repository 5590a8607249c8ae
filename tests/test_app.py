"""`sanilens app` hands every shipped setting to Streamlit in a form that it understands."""

import json
import tomllib
from pathlib import Path

from sanilens.commands.app import _flags

ROOT = Path(__file__).parents[1]


def test_every_setting_becomes_a_flag() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    flags = _flags(config)
    given = dict(flags)
    assert given["server.address"] == "127.0.0.1"
    assert given["browser.gatherUsageStats"] == "false"
    assert given["client.showErrorDetails"] == "type"
    assert [v for k, v in flags if k == "server.allowedHosts"] == ["localhost", "127.0.0.1"]
    assert json.loads(given["theme.chartSequentialColors"])[-1] == "#7f2704"
    assert len(json.loads(given["theme.light.chartCategoricalColors"])) == 5
