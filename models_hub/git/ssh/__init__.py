"""Git over SSH: a process of its own, which the web process never imports. docs/SSH.md has its rules."""
