# The short list for people. Everything is honoured from the environment or from .env: `PORT=8100 make run`.
VENV ?= .venv
export VENV
SETUP = sh scripts/setup.sh
PYTHON_HERE = $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint format messages bench seed schema

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## virtualenv, pinned packages, compiled messages (run and test do it themselves)
	@$(SETUP) requirements.txt

setup-dev:
	@$(SETUP) requirements-dev.txt

run: setup ## the whole house in one process; PORT= and DATA_DIR= move it
	@$(PYTHON_HERE) scripts/run.py

test: setup-dev ## lint, types, checks, all tests on SQLite and on PostgreSQL + Redis; REQUIRE_ALL=1 lets nothing be skipped
	@$(PYTHON_HERE) scripts/test.py

lint: setup-dev ## ruff and mypy
	@$(PYTHON_HERE) scripts/test.py lint

format: setup-dev ## let ruff rewrite what it can
	@$(PYTHON_HERE) -m ruff check --fix --quiet . || true
	@$(PYTHON_HERE) -m ruff format .

messages: setup ## put new texts of the code into locale/*/LC_MESSAGES/django.po and say what waits for a translator
	@$(PYTHON_HERE) scripts/messages.py

bench: setup-dev ## the figures of the hot paths as ratios, on a PostgreSQL and a Redis of its own; ONLY=lists,takes…
	@$(PYTHON_HERE) -m bench

seed: setup ## load the sample people and data into the configured database
	@$(PYTHON_HERE) manage.py seed

schema: setup ## write the OpenAPI documents to DATA_DIR/schema
	@$(PYTHON_HERE) scripts/schema.py
