"""`sanilens app` hands every shipped setting to Streamlit under a name that it knows."""

import tomllib
from pathlib import Path

from streamlit import config as streamlit_config

from sanilens.cli.app import options

ROOT = Path(__file__).parents[1]


def test_every_setting_becomes_an_option() -> None:
    found = options(tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text()))
    known = streamlit_config._config_options_template
    assert {name for name in found if name not in known} == set()
    assert found["server.address"] == "127.0.0.1"
    assert found["browser.gatherUsageStats"] is False
    assert found["client.showErrorDetails"] == "type"
    assert found["server.fileWatcherType"] == "none"
    assert found["server.enableXsrfProtection"] is found["server.enableCORS"] is True
    assert found["server.enableAgentApi"] is found["server.enableStaticServing"] is False
    assert found["server.allowedHosts"] == ["localhost", "127.0.0.1"]
    assert found["theme.chartSequentialColors"][-1] == "#7f2704"
    assert len(found["theme.light.chartCategoricalColors"]) == 5
