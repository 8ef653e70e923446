"""The command line: each command opens, calls one method, and prints."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kubepostmortem import flow_control_commands, output
from kubepostmortem.assets import bundled
from kubepostmortem.command_options import DEFAULT_DATABASE, Database
from kubepostmortem.errors import KubepostmortemError, PartialData, UsageError
from kubepostmortem.incident import Window, known_zone, utc
from kubepostmortem.ingest import Outcome
from kubepostmortem.ingest import ingest as ingest_files
from kubepostmortem.progress import progress
from kubepostmortem.redaction import Redaction, keys
from kubepostmortem.sources.fetching import Fetch
from kubepostmortem.sources.finding import listed
from kubepostmortem.sources.live_prometheus import plan
from kubepostmortem.sources.redacting import refuse_new_key
from kubepostmortem.sources.spool import EXPANSION, remove_spools
from kubepostmortem.store import Store
from kubepostmortem.windows import around_windows, forget_windows, set_windows

app = typer.Typer(
    name="kubepostmortem",
    help="Postmortems of Kubernetes API server overloads, from audit logs, metrics and deploys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Format = StrEnum("Format", ["table", "json", "jsonl", "csv", "md"])
Writing = StrEnum("Writing", ["text", "json", "md"])
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the rows.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"kubepostmortem {version('kubepostmortem')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Postmortems of Kubernetes API server overloads, from audit logs, metrics and deploys."""


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, archives, patterns, s3:// gs:// az:// https:// URLs; - is stdin.",
        ),
    ] = None,
    database: Database = DEFAULT_DATABASE,
    cluster: Annotated[str, typer.Option(help="Name of the cluster.")] = "cluster",
    taken_at: Annotated[
        str | None, typer.Option(help="When evidence without times of its own was taken.")
    ] = None,
    assume_tz: Annotated[
        str | None, typer.Option(help="Zone of times that show none, like Europe/Berlin.")
    ] = None,
    max_expansion: Annotated[
        int,
        typer.Option(help="Times its size that an input may unpack to, beyond 1 GiB.", min=1),
    ] = EXPANSION,
    prometheus: Annotated[
        list[str] | None,
        typer.Option(help="URL of a server to ask for metrics: Prometheus, Thanos, Mimir, ..."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Begin of these metrics; default: before the baseline.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="End of these metrics; default: after the overload.")
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(help="Selector of further metrics, like 'my_total{job=\"x\"}'."),
    ] = None,
    where: Annotated[
        str, typer.Option(help="Label matchers for the metrics we know, like 'cluster=\"prod\"'.")
    ] = "",
    redact: Annotated[
        bool, typer.Option("--redact", help="Store pseudonyms in place of names and addresses.")
    ] = False,
    strict: Annotated[
        bool, typer.Option(help="Exit with 4 where any record was rejected.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")] = False,
) -> None:
    """Read audit logs, metrics, deploys and objects into the incident database.

    Formats are recognised by content. Reading the same files again adds nothing.
    """
    moment = utc(taken_at) if taken_at else None
    zone = known_zone(assume_tz) if assume_tz else None
    _refuse_no_input(paths, prometheus, since or until or match or where)
    files = listed(paths or [])  # a path that is not there should leave no database behind
    fetches: list[Fetch] = []
    if prometheus:
        span = _asked_span(database, cluster, since, until)
        fetches = [f for url in prometheus for f in plan(url, span, match=match or (), where=where)]
    with Store.create(database) as store, progress() as show:
        outcomes = ingest_files(
            store,
            files,
            cluster,
            fetches=fetches,
            taken_at=moment,
            assume_tz=zone,
            redaction=_redaction(store) if redact else None,
            expansion=max_expansion,
            progress=show,
        )
    if not quiet:
        _summarise(outcomes)
    rejected = sum(sum(outcome.reading.rejected.values()) for outcome in outcomes)
    if strict and rejected:
        raise PartialData(f"{rejected} records were rejected; see `kubepostmortem inspect`")


def _refuse_no_input(
    paths: list[str] | None, servers: list[str] | None, about_servers: object
) -> None:
    if not paths and not servers:
        raise UsageError("nothing to read: name files, folders or URLs, or a server (--prometheus)")
    if about_servers and not servers:
        raise UsageError("--since, --until, --match and --where go with --prometheus only")


