"""Questions to people: who is asked, what they see, and what they answer."""
