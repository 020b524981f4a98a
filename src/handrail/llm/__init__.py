"""The model gateway: agents call models through it with their own key; the providers' keys stay here."""
