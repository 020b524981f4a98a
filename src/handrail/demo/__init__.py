"""The demo company: a small kitchenware shop whose support desk is run by an agent behind the rail."""
