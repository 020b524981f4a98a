"""Who people and programs are: accounts, sign-ins, keys, and whose Slack member is whose."""
