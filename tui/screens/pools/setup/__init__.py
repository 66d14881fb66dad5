"""The wizard that sets pools up."""
