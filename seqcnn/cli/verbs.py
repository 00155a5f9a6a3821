"""The verbs of the shell, each a thin face of one function in workflow/."""

import gc
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqcnn.cli.shell import Shell, verb
from seqcnn.options import (
    CheckOptions,
    DataOptions,
    DemoOptions,
    ExplainOptions,
    MotifOptions,
    ScoreOptions,
    SitesOptions,
    TrainOptions,
    VariantsOptions,
)

if TYPE_CHECKING:
    from seqcnn.data.dataset import Dataset
    from seqcnn.model.model import Model

app = typer.Typer(
    name="seqcnn",
    help="Train convolutional networks on sequences and pictures; get scores, motifs and a report out.",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Data = Annotated[list[str], typer.Argument(metavar="DATA", help="FASTA files, a table, or a folder of pictures")]
Sequences = Annotated[
    list[str], typer.Argument(metavar="INPUT", help="FASTA, FASTQ, GenBank, or BED and GFF with --genome; - is stdin")
]
Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT", help="FASTA, BED with --genome, a table, pictures; - is stdin")
]
Table = Annotated[
    str, typer.Option("-o", "--out", metavar="FILE", help="file to write (default: stdout)", show_default=False)
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="TEXT", help="auto, cpu, cuda or a GPU's number (default: auto)", show_default=False
    ),
]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="a model file that 'seqcnn train' wrote")]


@app.callback(invoke_without_command=True)
def seqcnn(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Train convolutional networks on sequences and pictures; get scores, motifs and a report out."""
    if version:
        from seqcnn import __version__

        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


def read_for(model: "Model", data: list[str], shell: Shell) -> "Dataset":
    """Read data the way a trained model was taught, and say what was inferred."""
    from seqcnn.workflow.read import read

    records = read(data, shell.options(DataOptions), like=model)
    shell.note(*records.summary.notes)
    return records


def held_out(values: tuple[str, ...], records: "Dataset", shell: Shell) -> "Dataset | None":
    """Return the records that --valid or --test names as files; None where it gives a fraction, or nothing."""
    from seqcnn.workflow.read import read

    if not values or (len(values) == 1 and is_number(values[0])):
        return None
    part = read(values, shell.options(DataOptions), like=records)
    shell.note(*part.summary.notes)
    return part


def is_number(text: str) -> bool:
    """Return whether a word reads as a number.

    >>> is_number("0.1"), is_number("valid.fa")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def resolved_training(model: "Model", records: "Dataset") -> dict[str, Any]:
    """Return the options of training that were told from the data, so that --config trains the same model again."""
    record = model.record
    found = {name: record.options.get(name) for name in ("network", "epochs", "batch_size", "lr")}
    found |= {name: choice["chosen"] for name, choice in record.choices.items() if name != "mirror"}
    found["augment"] = tuple(record.options.get("augment", ())) or ("none",)
    found |= {"task": records.task, "alphabet": None if records.alphabet is None else records.alphabet.name}
    return {name: value for name, value in found.items() if value not in (None, "fixed")}


@verb(app, DataOptions, TrainOptions)
def train(
    data: Data,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="MODEL", help="model file to write")],
    shell: Shell,
) -> None:
    """Learn a model; print its figures beside the baselines'."""
    from seqcnn.cli.tables import figures_table
    from seqcnn.io.writing import check_writable
    from seqcnn.workflow.read import read
    from seqcnn.workflow.train import train

    check_writable(out)
    options = shell.options(TrainOptions)
    records = read(data, shell.options(DataOptions), split=options.split)
    shell.note(*records.summary.notes)
    valid, test = (held_out(values, records, shell) for values in (options.valid, options.test))
    model = train(records, options, valid=valid, test=test, progress=shell.progress, command=shell.command)
    shell.note(*model.record.notes)
    model.save(out)
    shell.record(out, resolved_training(model, records))
    for figures in (model.record.figures, model.record.out_of_fold):
        if figures is not None:
            print(figures_table(figures))
    if options.predictions is not None and model.record.oof is not None:
        shell.record(options.predictions, resolved_training(model, records))
    same = shlex.join([str(out), *data, *shell.words(DataOptions)])
    shell.note(f"wrote {out}" + ("" if "-" in data else f"; next: seqcnn report {same} -o report.html"))


