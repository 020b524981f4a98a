"""The policy: text into a typed policy, and a typed policy into something the gate can run. Pure."""
