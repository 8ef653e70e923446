"""Rendering: parameters, the kernel, failures, and the notebook that comes with the tool."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest

from kubepostmortem.errors import UsageError
from kubepostmortem.report import postmortem_page
from kubepostmortem.report.page import Report
from kubepostmortem.report.render import NotebookFailed, notebook_path, render


def test_the_same_evidence_gives_the_same_bytes(open_page: Path, only_deploys: Path) -> None:
    again = postmortem_page(only_deploys, open_page.with_name("again.html"), title="Open")
    assert again.read_bytes() == open_page.read_bytes()


def test_a_date_is_printed_only_where_one_is_given(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    text = render(notebook, {}, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "on 1970-01-02" in text


def test_an_unknown_parameter_is_refused(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no parameter titel; it has: name"):
        render(notebook, {"titel": "x"}, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_parameters_reach_the_notebook(notebook: Path, tmp_path: Path) -> None:
    text = render(notebook, {"name": "<i>'\"\\"}, tmp_path / "page.html").read_text()
    assert "hello &lt;i&gt;&#39;&#34;\\" in text


def test_the_kernel_is_this_interpreter(notebook: Path, tmp_path: Path) -> None:
    assert sys.executable in render(notebook, {}, tmp_path / "page.html").read_text()


def test_a_failed_cell_leaves_the_notebook_and_raises(failing: Path, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    with pytest.raises(NotebookFailed, match=r"ZeroDivisionError.*page\.ipynb"):
        render(failing, {}, page)
    executed = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert [output.output_type for output in outputs] == ["stream", "error"]
    assert not page.exists()


# The notebook


def test_the_notebook_holds_no_outputs_and_no_logic() -> None:
    notebook = nbformat.read(notebook_path("postmortem"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.language == "python"
    assert notebook.metadata.language_info.name == "python"
    parameters = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    asks = [cell.source for cell in code[2:]]
    assert all(re.fullmatch(r"report\.\w+\(.*\)", source) for source in asks)


def test_live_sections_need_no_script(overloaded: Path) -> None:
    report = Report(overloaded)
    for section in (report.summary(), report.timeline(), report.load(), report.ask("who-grew")):
        assert "<script" not in section._repr_html_()
        assert "text/html" not in section._repr_mimebundle_()
    assert 'src="data:image/svg+xml;base64,' in report.timeline()._repr_html_()


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    hello = "import sys\nprint('hello', name, sys.executable)"
    return _notebook(tmp_path / "hello.ipynb", ["name = 'you'", hello])


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    return _notebook(tmp_path / "failing.ipynb", ["name = ''", "print(1)", "1 / 0", "print(2)"])


def _notebook(path: Path, sources: list[str]) -> Path:
    made = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"},
            "language_info": {"name": "python"},
        }
    )
    made.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    made.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(made, path)
    return path