@verb(app, DataOptions)
def evaluate(
    model: ModelFile,
    data: Data,
    shell: Shell,
    *,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write the figures as JSON; - is stdout")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", metavar="FILE", help="write id, truth and score of each record")
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option("--coverage", metavar="X", help="of the sets or intervals that are counted (default: 0.9)"),
    ] = None,
    device: Device = "auto",
) -> None:
    """Print figures with 95% intervals on unseen records."""
    from seqcnn.cli.tables import figures_table
    from seqcnn.io.jsons import write_json
    from seqcnn.io.writing import check_writable
    from seqcnn.model.file import load
    from seqcnn.workflow.evaluate import evaluate, write_predictions

    outputs = [Path(path) for path in (json_file, predictions) if path is not None and str(path) != "-"]
    for path in outputs:
        check_writable(path)
    trained = load(model)
    records = read_for(trained, data, shell)
    evaluation = evaluate(trained, records, coverage=coverage, seed=shell.options(DataOptions).seed, device=device)
    if json_file is not None:
        write_json(evaluation.to_dict(), json_file)
    if predictions is not None:
        write_predictions(evaluation, predictions)
    for path in outputs:
        shell.record(path)
    if json_file != "-":
        print(figures_table(evaluation.to_dict()))


@verb(app, ScoreOptions)
def score(model: ModelFile, inputs: Inputs, shell: Shell, out: Table = "-") -> None:
    """Predict, streaming: a row a record, or a row a window."""
    from seqcnn.io.writing import check_writable
    from seqcnn.model.file import load
    from seqcnn.workflow.score import score

    if out != "-":
        check_writable(out)
    scored = score(load(model), inputs, shell.options(ScoreOptions), output=out)
    shell.note(*scored.notes)
    if out != "-":
        shell.record(Path(out))


@verb(app, ExplainOptions)
def explain(model: ModelFile, inputs: Sequences, shell: Shell, out: Table = "-") -> None:
    """Say what each letter does for the prediction of its record."""
    from seqcnn.io.writing import check_writable
    from seqcnn.model.file import load
    from seqcnn.workflow.explain import explain

    if out != "-":
        check_writable(out)
    explained = explain(load(model), inputs, shell.options(ExplainOptions), output=out)
    shell.note(*explained.notes)
    if out != "-":
        shell.record(Path(out))


@verb(app, DataOptions, MotifOptions)
def motifs(
    model: ModelFile,
    data: Data,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="folder to write into")],
    shell: Shell,
) -> None:
    """Write the motifs learned, with sites, matches and logos."""
    from seqcnn.io.writing import check_writable
    from seqcnn.model.file import load
    from seqcnn.workflow.motifs import motifs

    check_writable(out, folder=True)
    trained = load(model)
    records = read_for(trained, data, shell)
    found = motifs(trained, records, out, options=shell.options(MotifOptions))
    shell.note(*found.notes)
    shell.record(out)


@verb(app, DataOptions, MotifOptions)
def report(
    model: ModelFile,
    data: Data,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="HTML file to write")],
    shell: Shell,
) -> None:
    """Write one self-contained HTML file for a colleague."""
    from seqcnn.io.writing import check_writable
    from seqcnn.model.file import load
    from seqcnn.workflow.report import report

    check_writable(out)
    trained = load(model)
    records = read_for(trained, data, shell)
    report(trained, records, out, options=shell.options(MotifOptions), command=shell.command)
    shell.record(out)


@verb(app, SitesOptions)
def sites(
    motifs: Annotated[Path, typer.Argument(metavar="MOTIFS", help="a MEME file")],
    inputs: Sequences,
    shell: Shell,
    out: Table = "-",
) -> None:
    """Find where motifs occur, with p- and q-values."""
    from seqcnn.io.writing import check_writable
    from seqcnn.workflow.sites import sites

    if out != "-":
        check_writable(out)
    located = sites(motifs, inputs, shell.options(SitesOptions), output=out)
    shell.note(*located.notes)
    if out != "-":
        shell.record(Path(out))


