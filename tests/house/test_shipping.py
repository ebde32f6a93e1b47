"""Dockerfile and compose.yaml, as far as they can be judged without Docker."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
import yaml

from config.local import processes, stack
from config.local.environment import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {"migrate", "web", "staff", "worker", "beat"}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
STAGES = DOCKERFILE.split("\nFROM ")
# What only a checkout has.
NOT_FOR_PRODUCTION = {"DJANGO_DEBUG", "DEMO_SIGN_IN"}


def instructions(name: str, text: str = STAGES[-1]) -> list[str]:
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def command(service: str) -> list[str]:
    """The words that a service runs; web and staff run the image's own."""
    own = SERVICES[service].get("command")
    if own:
        return own
    (words,) = instructions("CMD")
    shell, _, line = yaml.safe_load(words)
    assert shell == "sh"
    return shlex.split(line.removeprefix("exec "))


class TestImage:
    def test_requirements_are_hashed_and_no_tests_come_along(self) -> None:
        assert "--require-hashes -r requirements.lock" in STAGES[0]
        assert "requirements-dev" not in DOCKERFILE
        left_out = (ROOT / ".dockerignore").read_text().split()
        assert {".git", ".local", ".venv", ".env", ".secrets", "settings.env", "tests"} <= set(left_out)

    def test_runs_as_nobody_special(self) -> None:
        """And may write nothing but two folders: what comes after USER is not RUN."""
        (user,) = instructions("USER")
        assert user == "fortunes"
        assert "useradd --system --uid 10001 --no-create-home" in STAGES[-1]
        assert "RUN" not in STAGES[-1].partition("\nUSER ")[2]

    def test_static_files_are_collected_with_secrets_that_go(self) -> None:
        (step,) = (step for step in instructions("RUN") if "collectstatic" in step)
        assert step.startswith("python -m config.local.secrets > /tmp/secrets.json")
        assert step.endswith("rm /tmp/secrets.json")

    def test_health_is_being_alive(self) -> None:
        (health,) = instructions("HEALTHCHECK")
        assert "http://127.0.0.1:8000/livez" in health
        compile(yaml.safe_load(health.partition("CMD ")[2])[2], "HEALTHCHECK", "exec")

    def test_web_is_started_as_in_a_checkout(self) -> None:
        with processes.listen("127.0.0.1", 0) as listener:
            local = stack._uvicorn(listener.fileno())
        program, application, _, _, *options = local
        shipped = command("web")
        assert shipped[:2] == [program, application]
        assert shipped[-len(options) :] == options


class TestServices:
    def test_everybody_waits_for_the_one_migration(self) -> None:
        assert SERVICES["migrate"]["restart"] == "no"
        for name in OURS - {"migrate"}:
            waits = SERVICES[name]["depends_on"]
            assert waits["migrate"]["condition"] == "service_completed_successfully", name
            assert waits["valkey"]["condition"] == "service_healthy", name
        for server in ("postgres", "valkey"):
            assert SERVICES["migrate"]["depends_on"][server]["condition"] == "service_healthy"
            assert SERVICES[server]["healthcheck"]["test"]

    def test_roots_are_read_only_and_what_is_written_lies_on_volumes(self) -> None:
        for name in OURS:
            assert SERVICES[name]["read_only"] is True
            assert SERVICES[name]["tmpfs"] == ["/tmp"]
        (line,) = re.findall(r"install -d -o fortunes (.*)", STAGES[-1])
        folders = line.split()
        for name, folder in (("beat", folders[0]), ("worker", folders[1])):
            assert any(volume.endswith(f":{folder}") for volume in SERVICES[name]["volumes"]), name
        assert f"{folders[0]}/schedule" in command("beat")
        assert SERVICES["worker"]["environment"]["AUDIT_HEADS_FILE"].startswith(folders[1])
        named = {volume.partition(":")[0] for name in SERVICES for volume in SERVICES[name].get("volumes", ())}
        assert {volume for volume in named if not volume.startswith(".")} == set(COMPOSE["volumes"])

    def test_only_workers_have_all_keys(self) -> None:
        for name in OURS:
            (secret,) = SERVICES[name]["secrets"]
            assert secret["source"] == ("web" if name in ("web", "staff") else "all"), name
            assert SERVICES[name]["environment"]["FORTUNES_SECRETS"] == f"/run/secrets/{secret['target']}"

    def test_the_admin_is_on_a_host_of_its_own(self) -> None:
        assert SERVICES["staff"]["environment"]["ADMIN_ENABLED"] == 1
        for name in OURS - {"staff"}:
            assert "ADMIN_ENABLED" not in SERVICES[name]["environment"]
        published = [port for name in SERVICES for port in SERVICES[name].get("ports", ())]
        assert all(":-127.0.0.1:" in port for port in published)
        assert not {"postgres", "valkey"} & {name for name in SERVICES if SERVICES[name].get("ports")}

    def test_passwords_have_no_default(self) -> None:
        text = (ROOT / "compose.yaml").read_text()
        for name in ("POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD", "REDIS_PASSWORD"):
            uses = re.findall(rf"\$\{{{name}(.*?)\}}", text)
            assert uses and set(uses) == {":?"}

    @pytest.mark.parametrize("service", ["worker", "beat"])
    def test_celery_knows_its_options(self, service: str) -> None:
        """The command is asked for its help, with all that we say before."""
        program, *words = command(service)
        python = [sys.executable, "-m", program, *words, "--help"]
        done = subprocess.run(python, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_migration_runs_commands_that_exist(self) -> None:
        from django.core.management import get_commands

        script = command("migrate")[-1]
        assert set(re.findall(r"manage\.py (\w+)", script)) <= set(get_commands())
        assert "DATABASE_URL=$$DATABASE_OWNER_URL python manage.py migrate" in script


class TestVariables:
    """Whatever the settings read can be said in production, and is explained."""

    READ = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', (ROOT / "config" / "settings.py").read_text()))
    EXPLAINED = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))

    def test_all_are_explained(self) -> None:
        assert set() == self.READ - self.EXPLAINED - NOT_FOR_PRODUCTION

    def test_services_get_the_rest_from_a_file(self) -> None:
        for name in OURS:
            assert SERVICES[name]["env_file"] == [{"path": "settings.env", "required": False}]

    def test_none_is_misspelt(self) -> None:
        """What compose.yaml says is read by the settings, by a command or by what starts the web."""
        others = {"WEB_PROCESSES", "FORWARDED_ALLOW_IPS", "DATABASE_ADMIN_URL", "DATABASE_OWNER_URL"}
        for name in OURS:
            assert set(SERVICES[name]["environment"]) - self.READ <= others, name