def _asked_span(database: Path, cluster: str, since: str | None, until: str | None) -> Window:
    """Return the time to ask servers about: as told, else around the windows of the database."""
    begin, end = utc(since) if since else None, utc(until) if until else None
    if not (begin and end) and database.exists():
        with Store.open(database) as store:
            around = around_windows(store, cluster)
        if around:
            begin, end = begin or around.begins_at, end or around.ends_at
    if not (begin and end):
        raise UsageError("say --since and --until, or ingest an audit log first: it has the time")
    return Window(begin, end)


def _redaction(store: Store) -> Redaction:
    """Redaction under the user's key; else under a new one, which is printed this once."""
    key = keys.chosen()
    if key is None:
        refuse_new_key(store)
        key = keys.random_key()
        typer.echo(f"redaction key: {key}", err=True)
        typer.echo(f"to add evidence later, keep it and set {keys.VARIABLE} to it", err=True)
    return Redaction.under(key)


def _summarise(outcomes: list[Outcome]) -> None:
    """Say on standard error what became of the files; name those that need attention."""
    for outcome in outcomes:
        reading = outcome.reading
        notes = [f"{count:,} × {reason}" for reason, count in reading.rejected.items()]
        if reading.rejected:
            name = output.line(outcome.path)
            hint = f" ({output.line(reading.notes)})" if reading.notes else ""
            typer.echo(f"{name}: rejected {', '.join(notes)}{hint}", err=True)
    total = {
        "loaded": sum(outcome.reading.loaded for outcome in outcomes),
        "duplicates": sum(outcome.reading.duplicates for outcome in outcomes),
        "filtered": sum(outcome.reading.filtered for outcome in outcomes),
        "rejected": sum(sum(outcome.reading.rejected.values()) for outcome in outcomes),
        "files read before": sum(outcome.skipped for outcome in outcomes),
    }
    counts = ", ".join(f"{count:,} {name}" for name, count in total.items() if count)
    typer.echo(f"{len(outcomes)} files: {counts or 'nothing in them'}", err=True)


@app.command()
def inspect(
    database: Database = DEFAULT_DATABASE,
    output_format: Output = Format.table,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="List the rejected records instead.")
    ] = False,
) -> None:
    """Show what became of every record of every file, and what the evidence cannot show."""
    from kubepostmortem.postmortem import Postmortem

    postmortem = Postmortem.open(database)
    if rejected:
        output.emit(postmortem.rejected(), output_format)
    else:
        output.print_evidence(
            postmortem.ledger(), postmortem.coverage(), postmortem.limits(), output_format
        )


@app.command()
def window(
    database: Database = DEFAULT_DATABASE,
    cluster: Annotated[str | None, typer.Option(help="Cluster; not needed for one.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Set the baseline: BEGIN/END, ISO times with zone.")
    ] = None,
    overload: Annotated[
        str | None, typer.Option(help="Set the overload: BEGIN/END, ISO times with zone.")
    ] = None,
    auto: Annotated[bool, typer.Option(help="Find both from the load again.")] = False,
    output_format: Output = Format.table,
) -> None:
    """Show the baseline and overload windows, or set them."""
    chosen = {"baseline": baseline, "overload": overload}
    wanted = {name: Window.parse(text) for name, text in chosen.items() if text}
    if wanted or auto:
        with Store.create(_existing(database)) as store, store.transaction():
            name = _only_cluster(store, cluster)
            if auto:
                forget_windows(store, name)
            _tell_moved(wanted, set_windows(store, name, wanted) if wanted else {})
    with Store.open(database) as store:
        output.emit(store.frame("from incident order by cluster, begins_at"), output_format)


def _tell_moved(wanted: Mapping[str, Window], became: Mapping[str, Window]) -> None:
    """Say on standard error which windows are not as they were typed."""
    for name, window in became.items():
        if window != wanted[name]:
            typer.echo(f"{name} is {window}: load is counted in whole intervals", err=True)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="Question id; see `questions`.")],
    database: Database = DEFAULT_DATABASE,
    output_format: Output = Format.table,
) -> None:
    """Answer one question from the evidence."""
    from kubepostmortem.postmortem import Postmortem

    output.print_answer(Postmortem.open(database).ask(question), output_format)


