"""A real browser for tests: headless Chromium, driven over its own debugging pipe, nothing else.

The pipe (``--remote-debugging-pipe``) speaks JSON messages that end in a zero byte; see the Chrome
DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

import pytest

__all__ = ["Browser", "Tab", "find_browser"]

#: Set to 1 where a missing browser is a failure, not a reason to skip.
REQUIRED = "DAYBREAK_BROWSER_REQUIRED"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-dev-shm-usage", "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)  # fmt: skip
# gives the pipe's ends the numbers that Chromium expects
_LAUNCH = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"


def find_browser() -> str:
    """Return Chromium's path; skip the test, with the reason, where there is none."""
    wanted = os.environ.get("DAYBREAK_BROWSER")
    found = wanted or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is not None:
        return found
    reason = f"no browser: none of {', '.join(_NAMES)} is on PATH (Debian: apt install chromium)"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class Browser:
    """One Chromium with a profile of its own; a context manager."""

    def __enter__(self) -> Self:
        self._profile = tempfile.mkdtemp(prefix="daybreak-browser-")
        read_end, self._write = os.pipe()
        self._read, write_end = os.pipe()
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [
                sys.executable, "-c", _LAUNCH, str(read_end), str(write_end), find_browser(),
                *_FLAGS, *root, f"--user-data-dir={self._profile}", "about:blank",
            ],
            pass_fds=(read_end, write_end), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(read_end)
        os.close(write_end)
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}
        self._last = 0
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for end in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(end)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._last += 1
        number = self._last
        answers = self._answers[number] = queue.Queue()
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        try:
            answer = answers.get(timeout=120)
        except queue.Empty:
            raise TimeoutError(f"no answer to {method}") from None
        finally:
            del self._answers[number]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def open(
        self, file: Path, *, width: int = 1280, height: int = 900, dark: bool = False,
        mobile: bool = False, media: str = "", downloads: Path | None = None,
    ) -> Tab:  # fmt: skip
        """Open a file in a tab of so many CSS pixels; return when it is there."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self._tabs[session] = Tab(self, session, target)
        for domain in ("Page", "Network", "Runtime", "Log"):
            tab.call(f"{domain}.enable")
        tab.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=mobile,
            deviceScaleFactor=2 if mobile else 1,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        if downloads is not None:
            self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        began = time.monotonic()
        tab.call("Page.navigate", url=file.resolve().as_uri())
        if not tab.loaded.wait(120):
            raise TimeoutError(f"{file} does not get loaded")
        tab.call("Runtime.evaluate", expression="document.fonts.ready", awaitPromise=True)
        tab.seconds = time.monotonic() - began
        return tab

    def _listen(self) -> None:
        data = b""
        while True:
            try:
                part = os.read(self._read, 1 << 20)
            except OSError:
                return
            if not part:
                return
            *messages, data = (data + part).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    self._answers[message["id"]].put(message)
                elif message.get("sessionId") in self._tabs:
                    self._tabs[message["sessionId"]].heard(message["method"], message["params"])


class Tab:
    """A tab: what it said on the console, and what it asked the network for."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.loaded = threading.Event()
        self.seconds = 0.0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to this tab."""
        return self._browser.call(method, self._session, **parameters)

    def heard(self, event: str, told: dict[str, Any]) -> None:
        """Keep what the tab reports."""
        if event == "Runtime.consoleAPICalled":
            self.messages.append(str(told["args"]))
        elif event == "Runtime.exceptionThrown":
            self.messages.append(str(told["exceptionDetails"]))
        elif event == "Log.entryAdded":
            self.messages.append(str(told["entry"]))
        elif event == "Page.javascriptDialogOpening":
            self.messages.append(f"dialog: {told['message']}")
        elif event == "Network.requestWillBeSent":
            self.requests.append(str(told["request"]["url"]))
        elif event == "Page.loadEventFired":
            self.loaded.set()

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, as JSON has it."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def screenshot(self, *, full: bool = False) -> bytes:
        """Return a PNG of what is seen, or of the whole page."""
        found = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=full
        ) if not full else self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True,
            clip={**self._size(), "x": 0, "y": 0, "scale": 1},
        )  # fmt: skip
        return base64.b64decode(found["data"])

    def press(self, key: str) -> None:
        """Press a key, e.g. ``Tab``, ``Enter`` or a space."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key.strip() or "Space",
                windowsVirtualKeyCode=codes[key], **({"text": text} if text and kind == "keyDown" else {}),
            )  # fmt: skip

    def pdf(self) -> bytes:
        """Return the page as it would be printed."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def _size(self) -> dict[str, Any]:
        found = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"width": found["width"], "height": found["height"]}
