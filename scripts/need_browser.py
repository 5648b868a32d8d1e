"""Install Debian's Chromium for the browser tests where that is possible; elsewhere say that they will be skipped."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Leave a browser behind, or a sentence; under CI the lack of one is an error."""
    if any(map(shutil.which, NAMES)):
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        print("installing Debian's chromium for the browser tests", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run([apt, "update", "-q"], check=False, **quiet)
        installed = subprocess.run([apt, "install", "-y", "-q", "chromium"], check=False, **quiet)
        if installed.returncode == 0:
            return
    print(
        "No Chromium here and it could not be installed: the browser tests are skipped. Next: apt-get install chromium"
    )
    if os.environ.get("CI"):
        sys.exit(1)


main()
