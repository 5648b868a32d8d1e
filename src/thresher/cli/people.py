"""Commands that run a server or answer through one: serve, simulate; and `job`, which the server starts."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import interruptible, opened
from thresher.cli.options import JSON, CrowdOptions, Name, options
from thresher.cli.show import as_json, facts, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from thresher.records import Job
    from thresher.settings import Settings
    from thresher.store.contract import Store


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (serve, simulate):
        app.command()(command)
    app.command("job", hidden=True)(job)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    loop: Annotated[bool, typer.Option(help="Also run the loop of every category.")] = True,
    while_pid: Annotated[int, typer.Option(hidden=True, help="End when this process, which started it, ends.")] = 0,
) -> None:
    """Serve the web pages and the HTTP API, print the link to the console, and run the loop."""
    with opened(context, host=host, port=port) as (store, settings):

        def ready(url: str) -> None:
            from thresher.server.auth import console_link

            say(f"Console: {console_link((settings.public_url or url).rstrip('/'), store, settings)}")
            say("Ctrl-C stops the server" + (" and the loop." if loop else "."))

        serve_store(store, settings, ready=ready, loop=loop, parent=while_pid)


def serve_store(
    store: "Store", settings: "Settings", *, ready: "Callable[[str], None]", loop: bool = True, parent: int = 0
) -> None:
    """Serve a workspace until Ctrl-C, with the loop of every category beside it; `ready(url)` prints its links."""
    from thresher.cli.log import start_log
    from thresher.loop.jobs import Runs
    from thresher.loop.lease import runs
    from thresher.records import now_ms
    from thresher.server.app import serve as serve_app

    start_log()
    looping: Job | None = None
    our_loop: Runs | None = None

    def begun(url: str) -> None:
        nonlocal looping, our_loop
        ready(url)
        # only now: a server that finds its port taken has started nothing, and the link does not wait for the loop
        if loop:
            looping = _start_loop(store)
            our_loop = Runs(looping, store)

    def loop_runs(category: str) -> bool:
        # between its turns the loop holds no lease, and is at work all the same
        ours = our_loop is not None and our_loop(now_ms())
        return ours or runs(category, now_ms(), store=store)

    try:
        serve_app(store, settings, ready=begun, loop_runs=loop_runs, parent=parent)
    finally:
        if looping:
            store.jobs.cancel(looping.id)


def on_a_free_port(settings: "Settings") -> "Settings":
    """The settings, with any port if the usual one is taken, which is told: another workspace may be served there.

    Raises Busy if a port is taken that was chosen, or that a public address leads to; BadSetting as `listening`.
    """
    from thresher.errors import Busy
    from thresher.server.listening import listening

    try:
        listening(settings.host, settings.port).close()
    except Busy as error:
        chosen = settings.origins["port"]
        if chosen != "default" or settings.public_url:
            following = "with --port 0" if chosen == "flag" else "with THRESHER_PORT=0 in its environment"
            raise Busy(
                error.what, where=error.where, next=f"the same command {following}, or with another port"
            ) from error
        say(f"Port {settings.port} is taken by another program, so the links of this run have another port.")
        return settings.but(port=0)
    return settings


def _start_loop(store: "Store") -> "Job":
    from thresher.compute.process import this_process
    from thresher.loop.jobs import spawn

    log = Path(store.place) / "logs" / "loop.log" if "://" not in store.place else Path("thresher-loop.log")
    return spawn("loop", arguments={"while_process": this_process()}, store=store, log=log)


def job(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="The job's id.")],
) -> None:
    """Run a recorded job."""
    from thresher.cli.log import start_log
    from thresher.loop.jobs import work

    start_log(own_file=True)
    with opened(context) as (store, settings):
        work(job_id, store=store, settings=settings)


@options
def simulate(context: typer.Context, name: Name, crowd: CrowdOptions, *, json: JSON = False) -> None:
    """Let a simulated crowd answer through the real HTTP API until the loop ends."""
    from thresher.cli.crowd import simulate_with

    tell = partial(typer.echo, err=True) if json else say  # stdout is for the result alone
    with opened(context) as (store, settings), interruptible() as stop:
        found = simulate_with(name, crowd, store=store, settings=settings, stop=stop, tell=tell)
    if json:
        as_json({fact.strip(): value for fact, value in found.items()})
    else:
        facts("Simulated crowd", found)
