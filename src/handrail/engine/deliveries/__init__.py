"""What channels tell people: planned with the commit, sent outside of it."""
