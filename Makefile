# Everything a person does with this project. `make run` and `make test` set up what they need.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STATIC_ROOT ?= build/static
TEST_PROCESSES ?= 5
LOCKS := pyproject.toml constraints.txt package.json package-lock.json .npmrc
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Images for containers set it. Each of the thousand processes of a test run would then compile what it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run setup test lint bench messages constraints doctor remove-demo openapi clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: setup ## Run the whole portal and print its address (NO_DEMO=1, HOST, PORT, DATA_DIR).
	@exec $(BIN)/python manage.py run_portal

setup: $(VENV)/.ready $(STATIC_ROOT)/staticfiles.json ## Install what running needs into .venv, and build static files and translations.
	@$(BIN)/python -m portal.compile_messages
	@$(BIN)/python -m compileall -q portal models_hub forum leaderboard worker  # sandboxes may not write beside the engine

# A file at a time to each process: what its tests share, such as a live portal, is started once. Files come in our
# order, the slow ones first. Live tests mostly wait, so that there are more processes than cores; one computes meanwhile.
test: $(VENV)/.ready-dev setup ## Run the tests (T="tests/portal -k token" for some of them, TEST_PROCESSES=1 for one after another).
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(T)

lint: $(VENV)/.ready-dev ## Check style, types and the layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready-dev setup ## Measure speed and memory; prints ratios against a baseline of the same run.
	$(BIN)/python -m benchmarks

doctor: $(VENV)/.ready ## Check this installation and say how to mend it.
	@$(BIN)/python manage.py doctor

remove-demo: $(VENV)/.ready ## Take the demo content away.
	@$(BIN)/python manage.py remove_demo

messages: $(VENV)/.ready-dev ## Collect the texts to translate into locale/ (needs GNU gettext).
	$(BIN)/python manage.py makemessages --locale zh_Hans --no-location --no-obsolete --ignore 'node_modules/*' --ignore '.venv/*' --ignore 'tests/*' --ignore 'build/*'

openapi: $(VENV)/.ready ## Write docs/openapi.yaml, the description of the REST API.
	@$(BIN)/python manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

constraints: $(VENV)/.ready-dev ## Write the installed versions to constraints.txt after an upgrade.
	$(BIN)/pip freeze --exclude small-models-portal | sed 's/+cpu//' > constraints.txt

clean: ## Remove the environment and everything built; keeps data/.
	rm -rf $(VENV) node_modules build

$(VENV)/.ready: $(LOCKS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'Installing Python packages into $(VENV) (a minute or more) …'
	@$(BIN)/pip install --quiet --constraint constraints.txt '.[worker]'
	@echo 'Installing packages for the pages …'
	@$(BIN)/python -m portal.install_packages $(if $(wildcard $(VENV)/.ready-dev),--dev)  # npm takes away what it is not told of
	@touch $@

# Compressing takes ten seconds, so only when a file has changed.
$(STATIC_ROOT)/staticfiles.json: $(VENV)/.ready $(shell find static -type f) portal/npm_finder.py portal/static_storage.py
	@echo 'Compressing static files …'
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/pip install --quiet --constraint constraints.txt '.[worker,dev]'
	$(BIN)/python -m portal.install_packages --dev
	@touch $@
