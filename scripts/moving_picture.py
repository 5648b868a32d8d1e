"""Makes docs/figures/first-minute.webp, the moving picture of the README, from a real run.

Labels of handwritten digits (0.5 % of them wrong on purpose) are certified: this script answers in the real page, at
the size of a phone, by the known truth. Then the images are released and verified, one is exchanged, and the release is
verified again. What the chart shows is computed from the answers in the release; the terminal's lines are what the
commands printed, shortened.

    python scripts/moving_picture.py        # needs Chromium; a minute or two
"""

import argparse
import base64
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from textwrap import wrap

import pyarrow.parquet as pq
from PIL import Image
from playwright.sync_api import Browser, Error, Page, TimeoutError, sync_playwright  # noqa: A004 -- Playwright's own

from thresher.cli.demo import DIGITS_QUESTION, digits, planted_labels, truth_of
from thresher.evidence.martingale import Prior, most
from thresher.workforce.album import Album

ROOT = Path(__file__).resolve().parents[1]
FIGURE = ROOT / "docs" / "figures" / "first-minute.webp"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BUTTONS = ("Open", "Continue", "Start", "Send", "See the next task", "Back to your page")
PHONE = {"width": 390, "height": 780}
PICTURE = {"width": 900, "height": 500}
SEED = 11
PRECISION, RECALL = 0.95, 0.90
SHOWN_SINGLY = 9  # answers with a frame of their own
KEPT_EVERY = 7  # of the later answers, one in so many is photographed
SWEEP = 18  # frames in which the chart goes on to its end
MOST_BYTES = 700_000


@dataclass
class Run:
    """What the run left: screens of the phone by the number of answers, the two curves, and the terminal's lines."""

    screens: dict[int, bytes] = field(default_factory=dict)
    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    verdict: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)


def main() -> None:
    """Make the figure."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--to", type=Path, default=FIGURE)
    to = options.parse_args().to
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        sys.exit("No Chromium on this machine. Next: apt-get install chromium")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        run = recorded(Path(place), browser)
        frames = list(drawn(run, browser))
        browser.close()
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in frames]
    times = [milliseconds for _, milliseconds in frames]
    pictures[0].save(to, save_all=True, append_images=pictures[1:], duration=times, loop=0, quality=62, method=6)
    print(f"{to}: {len(frames)} frames, {sum(times) / 1000:.0f} s, {to.stat().st_size:,} bytes")
    if to.stat().st_size > MOST_BYTES:
        sys.exit(f"more than {MOST_BYTES:,} bytes")


# --- the run ----------------------------------------------------------------------------------------------------------


def recorded(place: Path, browser: Browser) -> Run:
    """Certify, release, verify, exchange one picture, verify again."""
    run = Run()
    truth = labelled(place)
    album = Album(list(truth), lambda name: (place / "digits" / name).read_bytes(), long_side=1024)
    wanted = ["--precision", str(PRECISION), "--recall", str(RECALL), "--question", DIGITS_QUESTION, "--no-open"]
    command = [sys.executable, "-m", "thresher", "certify", "labels.csv", "--images", "digits", *wanted]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as certify:
        assert certify.stdout
        link = next(line.split()[-1] for line in certify.stdout if line.startswith("Answer at "))
        answered(browser, link, lambda data: truth[album.names_of([data])[0]] == "yes", run, certify)
        run.verdict = next(line for line in certify.stdout if line.startswith(("yes:", "no:"))).strip()
    thresher(place, "release", "loop", "--to", "certified", "--workspace", "certify-labels")
    run.precision, run.recall = curves(place / "certified")
    first, last = (sorted((place / "certified" / "images").iterdir())[at] for at in (0, -1))
    run.lines.append(("$ thresher verify certified/", thresher(place, "verify", "certified")))
    first.write_bytes(last.read_bytes())
    run.lines.append((f"$ cp images/{last.name[:8]}... images/{first.name[:8]}...", ""))
    run.lines.append(("$ thresher verify certified/", thresher(place, "verify", "certified")))
    return run


def labelled(place: Path) -> dict[str, str]:
    """Write labels.csv, which calls some images loops that are none; returns the truth."""
    _, table = digits(place / "digits")
    truth = truth_of(table)
    claimed, _ = planted_labels(truth, SEED)
    lines = "".join(f"{name},loop\n" for name in claimed)
    (place / "labels.csv").write_text(f"file,label\n{lines}", "utf-8")
    return truth


def thresher(place: Path, *arguments: str) -> str:
    """The first line that a command prints."""
    command = [sys.executable, "-m", "thresher", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def answered(
    browser: Browser, link: str, is_yes: Callable[[bytes], bool], run: Run, certify: "subprocess.Popen[str]"
) -> None:
    """Answer in the page until the command has ended, and keep some of the screens."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=1)
    page = context.new_page()
    page.goto(link)
    given = 0
    while certify.poll() is None:
        stage = page.locator("main.stage")
        if stage.count() and page.locator("main.stage img.on").count():
            given = one_task(page, given, is_yes, run)
            continue
        for name in BUTTONS:
            button = page.get_by_role("button", name=re.compile(f"^{name}"))
            if button.count() and button.first.is_enabled():
                button.first.click()
                break
        else:
            page.wait_for_timeout(400)
            if "No tasks" in page.content():
                with suppress(Error):  # the server ends with the command
                    page.reload()
        page.wait_for_timeout(150)
    context.close()


