"""Settings: every variable is read, every wrong value is one line that names its variable."""

import os
import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from smoc_mcp.errors import ConfigurationError
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.settings import ENVIRONMENTS, Settings, check_key
from smoc_mcp.variables import variables_of

KEY = "a-key-of-the-console-0123456789"


def read(**env: str) -> Settings:
    return Settings.from_env({"SMOC_API_KEY": KEY, **env})


def refusal(**env: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(**env)
    return str(caught.value)


def test_with_the_key_alone_everything_else_has_a_default() -> None:
    settings = read()
    assert settings.api_key.get_secret_value() == KEY
    assert settings == Settings(
        api_key=settings.api_key,
        base_url="https://v2.api.smoc.ai",
        cache_seconds=60,
        timeout_seconds=20,
        timezone=ZoneInfo("UTC"),
        show_technical=False,
        mask=frozenset(),
        log_level="WARNING",
    )


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = ["SMOC_ENVIRONMENT", "SMOC_BASE_URL"]
    names += [
        f"SMOC_MCP_{name}"
        for name in ("CACHE_SECONDS", "TIMEOUT_SECONDS", "TIMEZONE", "MASK", "LOG_LEVEL")
    ]
    assert read(**dict.fromkeys([*names, "SMOC_MCP_SHOW_TECHNICAL"], "")) == read()


def test_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOC_API_KEY", KEY)
    monkeypatch.setenv("SMOC_MCP_TIMEZONE", "Europe/Oslo")
    assert Settings.from_env() == read(SMOC_MCP_TIMEZONE="Europe/Oslo")


def test_the_key_is_in_no_repr() -> None:
    settings = read()
    assert KEY not in f"{settings!r} {settings} {settings.api_key!r} {settings.api_key}"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "SMOC_API_KEY is not set"),
        ("   ", "SMOC_API_KEY is not set"),
        ("\n", "SMOC_API_KEY is not set"),
        ("sk_live_secret", "SMOC_API_KEY holds a Clerk key (sk_…)"),
        ("pk_test_secret", "SMOC_API_KEY holds a Clerk key (pk_…)"),
        ("Bearer secret", "SMOC_API_KEY begins with 'Bearer'"),
        ("bearer secret", "SMOC_API_KEY begins with 'Bearer'"),
        (" secret", "SMOC_API_KEY holds blanks"),
        ("secret ", "SMOC_API_KEY holds blanks"),
        ("sec ret", "SMOC_API_KEY holds blanks"),
        ("secret\n", "SMOC_API_KEY holds blanks"),
        ("sec\r\nret: x", "SMOC_API_KEY holds blanks"),
        ("sécret", "SMOC_API_KEY holds blanks"),
        ("“secret”", "SMOC_API_KEY holds blanks"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_the_way_to_the_right_one(key: str, said: str) -> None:
    message = refusal(SMOC_API_KEY=key)
    assert message.startswith(said)
    assert "Settings → Integrations → API" in message
    assert "secret" not in message


def test_a_missing_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SMOC_API_KEY is not set"):
        Settings.from_env({})


@given(
    st.sampled_from(["", "sk_", "pk_", "Bearer", "bearer", "SK_"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_a_key_is_taken_as_it_is_or_refused_without_being_told(head: str, rest: str) -> None:
    key = head + rest
    if key.startswith(("sk_", "pk_")) or key.lower().startswith("bearer"):
        with pytest.raises(ConfigurationError) as caught:
            check_key(key)
        assert len(key) < 8 or key not in str(caught.value)
    else:
        assert check_key(key).get_secret_value() == key


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_one_of_the_guides_addresses(name: str) -> None:
    assert read(SMOC_ENVIRONMENT=name).base_url == ENVIRONMENTS[name]


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com:8443/", "https://api.example.com:8443"),
        ("https://api.example.com/smoc/", "https://api.example.com/smoc"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_is_https_or_loopback(url: str, taken: str) -> None:
    assert read(SMOC_BASE_URL=url).base_url == taken


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://api.example.com",
            "ftp://api.example.com",
            "api.example.com",
            "//api",
            "https://",
        ),
        *("https:///path", "http://localhost.example.com", "http://127.0.0.1.example.com"),
        *("https://me@api.example.com", "https://me:pw@api.example.com", "https://a.com?x=1"),
        *("https://a.com#top", "https://a.com:0", "https://a.com:99999", "https://a.com:x"),
        *("https://[::1", "https://a.com ", " https://a.com", "https://a.com\n", "https://a b.com"),
        *("https://a.com\r\nx: y", "https://a.com?", "https://a.com#", "https://a.com/\x00"),
    ],
)
def test_another_base_url_is_refused(url: str) -> None:
    message = refusal(SMOC_BASE_URL=url)
    assert message.startswith("SMOC_BASE_URL must be an https:// address")


def test_an_environment_and_a_base_url_together_are_refused() -> None:
    message = refusal(SMOC_ENVIRONMENT="staging", SMOC_BASE_URL="https://api.example.com")
    assert message == "Set SMOC_ENVIRONMENT or SMOC_BASE_URL, not both."


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), (" 2.5 ", 2.5), ("3600", 3600)])
def test_the_cache_time_is_up_to_an_hour(text: str, seconds: float) -> None:
    assert read(SMOC_MCP_CACHE_SECONDS=text).cache_seconds == seconds


