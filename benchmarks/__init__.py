"""Programs that measure speed, memory and what a setting is worth; run them as `python -m benchmarks.NAME`."""
