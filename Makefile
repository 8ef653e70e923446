# Every target sets up what it needs: uv (from the machine, else into .uv with pip) and the locked environment.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format docs bench mutations clean

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin/
STAMP := .venv/.locked

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

setup: $(STAMP)  ## create .venv with the locked packages

.uv/bin/uv:
	python3 -m venv .uv || { echo "python3 cannot create environments: install python3-venv, or uv" >&2; exit 1; }
	.uv/bin/pip install --quiet uv

$(STAMP): pyproject.toml uv.lock $(filter .uv/bin/uv,$(UV))
	$(UV) sync --locked --quiet
	@touch $@

demo: $(STAMP)  ## render the postmortem of the recorded sample incident
	$(RUN)kubepostmortem demo

test: $(STAMP)  ## run all tests
	$(RUN)pytest -n auto --dist loadfile

check: lint test  ## everything before a push

lint: $(STAMP)  ## style, types, layers, documentation
	$(RUN)ruff format --check .
	$(RUN)ruff check .
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)python docs/generate.py --check

format: $(STAMP)  ## format the code
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

docs: $(STAMP)  ## generate the pages that come from the code
	$(RUN)python docs/generate.py

bench: $(STAMP)  ## measure speed and memory; prints ratios
	$(RUN)python bench/ingest.py

mutations: $(STAMP)  ## break each rule of flow control: does a test tell?
	$(RUN)python bench/mutations.py

clean:  ## remove what was built
	rm -rf .venv .uv reports/*/ bench/work dist
