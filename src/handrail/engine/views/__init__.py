"""What people look at: overview, a session on its axis, an action and its story, the log."""
