"""The media type that Zabbix imports: its script makes of what a real Zabbix 6.0 gave to it what that Zabbix really sent."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import playwright
import pytest
import yaml
from django.conf import settings as portal_settings

from restores.zabbix_message import read_message

DOCS = Path(portal_settings.BASE_DIR) / "docs"
(MEDIA,) = yaml.safe_load((DOCS / "zabbix-media-type.yaml").read_text())["zabbix_export"]["media_types"]
SAID: list[dict[str, Any]] = json.loads((Path(__file__).parent / "zabbix_said.json").read_text())
"""What Zabbix 6.0.14 handed to the script, and what it then sent; None when it sent nothing."""

NODE = Path(playwright.__file__).parent / "driver/node"
AROUND = """
const {script, given, sent, status, answer} = JSON.parse(require("fs").readFileSync(0));
Date.now = () => sent * 1000;
const headers = [], posts = [];
globalThis.HttpRequest = class {
  addHeader(line) { headers.push(line); }
  post(url, body) { posts.push([url, body]); return answer; }
  getStatus() { return status; }
};
let said, failed = null;
try { said = new Function("value", script)(JSON.stringify(given)); } catch (error) { failed = String(error); }
console.log(JSON.stringify({headers, posts, said, failed}));
"""


def run_script(
    given: dict[str, str], sent: int = 1796003493, status: int = 200, answer: str = '{"detail": "Taken."}'
) -> Any:
    """The script of the media type with what Zabbix would give it, and an answer of the portal."""
    told = {"script": MEDIA["script"], "given": given, "sent": sent, "status": status, "answer": answer}
    done = subprocess.run([NODE, "-e", AROUND], input=json.dumps(told), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_every_supported_zabbix_imports_it() -> None:
    assert yaml.safe_load((DOCS / "zabbix-media-type.yaml").read_text())["zabbix_export"]["version"] == "6.0"
    assert MEDIA["type"] == "WEBHOOK"
    assert {one["operation_mode"] for one in MEDIA["message_templates"]} == {"PROBLEM", "RECOVERY", "UPDATE"}


def test_its_script_is_as_old_as_the_engine_of_zabbix() -> None:
    assert not re.findall(r"=>|`|\b(?:let|const|class|async)\b", MEDIA["script"])


@pytest.mark.parametrize("case", SAID, ids=[one["what"] for one in SAID])
def test_what_zabbix_really_sent(case: dict[str, Any]) -> None:
    sent = json.loads(case["body"])["sent"] if case["body"] else 1796003493
    done = run_script(case["parameters"], sent)
    assert done["failed"] is None
    assert [body for _, body in done["posts"]] == ([case["body"]] if case["body"] else [])
    if case["body"]:
        message = read_message(case["body"].encode(), datetime.fromtimestamp(sent, UTC))
        assert message.is_problem is (case["parameters"]["value"] == "1")
        assert message.trigger.isprintable()


def test_each_parameter_is_used_and_each_field_sent() -> None:
    parameters = {one["name"]: one["value"] for one in MEDIA["parameters"]}
    assert parameters["event_id"] == "{EVENT.ID}"
    for name in set(parameters) - {f"host{number}" for number in range(1, 10)}:
        assert f"given.{name}" in MEDIA["script"], name
    done = run_script({**parameters, "event_id": "1", "value": "1", "started": "1796000000", "host9": "shop-7"})
    assert "X-Zabbix-Secret: {$BACKUP_PORTAL_SECRET}" in done["headers"]
    assert json.loads(done["posts"][0][1]) == {
        "event_id": "1", "value": "PROBLEM", "severity": "{EVENT.SEVERITY}", "hosts": ["shop-7"],
        "trigger": "{EVENT.NAME}", "clock": 1796000000, "sent": 1796003493,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "age", "began"),
    [
        ("01:51:33", "3s", 3490), ("02:51:33", "3s", 3490), ("07:21:33", "1m 3s", 3430), ("01:45:00", "0s", 3100),
        ("23:51:33", "1h 0m 0s", -107), ("{TIME}", "{EVENT.AGE}", 3493),
    ],
)  # fmt: skip
def test_when_it_began_is_counted_back_in_any_time_zone(told: str, age: str, began: int) -> None:
    done = run_script({**SAID[0]["parameters"], "told": told, "age": age})
    assert json.loads(done["posts"][0][1])["clock"] == 1796000000 + began


@pytest.mark.parametrize(
    ("status", "answer", "failed"),
    [
        (403, '{"detail": "The header is wrong."}', "The portal answered 403: The header is wrong."),
        (502, "<html>" + "x" * 5000, "The portal answered 502: <html>" + "x" * 194),
        (200, '{"detail": "INC-1 is proposed."}', None),
    ],
)
def test_the_portals_own_words_stand_in_zabbixs_log(status: int, answer: str, failed: str | None) -> None:
    done = run_script(SAID[0]["parameters"], status=status, answer=answer)
    assert (done["failed"], done.get("said")) == (failed, None if failed else "INC-1 is proposed.")


def test_what_is_no_problem_event_is_not_called_one() -> None:
    done = run_script({one["name"]: one["value"] for one in MEDIA["parameters"]})  # as the Test button gives them
    assert json.loads(done["posts"][0][1])["value"] == "{EVENT.VALUE}"
