# Every target does its own set-up (tools/setup.sh): .venv, requirements, system libraries.
# Where there is no make (Windows), README.md has the same steps by hand.
.PHONY: help demo test bench lint clean

help:
	@echo "make demo   open the window on the example; without a display: the headless job, scored"
	@echo "make test   all tests, the window's under Xvfb"
	@echo "make bench  speed and memory of the engines; leave the machine alone meanwhile"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove caches and demo-output (keeps .venv)"

demo:
	@bash tools/demo.sh

test:
	@bash tools/test.sh

bench:
	@bash tools/setup.sh run
	.venv/bin/python -m benchmarks.engines

lint:
	@bash tools/setup.sh dev
	.venv/bin/ruff check .
	.venv/bin/mypy

clean:
	rm -rf demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
