"""The kinds beside an Ingress that lead users to Services, and what each of them says of hosts."""
