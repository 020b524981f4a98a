"""What calls of models cost: prices, what was used, what one can cost at most. No call is made here."""
