"""Which colour serves: Ingresses, the switch and the way back."""
