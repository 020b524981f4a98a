"""Replays AgentDojo's ground-truth tool calls through a gate and counts what ran, asked and was stopped.

No model takes part: the agent does exactly what AgentDojo says solves a task, and a hijacked agent does
exactly what the injection wants. So every figure is the gate's own and, but for the times, the same in each
run.

`python -m evals.agentdojo [--suite NAME] [--gate NAME] [--json FILE]`
"""

from __future__ import annotations