def one_task(page: Page, given: int, is_yes: Callable[[bytes], bool], run: Run) -> int:
    """Answer each picture of a task; returns the number of answers so far."""
    position = int(page.locator("main.stage").get_attribute("data-shown") or 0)
    while page.locator("main.stage").count():
        image = page.locator(f'main.stage[data-shown="{position}"] img.on')
        try:
            image.wait_for(timeout=1_500)
        except TimeoutError:  # the review has come
            break
        data = page.evaluate(
            "async (src) => Array.from(new Uint8Array(await (await fetch(src)).arrayBuffer()))",
            image.get_attribute("src"),
        )
        if given < SHOWN_SINGLY or given % KEPT_EVERY == 0:
            run.screens[given] = page.screenshot(type="png")
        page.keyboard.press("ArrowRight" if is_yes(bytes(data)) else "ArrowLeft")
        given, position = given + 1, position + 1
    return given


def curves(release: Path) -> tuple[list[float], list[float]]:
    """What was proven after each answer: the least precision, then the least recall, from the evidence of a release."""
    frozen = json.loads((release / "audit-log.jsonl").read_text("utf-8").splitlines()[0])["frozen"]
    rung, claimed = frozen["ladder"][0], frozen["ladder"][0]["rank"]
    draws = pq.read_table(release / "evidence.parquet").to_pylist()
    found = []
    for kind, bad_word, size in (("accept", "no", claimed), ("reject", "yes", frozen["ranks"] - claimed)):
        drawn = sorted((one for one in draws if one[f"{kind}_draw"] is not None), key=lambda one: one[f"{kind}_draw"])
        prior = Prior(tuple(tuple(part) for part in frozen[f"{kind}_prior"]["parts"]))
        bad, bounds = 0, []
        for number, one in enumerate(drawn, 1):
            bad += one["first"] == bad_word
            bounds.append(most(size, number, bad, prior, rung[f"{kind}_delta"]))
        found.append(bounds)
    right = PRECISION * claimed  # the recall is proven for the fewest right labels that the precision allows
    return [1 - bound / claimed for bound in found[0]], [right / (right + bound) for bound in found[1]]


# --- the frames -------------------------------------------------------------------------------------------------------


def drawn(run: Run, browser: Browser) -> Iterator[tuple[bytes, int]]:
    """Each frame as PNG, with the milliseconds it stays."""
    page = browser.new_page(viewport=PICTURE)
    every = len(run.precision) + len(run.recall)
    steps = [
        *range(SHOWN_SINGLY),
        *(SHOWN_SINGLY + round((every - SHOWN_SINGLY) * at / SWEEP) for at in range(1, SWEEP)),
    ]
    for given in steps:
        yield framed(page, run, given, []), 420 if given < SHOWN_SINGLY else 160
    yield framed(page, run, every, []), 2_200
    told: list[str] = []
    for typed, printed in run.lines:
        told.append(typed)
        yield framed(page, run, every, told), 900
        if printed:
            told.append(printed)
            yield framed(page, run, every, told), 2_600
    yield framed(page, run, every, told), 1_800
    page.close()


def framed(page: Page, run: Run, given: int, told: Sequence[str]) -> bytes:
    """One frame: the phone, the chart after so many answers, and the terminal where it has something to tell."""
    shown = max((at for at in run.screens if at <= given), default=min(run.screens))
    screen = base64.b64encode(run.screens[shown]).decode()
    every = len(run.precision) + len(run.recall)
    verdict = run.verdict if given >= every else f"{given} answers"
    below = terminal(told) if told else ""
    page.set_content(PAGE.format(screen=screen, chart=chart(run, given), verdict=escape(verdict), below=below))
    return page.screenshot(type="png")


