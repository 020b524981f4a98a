"""One suite for every port over every backend."""
