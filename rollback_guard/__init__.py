"""rollback_guard: Git hooks, a GitHub Action and a command line that make a company's rollback process real."""

__version__ = "0.1.0"
