"""Installs pinned packages with uv, which takes a third of pip's time.

    python requirements/install.py ENVIRONMENT FILE…

uv reads none of pip's settings. So it is told what pip knows about where packages come from and which certificates to trust;
and where uv can't get the packages for all that, pip can.
"""

import ast
import os
import subprocess
import sys
import time

UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}


def pip_settings() -> dict[str, str]:
    """The settings of `pip install` from its files and from the environment, which goes first."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True, check=True)
    settings = {}
    for section in "global.", "install.", ":env:.":
        for line in listed.stdout.splitlines():
            if line.startswith(section):
                name, _, value = line.removeprefix(section).partition("=")
                settings[name] = ast.literal_eval(value)
    return settings


def uv_settings(settings: dict[str, str]) -> dict[str, str]:
    """The same as uv's environment variables."""
    # As pip does: the certificates of the system, and of all indexes the one that has the pinned release.
    found = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    for name, uv_name in UV_NAMES.items():
        if name in settings:
            found[uv_name] = ("," if name == "find-links" else " ").join(settings[name].split())
    return found


def main() -> None:
    environment, *files = sys.argv[1:]
    python = f"{environment}/bin/python"
    # The files name all that is needed, and not what unused.in leaves out.
    chosen = ["--quiet", "--require-hashes", "--no-deps", *(part for file in files for part in ("-r", file))]
    print(f"Installing {' and '.join(files)} into {environment}: a minute or less, longer if the network is slow.", flush=True)
    # Where a package has no wheel, the packages that build it are pinned in the same file.
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", python, "--build-constraints", files[-1], *chosen]
    started = time.monotonic()
    if subprocess.run(uv, env=uv_settings(pip_settings()) | os.environ).returncode:
        print("uv could not install them; now pip tries, which takes longer.", file=sys.stderr)
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", *chosen]
        if status := subprocess.run(pip).returncode:
            sys.exit(status)
    print(f"Installed in {time.monotonic() - started:.0f} seconds.", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(1)
