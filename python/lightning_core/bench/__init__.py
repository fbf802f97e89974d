"""Benchmarks of Lightning Core against the libraries that do the same work on the same machine.

``python -m lightning_core.bench SUITE`` measures every row of a suite: our calls and those of each installed peer,
interleaved in one process, each output checked against a float64 reference, each time held against the measured
limits of the machine. ``docs/benchmarks.md`` says how to read the result.

Layout: :mod:`cases` says what is computed (inputs, reference, tolerance, work), :mod:`ours` and :mod:`peers` say with
which calls, :mod:`suites` which rows there are, :mod:`timing` how they are timed, :mod:`machine` what the machine can
do, :mod:`runner` brings these together, :mod:`report`, :mod:`page` and :mod:`plots` write the result.
"""
