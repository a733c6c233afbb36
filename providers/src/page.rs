//! Reading pages: thin helpers over `scraper`. Bytes in, owned facts out, synchronous.
