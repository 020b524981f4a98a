"""What a new version of a policy changes, in the words of the file."""
