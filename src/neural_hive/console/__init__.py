"""The web console: templates, static files and the routes that fill them."""