@verb(app, VariantsOptions)
def variants(
    model: ModelFile,
    vcf: Annotated[Path, typer.Argument(metavar="VCF", help="VCF, .vcf.gz or BCF; - is stdin")],
    shell: Shell,
    out: Annotated[
        str,
        typer.Option("-o", "--out", metavar="FILE", help=".vcf, .vcf.gz, .bcf or .tsv; - is a table on stdout"),
    ] = "-",
) -> None:
    """Predict the effect of each variant of a VCF."""
    from seqcnn.model.file import load
    from seqcnn.workflow.variants import variants

    options, trained = shell.options(VariantsOptions), load(model)
    gc.freeze()  # what stays to the end need not be looked through for garbage as records come and go
    scored = variants(trained, vcf, options, output=out, command=shell.command)
    shell.note(*scored.notes)
    for path in (None if out == "-" else Path(out), options.report):
        if path is not None:
            shell.record(path)


@verb(app, DataOptions, CheckOptions)
def check(
    data: Data,
    shell: Shell,
    *,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write the findings as JSON; - is stdout")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="write the findings as one HTML file")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="exit with 1 where there is any problem or warning")] = False,
) -> int:
    """Say what is wrong with data, before any training."""
    from seqcnn.io.jsons import write_json
    from seqcnn.io.writing import check_writable
    from seqcnn.workflow.check import check, read_to_check, write_html

    outputs = [Path(path) for path in (json_file, html) if path is not None and str(path) != "-"]
    for path in outputs:
        check_writable(path)
    options, reading = shell.options(CheckOptions), shell.options(DataOptions)
    records, before = read_to_check(data, reading, split=options.split)
    valid, test = (
        None if records is None else held_out(values, records, shell) for values in (options.valid, options.test)
    )
    checked = check(records, options, valid=valid, test=test, before=before, seed=reading.seed)
    if json_file is not None:
        write_json(checked.to_dict(), json_file)
    if html is not None:
        write_html(checked, records, html, command=shell.command)
    for path in outputs:
        shell.record(path)
    if json_file != "-":
        print(checked.text())
    return int(strict and not checked.clean)


@verb(app)
def export(
    model: ModelFile,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="file to write: .onnx or .pt2")],
    shell: Shell,
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            metavar="probability|logit",
            help="calibrated probability or numbers, or logit (default: probability)",
            show_default=False,
        ),
    ] = "probability",
) -> None:
    """Write the model as ONNX or torch.export, for other programs."""
    from seqcnn.io.writing import check_writable
    from seqcnn.model.file import load
    from seqcnn.workflow.export import export

    check_writable(out)
    shell.note(*export(load(model), out, output=output).notes)
    shell.record(out)


@verb(app)
def networks(
    shell: Shell,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="one architecture, with its options")] = None,
) -> None:
    """List the architectures: shapes, size, shortest input."""
    from seqcnn.workflow.networks import networks

    print(networks(name))


@verb(app, DemoOptions)
def demo(
    shell: Shell,
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", metavar="DIR", help="folder to write into (default: seqcnn-demo)", show_default=False
        ),
    ] = Path("seqcnn-demo"),
) -> None:
    """Go the whole way on a generated example, in a minute."""
    from seqcnn.cli.tables import figures_table
    from seqcnn.io.writing import check_writable
    from seqcnn.workflow.demo import demo

    options = shell.options(DemoOptions)
    check_writable(out, folder=True).mkdir(exist_ok=True)
    verdict = demo(out, options, say=shell.note, progress=shell.progress)
    shell.record(out)
    print(figures_table(verdict.evaluation.to_dict()))
    for sentence in verdict.sentences():
        print(sentence)
    print(f"The report is {out / 'report.html'}: open it in a browser. With your own data:")
    print("  seqcnn train positives.fa negatives.fa -o model.safetensors      (without negatives: shuffles are made)")
    print("  seqcnn report model.safetensors positives.fa negatives.fa -o report.html")
    print("  seqcnn score model.safetensors anything.fa.gz > scores.tsv")
