"""A browser window under test: it notes every complaint, and can be asked about its accessibility."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

# no background requests of the browser's own: they would fail on a machine without a network, many at a time
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NARROW: dict[str, Any] = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Window:
    """A page with what it complained of: errors, refused resources, broken policies."""

    page: Page
    context: BrowserContext
    axe: str
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def forgive(self, *parts: str) -> None:
        """Drop the complaints that a test provoked on purpose: those that hold one of these parts."""
        self.complaints = [line for line in self.complaints if not any(part in line for part in parts)]

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and its own good practice, as `rule: element`."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(self.axe)
        found = self.page.evaluate("rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", RULES)
        return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]

    def text(self, selector: str) -> str:
        """The text of an element, once it is there."""
        return self.page.locator(selector).first.inner_text()


def open_window(browser: Browser, axe: str, **options: Any) -> Window:
    """A window of its own, with nothing in its storage; desktop size unless told."""
    context = browser.new_context(**{**DESKTOP, **options}, bypass_csp=False)
    context.set_default_timeout(30_000)
    window = Window(context.new_page(), context, axe)
    context.on("page", lambda page: watch(window, page))
    watch(window, window.page)
    return window


def watch(window: Window, page: Page) -> None:
    """Note what a page complains of."""

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            window.complaints.append(f"{message.type}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: window.complaints.append(f"uncaught: {error}"))
    page.on("request", lambda request: window.requests.append(request))
