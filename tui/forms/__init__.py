"""What a form's fields mean: parsed and checked, without a screen."""
