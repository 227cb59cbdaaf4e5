"""How good vectors are: metrics, collapse, baselines and the tasks that use them.

The parts are imported by their own names (`minigpt2.evaluation.metrics`), so that a trainer that wants one
number loads no table.
"""
