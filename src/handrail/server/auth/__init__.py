"""Who asks: passwords, second factors, sign-ins, the company's sign-on, and keys of programs."""
