# make demo · make test · make bench: each sets up what it needs in .venv and target/, nothing outside the checkout.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CARGO ?= cargo
# cargo-nextest runs the tests faster and is used where it is installed.
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

# What the extension is made of: when none of it changed, it is not built again.
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find crates python -name '*.rs' -o -name 'Cargo.toml' -o -name '*.py' -o -name '*.pyi')

.PHONY: demo test test-rust test-python check bench docs header miri clean

## Digits through conv -> attention and a linear classifier, with receipts and a timeline.
demo: $(VENV)/extension
	$(PY) examples/digits.py

## Every test, Rust and Python.
test: test-rust test-python

test-rust:
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --workspace --exclude lc-py --locked
else
	$(CARGO) test --workspace --exclude lc-py --locked --lib --tests
endif
	$(CARGO) test --workspace --exclude lc-py --locked --doc --quiet

test-python: $(VENV)/extension
	$(PY) -m pytest tests/python

## Format, lints, docs, types and drift: what must hold beside the tests.
check: $(VENV)/extension
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) check --workspace --target aarch64-apple-darwin --locked
	$(PY) -m ruff check python examples tests
	$(PY) -m mypy --strict examples python/lightning_core
	$(PY) -m mypy.stubtest lightning_core --mypy-config-file pyproject.toml --allowlist tests/stubtest_allowlist.txt

## Speed against the peers that are installed; results in bench-results/.
bench: $(VENV)/extension
	$(PY) -m pip install -q -r requirements/bench.txt
	$(PY) -m lightning_core.bench all --out bench-results

docs:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --workspace --no-deps --open

## Writes the C header anew from the Rust source.
header:
	LC_WRITE_HEADER=1 $(CARGO) test -p lc-capi --test c_abi the_header_is_up_to_date

$(VENV)/requirements: requirements/dev.txt
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check -r requirements/dev.txt
	touch $@

$(VENV)/extension: $(VENV)/requirements $(SOURCES)
	@echo "building the extension (about two minutes the first time)"
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/maturin develop --release --locked
	touch $@

clean:
	rm -rf $(VENV) target bench-results

## The part of the unsafe core that the interpreter Miri can run; needs a nightly toolchain with Miri.
miri:
	MIRIFLAGS="-Zmiri-disable-isolation" $(CARGO) +nightly miri test -p lc-core --lib -- --skip packing_loses_nothing --skip the_upper_level --skip copies_everything --skip a_full_ring
