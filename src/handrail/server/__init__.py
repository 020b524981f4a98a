"""The server: people and programs reach the engine over HTTP, each with exactly the rights of its role."""
