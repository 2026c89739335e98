"""mingbai: from the platform and the bureaus to a served, versioned release."""

__version__ = "0.1.0"