def chart(run: Run, given: int) -> str:
    """The least precision and recall that the answers prove, against the number of answers, with their targets."""
    wide, high, low = 576, 200, 0.5
    every = len(run.precision) + len(run.recall)

    def x(answers: float) -> float:
        return 46 + (wide - 176) * answers / every

    def y(share: float) -> float:
        return 12 + (high - 40) * (1 - (max(share, low) - low) / (1 - low))

    parts = []
    for name, values, start, target, colour in (
        ("precision", run.precision, 0, PRECISION, "#0b7285"),
        ("recall", run.recall, len(run.precision), RECALL, "#b7791f"),
    ):
        at = y(target) + (-2 if name == "precision" else 12)
        words = f"{name} ≥ {target:.0%}"
        parts.append(f'<path d="M46 {y(target):.1f}H{x(every):.1f}" stroke="{colour}" stroke-dasharray="5 5"/>')
        parts.append(f'<text x="{x(every) + 6:.1f}" y="{at:.1f}" style="fill: {colour}">{words}</text>')
        seen = values[: max(given - start, 0)]
        if seen:
            points = " ".join(f"{x(start + number):.1f},{y(value):.1f}" for number, value in enumerate(seen, 1))
            parts.append(f'<polyline points="{points}" stroke="{colour}" stroke-width="3"/>')
            parts.append(
                f'<circle cx="{x(start + len(seen)):.1f}" cy="{y(seen[-1]):.1f}" r="5" fill="{colour}" stroke="none"/>'
            )
    for share in (0.5, 0.75, 1.0):
        parts.append(f'<text x="38" y="{y(share) + 5:.1f}" text-anchor="end">{share:.0%}</text>')
        parts.append(f'<path d="M46 {y(share):.1f}H{x(every):.1f}" stroke="#dfdcd4"/>')
    parts.append(f'<text x="{x(every / 2):.1f}" y="{high - 4}" text-anchor="middle">answers</text>')
    parts.append(
        f'<text x="46" y="{high - 4}">0</text><text x="{x(every):.1f}" y="{high - 4}" text-anchor="end">{every}</text>'
    )
    return f'<svg width="{wide}" height="{high}" fill="none">{"".join(parts)}</svg>'


def terminal(told: Sequence[str]) -> str:
    """The lines of a terminal, the verdict of each in its colour."""
    rows = []
    for line in told:
        text = re.sub(r"([0-9a-f]{8})[0-9a-f]{56}", r"\1...", line)
        word, _, rest = text.partition(" ")
        kind = {"yes:": "yes", "no:": "no"}.get(word, "")
        if kind:
            cut = wrap(rest, 64)
            rest = " ".join(cut[:2]) + (" ..." if len(cut) > 2 else "")
            text = f'<b class="{kind}">{escape(word)}</b> {escape(rest)}'
        else:
            text = escape(text)
        rows.append(f"<p>{text}</p>")
    return f'<div class="terminal">{"".join(rows)}</div>'


PAGE = """<!doctype html><meta charset="utf-8"><style>
* {{ box-sizing: border-box; margin: 0 }}
body {{ background: #fbfaf7; color: #16202a; font: 15px/1.4 system-ui, "DejaVu Sans", sans-serif }}
body {{ width: 900px; height: 500px; overflow: hidden }}
.phone {{ position: absolute; left: 28px; top: 22px; width: 236px; height: 456px; padding: 7px }}
.phone {{ border-radius: 24px; background: #16202a }}
.phone img {{ width: 222px; height: 442px; border-radius: 18px; display: block; object-fit: cover }}
.right {{ position: absolute; left: 296px; top: 24px; width: 580px }}
h1 {{ font-size: 19px; font-weight: 600 }}
h2 {{ font-size: 17px; font-weight: 600; margin: 4px 0 0; font-variant-numeric: tabular-nums }}
p.how {{ color: #475569; margin: 2px 0 10px }}
svg text {{ font-size: 13px; fill: #475569; font-variant-numeric: tabular-nums }}
.terminal {{ margin-top: 8px; background: #12171c; color: #e8e6e1; border-radius: 8px; padding: 8px 12px }}
.terminal {{ font: 12.5px/1.42 "DejaVu Sans Mono", monospace }}
.terminal .yes {{ color: #3bc9db }} .terminal .no {{ color: #ff8f5c }}
</style>
<div class="phone"><img src="data:image/png;base64,{screen}"></div>
<div class="right"><h1>Are these labels right?</h1>
<p class="how">You answer images drawn at random. Each answer raises what is proven.</p>
{chart}<h2>{verdict}</h2>{below}</div>"""


if __name__ == "__main__":
    main()
