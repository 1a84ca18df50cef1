"""One engine, rubrics as data: a brief in, an opinion out. Pure."""