@pytest.mark.parametrize(("text", "seconds"), [("1", 1), ("2.5", 2.5), ("20", 20)])
def test_a_question_takes_up_to_twenty_seconds(text: str, seconds: float) -> None:
    assert read(SMOC_MCP_TIMEOUT_SECONDS=text).timeout_seconds == seconds


@pytest.mark.parametrize("text", ["1", "true", "YES", " on "])
def test_technical_details_can_be_shown(text: str) -> None:
    assert read(SMOC_MCP_SHOW_TECHNICAL=text).show_technical


@pytest.mark.parametrize("text", ["0", "false", "No", "off"])
def test_technical_details_can_be_hidden(text: str) -> None:
    assert not read(SMOC_MCP_SHOW_TECHNICAL=text).show_technical


@pytest.mark.parametrize("name", ["Europe/Oslo", "UTC", "America/New_York"])
def test_the_time_zone_is_of_the_iana(name: str) -> None:
    assert read(SMOC_MCP_TIMEZONE=name).timezone == ZoneInfo(name)


@pytest.mark.parametrize(
    ("text", "mask"),
    [("email", {"email"}), ("phone", {"phone"}), (" Email , phone,", {"email", "phone"})],
)
def test_e_mail_and_phone_can_be_masked(text: str, mask: set[str]) -> None:
    assert read(SMOC_MCP_MASK=text).mask == mask


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_a_log_level_is_known_in_any_case(level: str) -> None:
    assert read(SMOC_MCP_LOG_LEVEL=f" {level.lower()} ").log_level == level


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("SMOC_ENVIRONMENT", v) for v in ("prod", "live", "https://v2.api.smoc.ai", "\n")],
        *[
            ("SMOC_MCP_CACHE_SECONDS", v)
            for v in ("-1", "3601", "soon", "nan", "inf", "1e9", "1 h")
        ],
        *[("SMOC_MCP_TIMEOUT_SECONDS", v) for v in ("0", "0.5", "21", "nan", "-inf", "20s")],
        *[("SMOC_MCP_TIMEZONE", v) for v in ("Oslo", "Mars/Base", "Europe", "/etc/passwd", "..")],
        *[("SMOC_MCP_TIMEZONE", v) for v in ("a\0b", "\udcff", "x" * 5000, "zone.tab")],
        *[("SMOC_MCP_SHOW_TECHNICAL", v) for v in ("2", "maybe", "show")],
        *[("SMOC_MCP_MASK", v) for v in ("names", "email;phone", "email phone")],
        *[("SMOC_MCP_LOG_LEVEL", v) for v in ("TRACE", "10", "verbose")],
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_variable(name: str, value: str) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"{name} must be ")
    assert message.splitlines() == [message]


@pytest.mark.parametrize(
    "name", ["SMOC_MCP_CACHE_SECONDS", "SMOC_MCP_TIMEOUT_SECONDS", "SMOC_MCP_TIMEZONE"]
)
@given(value=st.text())
def test_any_value_is_taken_or_refused_with_a_sentence(name: str, value: str) -> None:
    try:
        read(**{name: value})
    except ConfigurationError as error:
        said = str(error)
    else:
        return
    assert said.startswith(name)


@pytest.mark.parametrize("path", ["examples/compose.yaml", "examples/smoc-mcp.service"])
def test_an_example_sets_only_what_is_a_setting(path: str) -> None:
    text = (Path(__file__).parent.parent / path).read_text()
    named = set(re.findall(r"\bSMOC_(?:API|MCP|BASE|ENVIRONMENT)[A-Z_]*", text))
    assert named
    assert named <= {*variables_of(Settings), *variables_of(HttpSettings)}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SMOC_MCP_MASKS", "write SMOC_MCP_MASK, or leave it out"),
        ("SMOC_APIKEY", "write SMOC_API_KEY, or"),
        ("SMOC_WHATEVER_THIS_IS_NOT", "leave it out"),
    ],
)
def test_a_mistyped_setting_stops_every_command(name: str, said: str) -> None:
    command = [sys.executable, "-m", "smoc_mcp", "config", "cursor"]
    env = {name: "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"{name} is no setting" in done.stderr
    assert said in done.stderr


def test_a_key_and_a_store_can_be_in_files(tmp_path: Path) -> None:
    key, store = tmp_path / "key", tmp_path / "store"
    key.write_text(f"{KEY}\n")
    store.write_text("postgresql://smoc:hush@db.example.com/contacts\n")
    found = Settings.from_env({"SMOC_API_KEY_FILE": str(key), "SMOC_MCP_STORE_FILE": str(store)})
    assert found.api_key.get_secret_value() == KEY
    assert isinstance(found.store, SecretStr)
    assert "hush" not in repr(found)


def test_what_a_file_of_a_secret_can_lack_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for path, said in ((tmp_path / "missing", "cannot be read"), (empty, "is empty")):
        for name in ("SMOC_API_KEY", "SMOC_MCP_STORE"):
            with pytest.raises(ConfigurationError, match=f"{name}_FILE .*{said}"):
                Settings.from_env({"SMOC_API_KEY": KEY, name: "", f"{name}_FILE": str(path)})
    with pytest.raises(ConfigurationError, match="not both"):
        read(SMOC_API_KEY_FILE=str(empty))
