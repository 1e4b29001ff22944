# Every target makes its own environment first: Python 3.11 to 3.13 and make are all that is needed.

PYTHON ?= python3
VENV ?= .venv
# Test processes. Two is the most that helps: XLA uses all cores in each of them.
WORKERS ?= 2
# Options of `make bench`; those there are: .venv/bin/python -m benchmarks.arrays.run --help
BENCH ?=
FUZZ_EXAMPLES ?= 20000

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DELETE_ON_ERROR:
# Two targets at a time would run pip twice in one environment.
.NOTPARALLEL:
.PHONY: help demo bench test lint fuzz wheel docs clean distclean

help:
	@echo 'make demo       run a NumPy program on real terrain through lazyarr; writes a picture'
	@echo 'make bench      programs on arrays beside NumPy, jax, Numba and NumExpr: ratios, memory, a plot (BENCH=--quick: some minutes)'
	@echo 'make test       ruff, mypy --strict, pytest'
	@echo 'make lint       ruff and mypy only'
	@echo 'make fuzz       $(FUZZ_EXAMPLES) random programs against NumPy (FUZZ_EXAMPLES=n)'
	@echo 'make wheel      source distribution and wheel, in dist/'
	@echo 'make docs       the documentation as HTML, in build/docs'
	@echo 'make clean      remove what was built; make distclean: the environment $(VENV) too'

# One stamp for each extra: installed again only when pyproject.toml changes.
$(VENV)/.installed-%: pyproject.toml | $(BIN)/pip
	@echo 'Installing lazyarr[$*] into $(VENV) ...'
	@$(PIP) --editable '.[$*]'
	@touch $@

$(BIN)/pip:
	@echo 'Creating $(VENV) ...'
	@$(PYTHON) tools/make_venv.py $(VENV)

demo: $(VENV)/.installed-demo
	@$(BIN)/python demo/terrain.py

# BLAS with one thread: products of matrices by several vary by a factor of two.
bench: $(VENV)/.installed-bench
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.arrays.run $(BENCH)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --max-worker-restart 0

fuzz: $(VENV)/.installed-test
	LAZYARR_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -n $(WORKERS) --max-worker-restart 0 --timeout 0 tests/test_random_programs.py tests/test_random_loops.py tests/test_control.py tests/test_lifting.py tests/test_stopping.py

wheel: $(VENV)/.installed-test
	$(BIN)/python -m build

docs: $(VENV)/.installed-docs
	$(BIN)/sphinx-build --quiet -C -D extensions=myst_parser -D project=lazyarr -D root_doc=architecture \
		-D suppress_warnings=toc.not_included docs build/docs

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find lazyarr passes backends tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
