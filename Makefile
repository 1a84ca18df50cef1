# Targets, each one line of meaning. `make` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEV_STAMP := .venv/.installed-dev
TARGET ?= text
# What the image holds: every product's driver, nothing that only trains.
DRIVERS := --extra redis --extra kafka --extra mongodb --extra neo4j --extra mlflow --extra tracing
IMAGE_LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -c requirements-dev.lock \
	$(foreach package,scikit-learn scipy joblib narwhals,--no-emit-package $(package))

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(STAMP) ## install what is needed and start the hive
	$(BIN)/hive up

install: $(STAMP) ## create .venv with the pinned packages and the hive in it

test: $(DEV_STAMP) ## set up and run every check
	$(MAKE) --no-print-directory lint types layers
	$(BIN)/python -m pytest

lint: $(DEV_STAMP) ## style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP) ## strict types
	$(BIN)/mypy

layers: $(DEV_STAMP) ## imports point one way
	$(BIN)/lint-imports

format: $(DEV_STAMP) ## write the code in the house's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

models: $(DEV_STAMP) ## train the shipped models from the data in this repository
	$(BIN)/python -m neural_hive.learning.domain_model

quality: $(DEV_STAMP) ## measure how good the hive is, on texts that nothing is trained on; then `make docs`
	for name in judging routing understanding privacy names intents; do test ! -e benchmarks/$$name.py || $(BIN)/python benchmarks/$$name.py || exit 1; done

docs: $(DEV_STAMP) ## write the generated references
	$(BIN)/python -m docs.generate

servers: $(DEV_STAMP) ## install and start the real servers that the contract suites run on
	$(BIN)/python -m tests.servers start

lock: ## pin every package with its hashes
	$(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet 'uv>=0.8'
	.cache/lock/bin/uv pip compile pyproject.toml --extra speech --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock
	.cache/lock/bin/uv pip compile pyproject.toml --all-extras --group build --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-dev.lock
	echo 'hatchling>=1.27' | .cache/lock/bin/uv pip compile - $(IMAGE_LOCK) -o deploy/locks/build.lock
	.cache/lock/bin/uv pip compile pyproject.toml $(DRIVERS) $(IMAGE_LOCK) -o deploy/locks/text.lock
	.cache/lock/bin/uv pip compile pyproject.toml $(DRIVERS) --extra speech $(IMAGE_LOCK) -o deploy/locks/voice.lock

image: ## build the image with Docker: text, and voice with TARGET=voice
	docker build -f deploy/Dockerfile --target $(TARGET) -t neural-hive-mind:$(shell $(PYTHON) -c 'import re; print(re.search(r"__version__ = \"(.*)\"", open("src/neural_hive/__init__.py").read())[1])') .

sbom: ## list what is in the image (CycloneDX): dist/sbom.cdx.json
	docker build -f deploy/Dockerfile --target sbom --output dist .

manifests: $(DEV_STAMP) ## write the Helm chart and the PrometheusRule from what they follow from
	$(BIN)/python -m deploy.generate

deploy-tools: $(DEV_STAMP) ## fetch what the tests of deploy/ use
	$(BIN)/python -m tests.deploy install

clean: ## remove what the targets made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; call make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

.PHONY: help run install test lint types layers format models quality docs servers lock image sbom manifests deploy-tools clean