@app.command()
def questions(output_format: Output = Format.table) -> None:
    """List the questions of a postmortem."""
    import polars as pl

    from kubepostmortem.questions import QUESTIONS

    rows = [
        {"question": q.id, "text": q.text["en"], "needs": ", ".join(q.needs)} for q in QUESTIONS
    ]
    output.emit(pl.DataFrame(rows), output_format)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="A SELECT; - reads it from standard input.")],
    database: Database = DEFAULT_DATABASE,
    output_format: Output = Format.table,
) -> None:
    """Run SQL on the incident database: read-only, without other files or the network."""
    text = sys.stdin.read() if statement == "-" else statement
    with Store.open(database) as store:
        output.emit(store.frame(text), output_format)


@app.command()
def collect(
    platform: Annotated[
        str | None, typer.Argument(help="kubeadm, eks, gke, aks or openshift; default: all.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Begin, an hour before the trouble; default: 6 h before end.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End; default: now.")] = None,
    cluster: Annotated[str, typer.Option(help="Name of the cluster.")] = "cluster",
    question: Annotated[
        str | None, typer.Option(help="Only what one question needs: an id that a step names.")
    ] = None,
    output_format: Annotated[
        Writing, typer.Option("--output", "-o", help="A shell script, data or a guide.")
    ] = Writing.text,
) -> None:
    """Print the commands that gather the evidence, and which questions each serves.

    Nothing is run: read them, and run those that fit where the cluster is.
    """
    from kubepostmortem import collect as collecting

    steps = collecting.plan(platform, collecting.span(since, until), cluster, question)
    if output_format is Writing.json:
        output.print_json({"steps": steps, "ingest": collecting.ingest_command(cluster)})
    else:
        write = collecting.script if output_format is Writing.text else collecting.guide
        sys.stdout.write(write(steps, cluster))


app.command()(flow_control_commands.simulate)
app.command()(flow_control_commands.fence)


@app.command()
def report(
    database: Database = DEFAULT_DATABASE,
    out: Annotated[
        Path | None,
        typer.Option(help="Page to write; default: reports/<database>/postmortem.html."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
) -> None:
    """Render the postmortem as one self-contained HTML page, and print its path."""
    from kubepostmortem.report import postmortem_page

    page = out or Path("reports") / database.stem / "postmortem.html"
    parameters = {"title": title} if title else {}
    typer.echo(postmortem_page(database, page, **parameters))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/demo"),
) -> None:
    """Ingest a recorded incident that comes with the tool, and render its postmortem."""
    from kubepostmortem.report import postmortem_page

    sample = bundled("data/telemetry-rollout")
    database = out / "incident.duckdb"
    out.mkdir(parents=True, exist_ok=True)
    with Store.create(database) as store, progress() as show:
        outcomes = ingest_files(store, [sample], "telemetry-rollout", progress=show)
    _summarise(outcomes)
    title = "A telemetry rollout overloads the API server"
    typer.echo(postmortem_page(database, out / "postmortem.html", title=title))


def _existing(database: Path) -> Path:
    Store.open(database).close()
    return database


def _only_cluster(store: Store, cluster: str | None) -> str:
    known = [row["cluster"] for row in store.rows("from clusters order by cluster")]
    if cluster is None and len(known) == 1:
        return str(known[0])
    if cluster in known:
        return str(cluster)
    raise UsageError(f"say which cluster with --cluster: {', '.join(known) or 'there is none'}")


def main() -> None:
    """Run the command line; every failure has a message and an exit code of its own."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupted)
    try:
        app()
    except KubepostmortemError as failure:
        typer.echo(f"kubepostmortem: {output.plain(failure)}", err=True)
        sys.exit(failure.exit_code)


def _interrupted(number: int, _: object) -> None:
    """End as an interrupted program does: 130 or 143 to a shell. The database survives it."""
    remove_spools()
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")  # the progress bar hides the cursor
        sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
