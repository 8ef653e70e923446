"""The command line: each command opens, calls one method, and prints."""

from __future__ import annotations

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kubepostmortem import output
from kubepostmortem.assets import bundled
from kubepostmortem.errors import KubepostmortemError, PartialData, UsageError
from kubepostmortem.incident import Window, utc
from kubepostmortem.ingest import Outcome
from kubepostmortem.ingest import ingest as ingest_files
from kubepostmortem.progress import progress
from kubepostmortem.sources.files import discover
from kubepostmortem.store import Store
from kubepostmortem.windows import forget_windows, set_window

app = typer.Typer(
    name="kubepostmortem",
    help="Postmortems of Kubernetes API server overloads, from audit logs, metrics and deploys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Format = StrEnum("Format", ["table", "json", "jsonl", "csv", "md"])
Database = Annotated[
    Path, typer.Option("--database", "-d", help="Incident database, a DuckDB file.")
]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the rows.")]
DEFAULT_DATABASE = Path("incident.duckdb")


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
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to read.")],
    database: Database = DEFAULT_DATABASE,
    cluster: Annotated[str, typer.Option(help="Name of the cluster.")] = "cluster",
    taken_at: Annotated[
        str | None, typer.Option(help="When evidence without times of its own was taken.")
    ] = None,
    strict: Annotated[
        bool, typer.Option(help="Exit with 4 where any record was rejected.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")] = False,
) -> None:
    """Read audit logs, metrics, deploys and objects into the incident database.

    Formats are recognised by content. Reading the same files again adds nothing.
    """
    moment = utc(taken_at) if taken_at else None
    files = discover(paths)  # a path that is not there should leave no database behind
    with Store.create(database) as store, progress() as show:
        outcomes = ingest_files(store, files, cluster, taken_at=moment, progress=show)
    if not quiet:
        _summarise(outcomes)
    rejected = sum(len(outcome.reading.rejections) for outcome in outcomes)
    if strict and rejected:
        raise PartialData(f"{rejected} records were rejected; see `kubepostmortem inspect`")


def _summarise(outcomes: list[Outcome]) -> None:
    """Say on standard error what became of the files; name those that need attention."""
    for outcome in outcomes:
        reading = outcome.reading
        notes = [f"{count:,} × {reason}" for reason, count in reading.rejected.items()]
        if reading.rejections:
            name = output.plain(outcome.path)
            typer.echo(f"{name}: rejected {', '.join(notes)}", err=True)
    total = {
        "loaded": sum(outcome.reading.loaded for outcome in outcomes),
        "duplicates": sum(outcome.reading.duplicates for outcome in outcomes),
        "filtered": sum(outcome.reading.filtered for outcome in outcomes),
        "rejected": sum(len(outcome.reading.rejections) for outcome in outcomes),
        "files read before": sum(outcome.skipped for outcome in outcomes),
    }
    counts = ", ".join(f"{count:,} {name}" for name, count in total.items() if count)
    typer.echo(f"{len(outcomes)} files: {counts or 'nothing in them'}", err=True)


@app.command()
def inspect(database: Database = DEFAULT_DATABASE, output_format: Output = Format.table) -> None:
    """Show the evidence ledger: what became of every record of every file."""
    from kubepostmortem.postmortem import Postmortem

    ledger = Postmortem.open(database).ledger()
    if output_format is Format.json:
        output.print_json({"files": output.ledger_files(ledger)})
    else:
        output.emit(ledger, output_format)


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
        with Store.create(_existing(database)) as store:
            name = _only_cluster(store, cluster)
            if auto:
                forget_windows(store, name)
            for which, span in wanted.items():
                set_window(store, name, which, span)
    with Store.open(database) as store:
        output.emit(store.frame("from incident order by cluster, begins_at"), output_format)


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
    signal.signal(signal.SIGINT, _interrupted)
    try:
        app()
    except KubepostmortemError as failure:
        typer.echo(f"kubepostmortem: {output.plain(failure)}", err=True)
        sys.exit(failure.exit_code)


def _interrupted(*_: object) -> None:
    """End as an interrupted program does, which shells report as 130; the database survives it."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")  # the progress bar hides the cursor
        sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
